"""Training is counted and timed, and shown as a bar in a terminal, as lines elsewhere."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.console import Console

from duovox.batch import SpeakerBatch
from duovox.loss.weighting.none import NoWeighting
from duovox.progress import console_on
from duovox.run import progress as training_progress
from duovox.run.progress import TrainingProgress
from duovox.task.multitask import MultiTask


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def trainer() -> Any:
    return SimpleNamespace(
        is_global_zero=True,
        max_steps=4,
        global_step=0,
        callback_metrics={},
        world_size=1,
        val_check_interval=1_000,
        accumulate_grad_batches=1,
        num_val_batches=[3, 1],
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


@pytest.fixture
def log() -> Console:
    """Return a console on what is no terminal."""
    return console_on(io.StringIO())


def lines(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def terminal(width: int) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)


def last_bar(console: Console) -> str:
    """Return the last bar that a terminal got."""
    assert isinstance(console.file, io.StringIO)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue())
    return [line for line in re.split(r"[\r\n]+", text) if line.startswith("training ")][-1]


def half_hour() -> SpeakerBatch:
    return SpeakerBatch(
        keys=("a", "b"),
        waves=torch.zeros(2, 1),
        num_samples=torch.tensor([16_000 * 1200, 16_000 * 600]),  # true lengths, 20 and 10 minutes
        speaker_ids=torch.zeros(2, dtype=torch.int64),
    )


def make_steps(
    progress: TrainingProgress,
    clock: Clock,
    trainer: Any,
    module: Any,
    num_steps: int,
    *,
    waiting: float = 0.25,
    computing: float = 0.5,
) -> None:
    for number in range(num_steps):
        clock.now += waiting
        progress.on_train_batch_start(trainer, module, half_hour(), number)
        clock.now += computing
        trainer.global_step += 1
        progress.on_train_batch_end(trainer, module, None, half_hour(), number)


def train(
    progress: TrainingProgress, clock: Clock, trainer: Any, module: Any, num_steps: int
) -> None:
    progress.on_train_start(trainer, module)
    make_steps(progress, clock, trainer, module, num_steps)
    progress.on_train_end(trainer, module)


def validate(
    progress: TrainingProgress, clock: Clock, trainer: Any, module: Any, *, seconds: float = 4
) -> None:
    progress.on_validation_start(trainer, module)
    for _ in range(4):
        clock.now += seconds / 4
        progress.on_validation_batch_end(trainer, module, None, None, 0)
    progress.on_validation_end(trainer, module)


def test_hours_and_seconds_are_counted_to_the_last_batch(clock, trainer, module, log) -> None:
    progress = TrainingProgress(console=log, clock=clock)
    train(progress, clock, trainer, module, num_steps=3)
    assert progress.state_dict() == {"audio_hours": pytest.approx(1.5), "seconds": 2.25}


def test_hours_of_all_processes_are_a_curve(clock, trainer, module, log, monkeypatch) -> None:
    logged = []
    monkeypatch.setattr(module, "log_curves", lambda values, step: logged.append((step, values)))
    trainer.world_size = 4
    progress = TrainingProgress(console=log, clock=clock)
    progress.on_train_start(trainer, module)
    make_steps(progress, clock, trainer, module, 1)  # a batch that is no point of the curves
    module.point = {"train_loss": 9.0}
    make_steps(progress, clock, trainer, module, 1)
    assert logged == [(2, {"audio_hours": pytest.approx(4.0)})]


def test_a_run_that_was_finished_before_has_no_speed(clock, trainer, module, log) -> None:
    progress = TrainingProgress(console=log, clock=clock)
    progress.on_train_start(trainer, module)
    progress.on_train_end(trainer, module)
    assert progress.state_dict() == {"audio_hours": 0.0, "seconds": 0.0}


def test_validation_counts_neither_as_training_nor_as_waiting(clock, trainer, module, log) -> None:
    progress = TrainingProgress(console=log, clock=clock)
    trainer.max_steps = 1_000
    progress.on_train_start(trainer, module)
    make_steps(progress, clock, trainer, module, 4, waiting=0)
    validate(progress, clock, trainer, module, seconds=1_000)
    make_steps(progress, clock, trainer, module, 60, waiting=0)
    assert progress.state_dict()["seconds"] == 32
    assert lines(log)[-1].endswith("3600x real time, 0% waiting, 8 min to go")


def test_a_resumed_run_counts_on(clock, trainer, module, log) -> None:
    first = TrainingProgress(console=log, clock=clock)
    train(first, clock, trainer, module, num_steps=1)
    second = TrainingProgress(console=log, clock=clock)
    second.load_state_dict(first.state_dict())
    train(second, clock, trainer, module, num_steps=1)
    assert second.state_dict() == {"audio_hours": pytest.approx(1.0), "seconds": 1.5}


def test_a_line_is_written_every_30_seconds(clock, trainer, module, log) -> None:
    trainer.max_steps = 1_500
    progress = TrainingProgress(console=log, clock=clock)
    progress.on_train_start(trainer, module)
    make_steps(progress, clock, trainer, module, 19)
    assert lines(log) == []
    make_steps(progress, clock, trainer, module, 100)
    first, *others = (line for line in lines(log) if line.startswith("step"))
    assert first == (
        "step 40 of 1,500: speaker 1.250  2400x real time, 33% waiting, 18 min to go"
    )  # 40 steps of 0.75 s and 30 minutes of audio
    assert [line.split(" of")[0] for line in others] == ["step 80"]


def test_a_validation_has_a_line_with_its_scores(clock, trainer, module, log) -> None:
    trainer.max_steps = 1_500
    progress = TrainingProgress(console=log, clock=clock)
    trainer.callback_metrics = {"val_wer": torch.tensor(0.25), "val_eer": 0.125, "val_loss": 3.0}
    progress.on_train_start(trainer, module)
    make_steps(progress, clock, trainer, module, 4)
    validate(progress, clock, trainer, module)
    assert lines(log) == [
        "step 4 of 1,500: val_wer=25.00%  val_eer=12.50%  speaker 1.250  "
        "2400x real time, 33% waiting, 19 min to go"
    ]
    clock.now += 29
    make_steps(progress, clock, trainer, module, 1)  # 29.75 s after that line
    assert len(lines(log)) == 1


def test_a_long_validation_has_lines_of_its_own(clock, trainer, module, log) -> None:
    progress = TrainingProgress(console=log, clock=clock)
    progress.on_train_start(trainer, module)
    validate(progress, clock, trainer, module, seconds=160)
    *during, _ = lines(log)
    assert during == [
        "validating: 1 of 4 batches, 2 min to go",
        "validating: 2 of 4 batches, 1 min to go",
        "validating: 3 of 4 batches, 40 s to go",
        "validating: 4 of 4 batches",
    ]


def test_a_validation_whose_length_is_not_known_counts(clock, trainer, module, log) -> None:
    trainer.num_val_batches = [float("inf")]
    progress = TrainingProgress(console=log, clock=clock)
    progress.on_train_start(trainer, module)
    validate(progress, clock, trainer, module, seconds=160)
    assert lines(log)[0] == "validating: 1 batches"


def test_a_validation_before_any_step_has_scores_alone(clock, trainer, module, log) -> None:
    module.curves.latest.clear()
    trainer.callback_metrics = {"val_wer": 0.25}
    progress = TrainingProgress(console=log, clock=clock)
    progress.on_train_start(trainer, module)
    validate(progress, clock, trainer, module)
    assert lines(log) == ["step 0 of 4: val_wer=25.00%"]


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


def test_only_the_first_process_shows_anything(clock, trainer, module, capsys) -> None:
    trainer.is_global_zero, trainer.max_steps, trainer.global_step = False, 1_000, 10
    progress = TrainingProgress(clock=clock)
    train(progress, clock, trainer, module, num_steps=60)
    validate(progress, clock, trainer, module)
    assert capsys.readouterr() == ("", "")
    assert progress.state_dict()["audio_hours"] == pytest.approx(30)


def test_lines_go_to_standard_output(clock, trainer, module, capsys) -> None:
    train(TrainingProgress(clock=clock), clock, trainer, module, num_steps=4)
    assert capsys.readouterr() == ("trained 4 steps in 3 s\n", "")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_bar_has_step_and_time_to_go_at_any_width(clock, trainer, module, width: int) -> None:
    console = terminal(width)
    trainer.max_steps = 6_400
    module.curves.add({"train_speech_loss": torch.tensor(2.5)})
    progress = TrainingProgress(console=console, clock=clock)
    progress.on_train_start(trainer, module)
    make_steps(progress, clock, trainer, module, 8)
    progress.on_exception(trainer, module, KeyboardInterrupt())
    bar = last_bar(console)
    assert "8/6,400 1 h 20 min to go" in bar
    assert ("speaker 1.250  speech 2.500" in bar) == (width >= 80)
    assert ("2400x real time, 33% waiting" in bar) == (width >= 120)
    assert "9.000" not in bar  # the sum of the losses says nothing to a person


def test_scores_are_printed_above_the_bar(clock, trainer, module) -> None:
    console = terminal(80)
    trainer.callback_metrics = {"val_wer": torch.tensor(0.25), "val_eer": 0.125, "val_loss": 3.0}
    progress = TrainingProgress(console=console, clock=clock)
    progress.on_train_start(trainer, module)
    validate(progress, clock, trainer, module)
    progress.on_exception(trainer, module, KeyboardInterrupt())
    assert any("step 0 of 4: val_wer=25.00%  val_eer=12.50%" in line for line in lines(console))


def test_a_bar_is_told_of_resuming_and_of_the_estimate_too(clock, trainer, module) -> None:
    console = terminal(120)
    trainer.max_steps, trainer.global_step = 1_000, 12
    progress = TrainingProgress(console=console, clock=clock)
    train(progress, clock, trainer, module, num_steps=20)
    text = "\n".join(lines(console))
    assert text.count("resuming from step 12 of 1,000") == 1
    assert text.count("20 steps done: about 12 min to go (968 steps at 0.75 s)") == 1
