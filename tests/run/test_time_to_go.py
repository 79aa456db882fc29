"""The time to go is that of the steps of this process, without warm-up, validations and saving."""

from __future__ import annotations

from typing import Any

import pytest

from duovox.run import progress as training_progress
from duovox.run.progress import TrainingProgress
from tests.run.fake_training import half_hour, lines, make_steps, terminal, train, validate


def test_a_resumed_run_says_so_and_forgets_earlier_steps(clock, trainer, module, log) -> None:
    trainer.max_steps, trainer.global_step = 1_000, 900
    progress = TrainingProgress(console=log, clock=clock)
    progress.load_state_dict({"audio_hours": 1.0, "seconds": 1e6})
    progress.on_train_start(trainer, module)
    assert lines(log) == ["resuming from step 900 of 1,000"]
    make_steps(progress, clock, trainer, module, 40)
    _, estimate, line = lines(log)
    assert estimate == "20 steps done: about 1 min to go (80 steps at 0.75 s)"
    assert line.startswith("step 940 of 1,000: ")
    assert line.endswith(" 45 s to go")


def test_a_new_run_does_not_resume(clock, trainer, module, log) -> None:
    progress = TrainingProgress(console=log, clock=clock)
    progress.on_train_start(trainer, module)
    assert lines(log) == []


def test_after_20_steps_it_says_how_long_the_rest_will_take(clock, trainer, module, log) -> None:
    trainer.max_steps = 1_500
    progress = TrainingProgress(console=log, clock=clock)
    progress.on_train_start(trainer, module)
    make_steps(progress, clock, trainer, module, 3, waiting=5)  # warm-up, left out
    make_steps(progress, clock, trainer, module, 16)
    assert lines(log) == []
    make_steps(progress, clock, trainer, module, 1)
    assert lines(log) == ["20 steps done: about 18 min to go (1,480 steps at 0.75 s)"]


def test_the_estimate_says_that_it_is_without_validations(clock, trainer, module, log) -> None:
    trainer.max_steps, module.validation = 1_500, [None]
    progress = TrainingProgress(console=log, clock=clock)
    progress.on_train_start(trainer, module)
    make_steps(progress, clock, trainer, module, 20)
    (line,) = lines(log)
    assert line == ("20 steps done: about 18 min to go without validations (1,480 steps at 0.75 s)")


def test_a_validation_that_was_timed_is_in_the_estimate(clock, trainer, module, log) -> None:
    trainer.max_steps, module.validation = 1_500, [None]
    trainer.val_check_interval, trainer.accumulate_grad_batches = 20, 2  # every 10 steps
    progress = TrainingProgress(console=log, clock=clock)
    progress.on_train_start(trainer, module)
    make_steps(progress, clock, trainer, module, 10)
    validate(progress, clock, trainer, module)
    make_steps(progress, clock, trainer, module, 10)
    assert lines(log)[-1] == (
        "20 steps done: about 28 min to go (1,480 steps at 0.75 s, 148 validations at 4 s)"
    )


def test_a_run_of_20_steps_needs_no_estimate(clock, trainer, module, log) -> None:
    trainer.max_steps = 20
    progress = TrainingProgress(console=log, clock=clock)
    train(progress, clock, trainer, module, num_steps=20)
    assert lines(log) == ["trained 20 steps in 15 s"]


@pytest.mark.parametrize(("max_steps", "is_long"), [(2_400, False), (2_440, True)])
def test_only_a_long_run_is_told_what_is_faster(
    clock, trainer, module, log, monkeypatch, max_steps: int, is_long: bool
) -> None:
    asked = []

    def faster(settings: Any, *, waiting: float) -> list[str]:
        asked.append((settings, waiting))
        return ["one thing", "another"]

    monkeypatch.setattr(training_progress, "faster", faster)
    trainer.max_steps = max_steps
    settings: Any = object()
    progress = TrainingProgress(settings, console=log, clock=clock)
    progress.on_train_start(trainer, module)
    make_steps(progress, clock, trainer, module, 20)
    assert asked == ([(settings, pytest.approx(1 / 3))] if is_long else [])
    assert lines(log)[0].endswith("). Faster with: one thing; another") == is_long


def test_saving_is_neither_waiting_nor_part_of_a_step(clock, trainer, module, log) -> None:
    trainer.max_steps = 1_500
    progress = TrainingProgress(console=log, clock=clock)
    progress.on_train_start(trainer, module)
    make_steps(progress, clock, trainer, module, 10, waiting=0)
    progress.on_save_checkpoint(trainer, module, {})
    clock.now += 300
    make_steps(progress, clock, trainer, module, 10, waiting=0)
    line, estimate = lines(log)
    assert line.startswith("step 11 of 1,500: ")
    assert line.endswith("3600x real time, 0% waiting, 12 min to go")
    assert estimate == "20 steps done: about 12 min to go (1,480 steps at 0.5 s)"


def test_a_step_of_several_batches_is_timed_as_a_whole(clock, trainer, module, log) -> None:
    trainer.max_steps = 1_020
    progress = TrainingProgress(console=log, clock=clock)
    progress.on_train_start(trainer, module)
    for number in range(40):
        progress.on_train_batch_start(trainer, module, half_hour(), number)
        clock.now += 0.5
        trainer.global_step = (number + 1) // 2
        progress.on_train_batch_end(trainer, module, None, half_hour(), number)
    assert lines(log) == ["20 steps done: about 17 min to go (1,000 steps at 1 s)"]


def test_a_bar_is_told_of_resuming_and_of_the_estimate_too(clock, trainer, module) -> None:
    console = terminal(120)
    trainer.max_steps, trainer.global_step = 1_000, 12
    progress = TrainingProgress(console=console, clock=clock)
    train(progress, clock, trainer, module, num_steps=20)
    text = "\n".join(lines(console))
    assert text.count("resuming from step 12 of 1,000") == 1
    assert text.count("20 steps done: about 12 min to go (968 steps at 0.75 s)") == 1
