"""How far a run is, as its folder tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from duovox.run.lock import alone_in
from duovox.run.report.sweep.state import State, Status, read_state

CONFIG = {"trainer": {"max_steps": 2000}}
CURVES = "step,train_loss\n20,3.5\n40,3.1\n60,2."  # killed while it wrote the last line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def state_of(folder: Path, **texts: str) -> State:
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_text(text)
    return read_state(folder, CONFIG)


def test_a_run_of_which_there_are_only_settings_has_not_begun(folder) -> None:
    state = state_of(folder)
    assert (state.status, state.steps) == (Status.STOPPED, "0 of 2,000")
    assert state.remark == "the same command begins"


def test_a_run_that_nobody_works_at_is_stopped(folder) -> None:
    state = state_of(folder, metrics_csv=CURVES)
    assert (state.status, state.steps) == (Status.STOPPED, "40 of 2,000")
    assert state.remark == "no reason was recorded; the same command resumes"


def training(*, complete: bool, steps: int = 1200) -> str:
    ending = {"ended": "early_stopping", "reason": "why", "complete": complete}
    return json.dumps({"steps": steps} | ending)


def test_a_stopped_run_says_why_also_if_it_was_scored(folder) -> None:
    state = state_of(folder, metrics_csv=CURVES, training_json=training(complete=False))
    assert (state.status, state.steps) == (Status.STOPPED, "1,200 of 2,000")
    assert (state.ended, state.reason, state.remark) == ("early_stopping", "why", "why")
    assert state_of(folder, metrics_json="{}").status is Status.STOPPED


def test_a_trained_run_says_why_training_ended(folder) -> None:
    state = state_of(folder, training_json=training(complete=True))
    assert (state.status, state.remark) == (
        Status.NOT_SCORED,
        "why; the same command scores it",
    )
    state = state_of(folder, metrics_json="{}")
    assert (state.status, state.ended, state.remark) == (Status.DONE, "early_stopping", "")


def test_a_run_that_has_resumed_has_not_ended(folder, monkeypatch) -> None:
    monkeypatch.setattr("duovox.run.report.sweep.state.is_at_work", lambda run: run == folder)
    assert state_of(folder, training_json=training(complete=False)).ended == ""


def test_a_run_is_running_while_its_lock_is_held(folder, monkeypatch) -> None:
    monkeypatch.setattr("duovox.run.report.sweep.state.is_at_work", lambda run: run == folder)
    assert state_of(folder, metrics_csv=CURVES).status is Status.RUNNING


def test_a_lock_that_was_given_back_is_no_work(folder) -> None:
    with alone_in(folder):
        pass
    assert state_of(folder, metrics_csv=CURVES).status is Status.STOPPED


def test_a_failed_run_tells_its_error(folder) -> None:
    error = "2026-11-22T03:00:00+00:00\ntrials lack\naudio (data.speaker)\n"
    state = state_of(folder, metrics_csv=CURVES, error_txt=error)
    assert state.status is Status.FAILED
    assert state.remark == "trials lack audio (data.speaker) (2026-11-22T03:00:00+00:00)"


def test_a_run_is_trained_and_then_scored(folder) -> None:
    state = state_of(folder, metrics_csv=CURVES, training_json='{"steps": 1200}')
    assert (state.status, state.steps) == (Status.NOT_SCORED, "1,200 of 2,000")  # stopped early
    state = state_of(folder, metrics_json="{}", training_json='{"steps": 2000}')
    assert (state.status, state.steps, state.remark) == (Status.DONE, "2,000", "")


def test_a_range_test_is_done_with_its_rates(folder) -> None:
    config = CONFIG | {"run_lr_range_test": True, "lr_range_iterations": 100}
    assert read_state(folder, config).status is Status.STOPPED
    (folder / "lr_range.csv").write_text("step,learning_rate,loss\n")
    assert read_state(folder, config).status is Status.DONE
