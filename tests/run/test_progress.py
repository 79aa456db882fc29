"""The progress bar counts what training hears and how long it takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from duovox.batch import SpeakerBatch
from duovox.loss.weighting.none import NoWeighting
from duovox.run import progress
from duovox.run.progress import TrainingProgress
from duovox.task.multitask import MultiTask


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.fixture
def trainer() -> Any:
    return SimpleNamespace(
        is_global_zero=True, max_steps=4, global_step=0, callback_metrics={}, world_size=1
    )


@pytest.fixture
def module() -> MultiTask:
    module = MultiTask(
        torch.nn.Identity(),
        tasks={},
        weighting=NoWeighting(),
        at_step=lambda step: None,
        make_optimizer=lambda module: None,
        clip_norm=0,
        seed=0,
        max_bad_steps=0,
        log_every_n_steps=1,
    )
    losses = {"train_loss": torch.tensor(9.0), "train_speaker_loss": torch.tensor(1.25)}
    module.curves.add(losses)
    return module


def half_hour() -> SpeakerBatch:
    return SpeakerBatch(
        keys=("a", "b"),
        waves=torch.zeros(2, 1),
        num_samples=torch.tensor([16_000 * 1200, 16_000 * 600]),  # true lengths, 20 and 10 minutes
        speaker_ids=torch.zeros(2, dtype=torch.int64),
    )


def train(bar: TrainingProgress, clock: Clock, trainer: Any, module: Any, num_steps: int) -> None:
    bar.on_train_start(trainer, module)
    for number in range(num_steps):
        clock.now += 0.25  # waiting
        bar.on_train_batch_start(trainer, module, half_hour(), number)
        clock.now += 0.5
        trainer.global_step += 1
        bar.on_train_batch_end(trainer, module, None, half_hour(), number)
    bar.on_train_end(trainer, module)


def test_hours_and_seconds_are_counted_to_the_last_batch(clock, trainer, module) -> None:
    bar = TrainingProgress()
    train(bar, clock, trainer, module, num_steps=3)
    assert bar.state_dict() == {"audio_hours": pytest.approx(1.5), "seconds": 2.25}


def test_hours_of_all_processes_are_a_curve(clock, trainer, module, monkeypatch) -> None:
    logged = []
    monkeypatch.setattr(module, "log_curves", lambda values, step: logged.append((step, values)))
    trainer.world_size = 4
    bar = TrainingProgress()
    train(bar, clock, trainer, module, num_steps=1)  # a batch that is no point of the curves
    module.point = {"train_loss": 9.0}
    train(bar, clock, trainer, module, num_steps=1)
    assert logged == [(2, {"audio_hours": pytest.approx(4.0)})]


def test_a_run_that_was_finished_before_has_no_speed(clock, trainer, module) -> None:
    bar = TrainingProgress()
    bar.on_train_start(trainer, module)
    bar.on_train_end(trainer, module)
    assert bar.state_dict() == {"audio_hours": 0.0, "seconds": 0.0}


def test_validation_counts_neither_as_training_nor_as_waiting(clock, trainer, module) -> None:
    bar = TrainingProgress()
    bar.on_train_start(trainer, module)
    clock.now += 1000
    bar.on_validation_end(trainer, module)
    clock.now += 0.5
    bar.on_train_batch_end(trainer, module, None, half_hour(), 0)
    bar.on_train_end(trainer, module)
    assert bar.state_dict()["seconds"] == 0.5


def test_a_resumed_run_goes_on_counting(clock, trainer, module) -> None:
    first = TrainingProgress()
    train(first, clock, trainer, module, num_steps=1)
    second = TrainingProgress()
    second.load_state_dict(first.state_dict())
    train(second, clock, trainer, module, num_steps=1)
    assert second.state_dict() == {"audio_hours": pytest.approx(1.0), "seconds": 1.5}


def test_the_bar_ends_at_the_last_step_with_speed_waiting_and_losses(
    clock, trainer, module, capsys
) -> None:
    train(TrainingProgress(), clock, trainer, module, num_steps=4)
    (bar,) = [line for line in capsys.readouterr().out.splitlines() if "training" in line][-1:]
    assert "4/4" in bar
    assert "33% waiting" in bar
    assert "speaker 1.250" in bar
    assert "9.000" not in bar  # the sum of the losses says nothing to a person


def test_scores_are_printed_above_the_bar(clock, trainer, module, capsys) -> None:
    bar = TrainingProgress()
    trainer.callback_metrics = {
        "val_wer": torch.tensor(0.25),
        "val_eer": 0.125,
        "val_loss": 3.0,
    }
    bar.on_train_start(trainer, module)
    bar.on_validation_end(trainer, module)
    bar.on_exception(trainer, module, KeyboardInterrupt())
    assert "step 0: val_wer=25.00%  val_eer=12.50%" in capsys.readouterr().out


def test_only_the_first_process_shows_a_bar(clock, trainer, module, capsys) -> None:
    trainer.is_global_zero = False
    bar = TrainingProgress()
    train(bar, clock, trainer, module, num_steps=2)
    bar.on_validation_end(trainer, module)
    assert not capsys.readouterr().out.strip()
    assert bar.state_dict()["audio_hours"] == pytest.approx(1.0)
