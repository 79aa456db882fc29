"""Means between two points of a curve."""

from __future__ import annotations

import json

import pytest
import torch

from duovox.task.running_mean import RunningMean


def test_a_flush_gives_the_mean_of_each_name_and_starts_over() -> None:
    curves = RunningMean()
    for loss in (1.0, 2.0, 6.0):
        curves.add({"loss": torch.tensor(loss)})
    curves.add({"norm": torch.tensor(5.0)})
    assert curves.flush() == {"loss": 3.0, "norm": 5.0}
    assert curves.flush() == {}
    curves.add({"loss": torch.tensor(4.0)})
    assert curves.flush() == {"loss": 4.0}


def test_the_latest_value_outlives_a_flush() -> None:
    curves = RunningMean()
    curves.add({"loss": torch.tensor(1.0)})
    curves.add({"loss": torch.tensor(2.0)})
    curves.flush()
    assert curves.latest["loss"].item() == 2.0


def test_no_gradient_and_no_half_precision_is_kept() -> None:
    curves = RunningMean()
    weight = torch.tensor(1.0, requires_grad=True)
    for _ in range(300):
        curves.add({"loss": (weight * 1.01).to(torch.bfloat16)})  # sums of bf16 stop at 256
    assert not curves.latest["loss"].requires_grad
    assert curves.flush()["loss"] == pytest.approx(1.01, rel=5e-3)


def test_a_mean_can_be_interrupted_and_goes_on_from_plain_numbers() -> None:
    values = torch.rand(7, generator=torch.Generator().manual_seed(1))
    whole, first, second = RunningMean(), RunningMean(), RunningMean()
    for value in values:
        whole.add({"loss": value})
    for value in values[:3]:
        first.add({"loss": value})
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for value in values[3:]:
        second.add({"loss": value})
    assert second.flush() == whole.flush()
