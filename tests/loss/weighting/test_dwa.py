"""Dynamic weight average against a rewrite with python lists, and its resume."""

from __future__ import annotations

import io
import math
import random

import pytest
import torch

from duovox.loss.weighting.dwa import DwaWeighting


class ListOfLosses:
    """The definition, for one task, written with a list."""

    def __init__(self, window: int) -> None:
        self.window, self.losses = window, []

    def ratio(self) -> float:
        size = min(len(self.losses) // 2, self.window)
        if size == 0:
            return 1.0
        recent, earlier = self.losses[-size:], self.losses[-2 * size : -size]
        return (sum(recent) / size) / (sum(earlier) / size)


def train(weighting: DwaWeighting, steps: list[dict[str, float]]) -> list[dict[str, float]]:
    weights = [weighting({task: torch.tensor(v) for task, v in step.items()}) for step in steps]
    return [{task: weight.item() for task, weight in step.items()} for step in weights]


def random_steps(num_steps: int) -> list[dict[str, float]]:
    steps = []
    for _ in range(num_steps):
        step = {"speech": random.uniform(0.5, 9), "speaker": random.uniform(0.5, 9)}
        if random.random() < 0.2:
            del step[random.choice(list(step))]
        steps.append(step)
    return steps


@pytest.mark.parametrize(("average", "window"), [(True, 5), (False, 1), (True, 2)])
def test_weights_equal_the_rewrite_also_with_dropped_losses(average: bool, window: int) -> None:
    weighting = DwaWeighting(use_average_loss=average, average_loss_window=max(window, 2))
    lists = {task: ListOfLosses(window) for task in ("speech", "speaker")}
    steps = random_steps(60)
    for step, weights in zip(steps, train(weighting, steps), strict=True):
        powers = {task: math.exp(lists[task].ratio() / 2) for task in step}
        total = sum(powers.values())
        assert weights == pytest.approx({task: power / total for task, power in powers.items()})
        for task, loss in step.items():
            lists[task].losses.append(loss)


def test_the_third_step_compares_the_first_two_losses() -> None:
    weighting = DwaWeighting(temperature=2.0, weight_sum=2.0)
    steps = [{"speech": 4.0, "speaker": 1.0}, {"speech": 2.0, "speaker": 1.0}] * 2
    weights = train(weighting, steps[:3])
    assert weights[0] == weights[1] == {"speech": 1.0, "speaker": 1.0}
    speech = 2 * math.exp(0.25) / (math.exp(0.25) + math.exp(0.5))
    assert weights[2]["speech"] == pytest.approx(speech)


def test_resume_goes_on_with_the_same_weights() -> None:
    steps = random_steps(30)
    whole = train(DwaWeighting(), steps)
    first = DwaWeighting()
    train(first, steps[:13])
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = DwaWeighting()
    second.load_state_dict(torch.load(file, weights_only=True))
    assert train(second, steps[13:]) == whole[13:]


def test_evaluation_leaves_no_trace() -> None:
    weighting = DwaWeighting().eval()
    train(weighting, random_steps(5))
    assert weighting.num_stored.sum() == 0


@pytest.mark.parametrize("name", ["temperature", "weight_sum", "average_loss_window"])
def test_a_meaningless_setting_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} must be above 0.*optim\.loss\.dwa_{name}"):
        DwaWeighting(**{name: 0})
