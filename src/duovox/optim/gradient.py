"""The size of the gradient: measured in every step, limited when asked."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Return the 2-norm of all gradients together, 0-dimensional, on their device; 0 without any.

    A non-finite gradient makes it non-finite: one number to decide on whether to take the step.
    """
    return torch.nn.utils.get_total_norm(_gradients(parameters))


def clip_gradient(
    parameters: Iterable[nn.Parameter],
    *,
    max_norm: float | None = None,
    max_value: float | None = None,
) -> Tensor:
    """Limit the gradients in place, by their common norm or by value; return the norm before.

    With both limits None nothing is changed.
    """
    if max_norm is not None and max_value is not None:
        raise ValueError(
            f"clip by norm or by value, not both: got clip_norm={max_norm} and "
            f"clip_value={max_value}; set one of them to null"
        )
    parameters = list(parameters)
    norm = gradient_norm(parameters)
    if max_norm is not None:
        torch.nn.utils.clip_grads_with_norm_(parameters, max_norm, norm)
    if max_value is not None:
        torch.nn.utils.clip_grad_value_(parameters, max_value)
    return norm


def _gradients(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    return [parameter.grad for parameter in parameters if parameter.grad is not None]
