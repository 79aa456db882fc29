"""Training is counted and timed, and shown as a bar in a terminal, as lines elsewhere."""

from __future__ import annotations

import io
import re

import pytest
import torch
from rich.console import Console

from duovox.run.progress import TrainingProgress
from tests.run.fake_training import lines, make_steps, terminal, train, validate


def last_bar(console: Console) -> str:
    """Return the last bar that a terminal got."""
    assert isinstance(console.file, io.StringIO)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue())
    return [line for line in re.split(r"[\r\n]+", text) if line.startswith("training ")][-1]


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
        "validating after step 0 of 4: 1 of 4 batches, 2 min to go",
        "validating after step 0 of 4: 2 of 4 batches, 1 min to go",
        "validating after step 0 of 4: 3 of 4 batches, 40 s to go",
        "validating after step 0 of 4: 4 of 4 batches",
    ]


def test_a_validation_whose_length_is_not_known_counts(clock, trainer, module, log) -> None:
    trainer.num_val_batches = [float("inf")]
    progress = TrainingProgress(console=log, clock=clock)
    progress.on_train_start(trainer, module)
    validate(progress, clock, trainer, module, seconds=160)
    assert lines(log)[0] == "validating after step 0 of 4: 1 batches"


def test_a_validation_before_any_step_has_scores_alone(clock, trainer, module, log) -> None:
    module.curves.latest.clear()
    trainer.callback_metrics = {"val_wer": 0.25}
    progress = TrainingProgress(console=log, clock=clock)
    progress.on_train_start(trainer, module)
    validate(progress, clock, trainer, module)
    assert lines(log) == ["step 0 of 4: val_wer=25.00%"]


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
