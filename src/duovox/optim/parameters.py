"""Parameter groups: which parameters decay, and which learn at another rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn


def parameter_groups(
    network: nn.Module,
    *,
    lr: float,
    weight_decay: float = 0.0,
    decay_only_matrices: bool = False,
    heads: Sequence[nn.Module] = (),
    head_lr_multiplier: float = 1.0,
) -> list[dict[str, Any]]:
    """Share out every parameter of the network, frozen ones too, among an optimiser's groups.

    Args:
        lr: rate of the backbone; give the optimiser the same, schedules measure against it.
        weight_decay: of the groups that decay.
        decay_only_matrices: spare biases, norms and other vectors.
        heads: parts of the network that learn at `lr * head_lr_multiplier`.

    Returns:
        Groups without empty ones, each with a "name" for logs: "backbone", "heads", and the same
        with "_undecayed" behind it.
    """
    head_parameters = {parameter for head in heads for parameter in head.parameters()}
    groups: dict[str, dict[str, Any]] = {}
    for parameter in network.parameters():
        is_head = parameter in head_parameters
        is_decayed = not decay_only_matrices or parameter.ndim >= 2
        name = ("heads" if is_head else "backbone") + ("" if is_decayed else "_undecayed")
        group = groups.setdefault(
            name,
            {
                "name": name,
                "params": [],
                "lr": lr * head_lr_multiplier if is_head else lr,
                "weight_decay": weight_decay if is_decayed else 0.0,
            },
        )
        group["params"].append(parameter)
    return list(groups.values())
