"""Parameter groups hold every parameter once, with its own rate and decay."""

from __future__ import annotations

import torch
from torch import nn

from duovox.optim.parameters import parameter_groups


def make_network() -> nn.ModuleDict:
    return nn.ModuleDict(
        {"backbone": nn.Sequential(nn.Conv1d(1, 2, 3), nn.LayerNorm(2)), "head": nn.Linear(2, 3)}
    )


def test_one_group_by_default() -> None:
    network = make_network()
    (group,) = parameter_groups(network, lr=0.1, weight_decay=0.5)
    assert group["params"] == list(network.parameters())
    assert (group["name"], group["lr"], group["weight_decay"]) == ("backbone", 0.1, 0.5)


def test_every_parameter_is_in_one_group_with_its_settings() -> None:
    network = make_network()
    groups = parameter_groups(
        network,
        lr=0.1,
        weight_decay=0.5,
        decay_only_matrices=True,
        heads=[network["head"]],
        head_lr_multiplier=10.0,
    )
    settings = {
        parameter: (group["lr"], group["weight_decay"])
        for group in groups
        for parameter in group["params"]
    }
    assert sum(len(group["params"]) for group in groups) == len(settings) == 6
    convolution, norm, head = network["backbone"][0], network["backbone"][1], network["head"]
    assert settings[convolution.weight] == (0.1, 0.5)
    assert settings[convolution.bias] == settings[norm.weight] == (0.1, 0.0)
    assert settings[head.weight] == (1.0, 0.5)
    assert settings[head.bias] == (1.0, 0.0)


def test_frozen_parameters_are_there_for_when_they_are_released() -> None:
    network = make_network().requires_grad_(False)
    groups = parameter_groups(network, lr=0.1)
    assert sum(len(group["params"]) for group in groups) == 6


def test_an_optimiser_takes_the_groups() -> None:
    network = make_network()
    groups = parameter_groups(network, lr=0.1, heads=[network["head"]], head_lr_multiplier=2.0)
    optimizer = torch.optim.AdamW(groups, lr=0.1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.2]
