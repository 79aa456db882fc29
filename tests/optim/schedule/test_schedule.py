"""What every schedule promises, and its values by hand and by torch's own schedulers."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    CyclicLR,
    ExponentialLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
)

from duovox.optim.schedule.constant import constant
from duovox.optim.schedule.cosine import cosine
from duovox.optim.schedule.cyclic import cyclic, relative_cyclic
from duovox.optim.schedule.exp_decay import exp_decay
from duovox.optim.schedule.one_cycle import one_cycle
from duovox.optim.schedule.reduce_on_plateau import reduce_on_plateau
from duovox.optim.schedule.tri_stage import linear_tri_stage, relative_tri_stage, tri_stage
from duovox.optim.schedule.two_stage import two_stage
from duovox.optim.schedule.wav2spk import wav2spk

LR = 1e-3
SCHEDULES: list[Callable[..., LRScheduler]] = [  # a new schedule adds its name here
    constant,
    cosine,
    cyclic,
    relative_cyclic,
    exp_decay,
    one_cycle,
    tri_stage,
    relative_tri_stage,
    linear_tri_stage,
    two_stage,
    wav2spk,
]


def adam(*, lr: float = LR, head_lr: float | None = None) -> torch.optim.Adam:
    groups: list[dict[str, Any]] = [{"params": [torch.nn.Parameter(torch.zeros(1))]}]
    if head_lr is not None:
        groups.append({"params": [torch.nn.Parameter(torch.zeros(1))], "lr": head_lr})
    return torch.optim.Adam(groups, lr=lr)


def rates(optimizer: torch.optim.Optimizer, scheduler: LRScheduler, num_steps: int) -> list[float]:
    """Return the rate of each optimiser step."""
    seen = []
    for _ in range(num_steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


def rates_of(schedule: Callable[..., LRScheduler], num_steps: int, **settings: Any) -> list[float]:
    optimizer = adam()
    return rates(optimizer, schedule(optimizer, max_steps=num_steps, **settings), num_steps)


def torch_rates(make: Callable[[Any], LRScheduler], num_steps: int, lr: float = LR) -> list[float]:
    optimizer = adam(lr=lr)
    return rates(optimizer, make(optimizer), num_steps)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_resume_goes_on_with_the_same_rates(schedule: Callable[..., LRScheduler]) -> None:
    whole = rates_of(schedule, 40)
    optimizer = adam()
    scheduler = schedule(optimizer, max_steps=40)
    rates(optimizer, scheduler, 17)
    file = io.BytesIO()
    torch.save([optimizer.state_dict(), scheduler.state_dict()], file)
    file.seek(0)
    resumed = adam()
    resumed_scheduler = schedule(resumed, max_steps=40)
    optimizer_state, scheduler_state = torch.load(file, weights_only=True)
    resumed.load_state_dict(optimizer_state)
    resumed_scheduler.load_state_dict(scheduler_state)
    assert rates(resumed, resumed_scheduler, 23) == whole[17:]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_group_with_another_rate_keeps_its_ratio(schedule: Callable[..., LRScheduler]) -> None:
    optimizer = adam(head_lr=10 * LR)
    scheduler = schedule(optimizer, max_steps=30)
    for _ in range(30):
        backbone, head = (group["lr"] for group in optimizer.param_groups)
        assert head == pytest.approx(10 * backbone)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_run_may_go_on_for_a_step_after_its_end(schedule: Callable[..., LRScheduler]) -> None:
    optimizer = adam()
    scheduler = schedule(optimizer, max_steps=10)
    rates(optimizer, scheduler, 10)
    optimizer.step()
    assert math.isfinite(optimizer.param_groups[0]["lr"])


def test_constant_never_moves() -> None:
    assert set(rates_of(constant, 7)) == {LR}


def test_tri_stage_by_hand() -> None:
    seen = rates_of(tri_stage, 101, initial_lr=1e-5, final_lr=1e-5)  # stages end at 10.1, 50.5
    assert seen[0] == pytest.approx(1e-5)
    assert seen[5] == pytest.approx(1e-5 + (1e-3 - 1e-5) * 5 / 10.1)
    assert seen[11:51] == pytest.approx([LR] * 40)
    assert seen[60] == pytest.approx(1e-3 * 10 ** (-2 * (60 - 50.5) / 50.5))


def test_tri_stage_ends_at_the_final_rate_and_stays() -> None:
    optimizer = adam()
    scheduler = tri_stage(optimizer, max_steps=100)
    rates(optimizer, scheduler, 100)
    assert rates(optimizer, scheduler, 5) == pytest.approx([5e-6] * 5)


def test_tri_stage_of_a_tiny_rate_goes_down_to_it_first() -> None:
    optimizer = adam(lr=1e-6)
    seen = rates(optimizer, tri_stage(optimizer, max_steps=100), 30)
    assert seen[0] == pytest.approx(5e-6)
    assert seen[20] == pytest.approx(1e-6)


def test_linear_tri_stage_is_transformers_linear_warm_up_and_decay_with_a_pause_between() -> None:
    seen = rates_of(linear_tri_stage, 1000)
    assert seen[:3] == pytest.approx([0.0, LR / 100, 2 * LR / 100])
    assert seen[100:501] == pytest.approx([LR] * 401)
    assert seen[750] == pytest.approx(LR / 2)
    assert seen[999] == pytest.approx(LR / 500)


def test_relative_tri_stage_starts_at_a_hundredth_and_ends_at_a_twentieth() -> None:
    seen = rates_of(relative_tri_stage, 1000)
    assert seen[0] == pytest.approx(LR / 100)
    assert max(seen) == pytest.approx(LR)
    assert seen[-1] == pytest.approx(LR / 20, rel=0.01)


def test_exp_decay_equals_torch() -> None:
    factor = (5e-6 / LR) ** (1 / 50)
    expected = torch_rates(lambda optimizer: ExponentialLR(optimizer, factor), 50)
    assert rates_of(exp_decay, 50) == pytest.approx(expected)


def test_two_stage_by_hand() -> None:
    seen = rates_of(two_stage, 100)
    assert seen[0] == pytest.approx(LR / 100)
    assert seen[5] == pytest.approx(LR * (0.01 + 0.99 / 2))
    assert seen[10] == pytest.approx(LR)
    assert seen[55] == pytest.approx(LR / 2)
    assert seen[99] == pytest.approx(LR / 90)


def test_cyclic_equals_torch() -> None:
    settings = {"base_lr": 1e-4, "max_lr": 0.02}
    expected = torch_rates(
        lambda optimizer: CyclicLR(
            optimizer, **settings, step_size_up=6, step_size_down=7, cycle_momentum=False
        ),
        40,
    )
    assert rates_of(cyclic, 40, num_steps_up=6, num_steps_down=7, **settings) == pytest.approx(
        expected
    )


def test_relative_cyclic_moves_between_a_hundredth_of_the_rate_and_the_rate() -> None:
    seen = rates_of(relative_cyclic, 100, num_steps_up=10, num_steps_down=10)
    assert min(seen) == pytest.approx(LR / 100)
    assert max(seen) == pytest.approx(LR)
    assert seen[10] == seen[30] == max(seen)


def test_one_cycle_equals_torch() -> None:
    expected = torch_rates(lambda o: OneCycleLR(o, max_lr=LR, total_steps=60, div_factor=25), 60)
    assert rates_of(one_cycle, 60) == pytest.approx(expected)
    assert expected[0] == pytest.approx(LR / 25)


def test_cosine_equals_torch_after_its_warm_up() -> None:
    expected = torch_rates(lambda o: CosineAnnealingLR(o, T_max=90, eta_min=LR / 10), 90)
    seen = rates_of(cosine, 100, final_lr_ratio=0.1)
    assert seen[:10] == pytest.approx([LR * step / 10 for step in range(10)])
    assert seen[10:] == pytest.approx(expected)


def test_wav2spk_equals_torch() -> None:
    expected = torch_rates(lambda optimizer: MultiStepLR(optimizer, [3, 5, 8]), 10)
    assert rates_of(wav2spk, 10, milestones=[3, 5, 8]) == pytest.approx(expected)


def test_reduce_on_plateau_waits_for_its_patience() -> None:
    optimizer = adam()
    scheduler = reduce_on_plateau(optimizer, max_steps=100)
    seen = []
    for eer in (0.2, 0.1, 0.0995, 0.0999, 0.12, 0.1, 0.05):
        scheduler.step(eer)
        seen.append(optimizer.param_groups[0]["lr"])
    assert seen == pytest.approx([LR] * 5 + [LR / 10] * 2)


@pytest.mark.parametrize(
    ("schedule", "settings", "message"),
    [
        (tri_stage, {"warmup_ratio": 0.7}, "warmup_ratio \\+ constant_ratio must lie in"),
        (tri_stage, {"initial_lr": 0.0}, "initial_lr must be above 0"),
        (two_stage, {"warmup_ratio": 1.5}, "warmup_ratio must lie in"),
        (cosine, {"warmup_ratio": -0.1}, "warmup_ratio must lie in"),
        (cyclic, {"num_steps_up": 0}, "num_steps_up must be above 0"),
    ],
)
def test_a_meaningless_setting_is_refused(
    schedule: Callable[..., LRScheduler], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        schedule(adam(), max_steps=10, **settings)


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match=r"optim\.algo\.lr.*must be above 0"):
        tri_stage(adam(lr=0.0), max_steps=10)
