"""Why training ended is printed, and stands in training.json; an interrupted run is not trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from duovox.run.checkpoint import BestAndLast
from duovox.run.finished import is_trained
from duovox.task.multitask import MultiTask

TRAIN = ("speech", "eval_model=false")


def training_of(run: Path) -> dict[str, Any]:
    training: dict[str, Any] = json.loads((run / "training.json").read_text())
    return training


@pytest.mark.parametrize(
    ("overrides", "end", "reason"),
    [
        ((), "max_steps", "after step 4: all steps of trainer.max_steps are made"),
        (
            ("+trainer.stop_at_step=3",),
            "stop_at_step",
            "after step 3 of 4: trainer.stop_at_step is reached",
        ),
        (
            ("+trainer.stop_at_step=4",),
            "max_steps",
            "after step 4: all steps of trainer.max_steps are made",
        ),
        (
            ("callbacks.early_stopping=[{monitor:val_wer,patience:9,divergence_threshold:0.01}]",),
            "early_stopping",
            "after step 2 of 4: val_wer=1 is above "
            "callbacks.early_stopping[0].divergence_threshold=0.01",
        ),
    ],
)
def test_training_that_ends_by_itself_says_why(
    run_door, capsys, overrides: tuple[str, ...], end: str, reason: str
) -> None:
    run_door(*TRAIN, *overrides)
    training = training_of(run_door.run_folder)
    assert (training["ended"], training["complete"]) == (end, True)
    assert training["reason"] == f"training ended {reason}"
    assert f"{training['reason']}\n" in capsys.readouterr().out
    run_door(*TRAIN, *overrides)
    assert "this run is already trained" in capsys.readouterr().out


def test_early_stopping_at_the_last_step_has_ended_nothing(run_door) -> None:
    stop = "callbacks.early_stopping=[{monitor:val_wer,patience:9,divergence_threshold:0.01}]"
    run_door(*TRAIN, stop, "trainer.max_steps=2")
    assert training_of(run_door.run_folder)["ended"] == "max_steps"


def test_the_results_hold_the_reason_too(run_door) -> None:
    run_door("speech")
    metrics = json.loads((run_door.run_folder / "metrics.json").read_text())
    assert metrics["training"] == training_of(run_door.run_folder)
    assert metrics["training"]["reason"] in (run_door.run_folder / "report.html").read_text()


def fail_at_step_3(self: MultiTask, *arguments: Any) -> None:
    if self.global_step == 3:
        raise ValueError("a.tar is damaged")


def test_an_error_is_the_reason_until_the_run_is_resumed(run_door, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(MultiTask, "on_train_batch_start", fail_at_step_3)
        with pytest.raises(ValueError, match="is damaged"):
            run_door(*TRAIN)
    run = run_door.run_folder
    training = training_of(run)
    assert (training["steps"], training["ended"], training["complete"]) == (3, "error", False)
    assert training["reason"] == "training ended after step 3 of 4 by an error: a.tar is damaged"
    assert not is_trained(run)
    seen = []
    end = BestAndLast.on_train_end

    def look(self: BestAndLast, *arguments: Any) -> None:
        seen.append((run / "training.json").exists())
        end(self, *arguments)

    monkeypatch.setattr(BestAndLast, "on_train_end", look)
    run_door(*TRAIN)
    assert seen == [False]
    assert training_of(run)["ended"] == "max_steps"


def test_an_interrupted_run_that_was_scored_is_trained_when_it_is_started_again(
    run_door, monkeypatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(MultiTask, "on_train_batch_start", fail_at_step_3)
        with pytest.raises(ValueError, match="is damaged"):
            run_door("speech")
    run_door("speech", "fit_model=false")
    assert training_of(run_door.run_folder)["steps"] == 3
    run_door("speech")
    assert training_of(run_door.run_folder)["steps"] == 4


def test_a_run_with_more_steps_is_another_run(run_door) -> None:
    """Its learning rates are others; `stop_at_step` and `max_steps` shape the weights."""
    for steps in ("+trainer.stop_at_step=1", "+trainer.stop_at_step=2", "trainer.max_steps=3"):
        run_door(*TRAIN, steps)
    endings = [training_of(path.parent) for path in run_door.log_folder.rglob("training.json")]
    assert sorted(training["steps"] for training in endings) == [1, 2, 3]
