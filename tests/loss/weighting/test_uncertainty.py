"""Uncertainty weighting against the paper's sum, differentiated by torch."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from duovox.loss.weighting import LearnedWeighting
from duovox.loss.weighting.dwa import DwaWeighting
from duovox.loss.weighting.uncertainty import UncertaintyWeighting

VALUES = {"speech": 3.0, "speaker": 12.0}


def total_of(weighting: UncertaintyWeighting, losses: dict[str, Tensor]) -> Tensor:
    weights = weighting(losses)
    terms = [weights[task] * loss for task, loss in losses.items()]
    return torch.stack([*terms, weighting.own_loss(losses)]).sum()


def made(*log_variances: float) -> UncertaintyWeighting:
    weighting = UncertaintyWeighting()
    weighting.log_variances.data = torch.tensor(log_variances)
    return weighting


def test_value_and_gradients_are_those_of_the_published_sum() -> None:
    weighting, shared = made(0.4, -1.1), torch.tensor(1.0, requires_grad=True)
    total = total_of(weighting, {task: shared * value for task, value in VALUES.items()})
    total.backward()
    reference, weight = torch.tensor([0.4, -1.1], requires_grad=True), shared.detach().clone()
    weight.requires_grad_()
    losses = weight * torch.tensor([3.0, 12.0])
    expected = (losses / reference.exp() + reference.exp().sqrt().log()).sum()
    expected.backward()
    torch.testing.assert_close(total, expected)
    torch.testing.assert_close(weighting.log_variances.grad, reference.grad)
    torch.testing.assert_close(shared.grad, weight.grad)


def test_it_begins_with_the_plain_sum() -> None:
    weights = UncertaintyWeighting()({task: torch.tensor(v) for task, v in VALUES.items()})
    assert [weight.item() for weight in weights.values()] == [1.0, 1.0]


def test_at_rest_a_weight_is_half_the_inverse_of_its_loss() -> None:
    weighting = made(math.log(2 * 3), math.log(2 * 12))
    losses = {task: torch.tensor(value) for task, value in VALUES.items()}
    weighting.own_loss(losses).backward()
    torch.testing.assert_close(weighting.log_variances.grad, torch.zeros(2))
    assert weighting(losses)["speaker"].item() == pytest.approx(1 / 24)


def test_a_loss_of_zero_and_an_absent_task_teach_nothing() -> None:
    for losses in ({"speaker": 12.0}, {"speech": 0.0, "speaker": 12.0}):
        weighting = made(0.0, 0.0)
        weighting.own_loss({task: torch.tensor(v) for task, v in losses.items()}).backward()
        assert weighting.log_variances.grad is not None
        assert weighting.log_variances.grad.tolist() == [0.0, 0.5 - 12.0]


def test_it_is_the_weighting_that_the_optimiser_trains() -> None:
    assert isinstance(UncertaintyWeighting(), LearnedWeighting)
    assert not isinstance(DwaWeighting(), LearnedWeighting)
