"""The gradient's size and its limits."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from duovox.optim.gradient import clip_gradient, gradient_norm


def parameters_with(*gradients: list[float] | None) -> list[nn.Parameter]:
    parameters = []
    for gradient in gradients:
        parameter = nn.Parameter(torch.zeros(len(gradient or [0.0])))
        parameter.grad = None if gradient is None else torch.tensor(gradient)
        parameters.append(parameter)
    return parameters


def test_the_norm_is_over_all_gradients_together() -> None:
    assert gradient_norm(parameters_with([3.0, 0.0], None, [4.0])).item() == pytest.approx(5.0)


def test_no_gradient_at_all_has_norm_zero() -> None:
    assert gradient_norm(parameters_with(None)).item() == 0.0


def test_a_non_finite_gradient_shows() -> None:
    assert not gradient_norm(parameters_with([1.0], [float("nan")])).isfinite()
    assert not gradient_norm(parameters_with([1.0], [float("inf")])).isfinite()


def test_clipping_by_norm_keeps_the_direction() -> None:
    parameters = parameters_with([3.0, 0.0], None, [4.0])
    assert clip_gradient(parameters, max_norm=1.0).item() == pytest.approx(5.0)
    torch.testing.assert_close(parameters[0].grad, torch.tensor([0.6, 0.0]), rtol=1e-4, atol=0)
    torch.testing.assert_close(parameters[2].grad, torch.tensor([0.8]), rtol=1e-4, atol=0)


def test_clipping_by_value_cuts_each_number() -> None:
    parameters = parameters_with([3.0, -0.5], [-4.0])
    assert clip_gradient(parameters, max_value=1.0).item() == pytest.approx(25.25**0.5)
    assert [p.grad.tolist() for p in parameters] == [[1.0, -0.5], [-1.0]]


def test_no_limit_changes_nothing() -> None:
    parameters = parameters_with([3.0], [4.0])
    assert clip_gradient(parameters).item() == pytest.approx(5.0)
    assert parameters[1].grad.item() == 4.0


def test_both_limits_are_refused() -> None:
    with pytest.raises(ValueError, match="clip by norm or by value, not both"):
        clip_gradient(parameters_with([1.0]), max_norm=1.0, max_value=1.0)
