"""The same command again does not do what is done: an array of jobs can be submitted again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from duovox.run import train
from duovox.run.finished import is_trained, objective, scored_before
from duovox.run.train import Run

SHORT = ("speech", "trainer.max_steps=2")


def test_what_is_trained_and_scored_is_not_so_again(run_door, monkeypatch, capsys) -> None:
    first = run_door(*SHORT)
    before = {path: path.stat().st_mtime_ns for path in run_door.run_folder.rglob("*")}
    monkeypatch.setattr(Run, "go", None)  # nobody gets as far as this
    capsys.readouterr()
    assert run_door(*SHORT) == first
    said = capsys.readouterr().out
    folder = run_door.run_folder
    assert said.startswith(f"already trained and scored: {folder}; resume=false does it anew\n")
    assert "demo" in said  # the table of results
    assert f"report: {folder / 'report.html'}\n" in said
    assert before == {path: path.stat().st_mtime_ns for path in run_door.run_folder.rglob("*")}


def test_a_report_that_was_not_written_any_more_is_so_now(run_door) -> None:
    run_door(*SHORT)
    page = run_door.run_folder / "report.html"
    page.unlink()
    run_door(*SHORT)
    assert page.is_file()


@pytest.mark.parametrize("setting", ["decoder=beam", "fit_model=false", "resume=false"])
def test_another_command_scores_again(run_door, monkeypatch, setting: str) -> None:
    run_door(*SHORT)
    scored: list[Path] = []
    real = train.evaluate

    def count(*arguments, folder: Path, **settings):
        scored.append(folder)
        return real(*arguments, folder=folder, **settings)

    monkeypatch.setattr(train, "evaluate", count)
    run_door(*SHORT, setting)
    assert len(scored) == 2  # validation and test


PLAIN = {"seed": 1, "tag": None}


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """Return a folder with the files of a finished run, in the order in which they are written."""
    texts = {
        "config.yaml": "seed: 1\ntag: null\n",
        "training.json": "{}",
        "metrics.json": '{"validation": {"a": {"wer": 0.5}, "b": {"wer": 0.3, "eer": 0.1}}}',
    }
    for age, (name, text) in enumerate(texts.items()):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (age, age))
    return tmp_path


def test_a_finished_run_tells_its_number(finished: Path) -> None:
    metrics = scored_before(finished, PLAIN)
    assert metrics is not None
    assert objective(metrics) == pytest.approx(0.4 + 0.1)


@pytest.mark.parametrize("name", ["config.yaml", "training.json", "metrics.json"])
def test_a_run_that_lacks_a_file_is_not_finished(finished: Path, name: str) -> None:
    (finished / name).unlink()
    assert scored_before(finished, PLAIN) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"steps": 4}', True),  # as versions before 2026 wrote it, when training was over
        ('{"steps": 4, "complete": true}', True),
        ('{"steps": 4, "complete": false}', False),
        (None, False),
    ],
)
def test_a_run_is_trained_when_its_training_was_not_interrupted(
    finished: Path, text: str | None, expected: bool
) -> None:
    (finished / "training.json").unlink()
    if text is not None:
        (finished / "training.json").write_text(text)
    assert is_trained(finished) is expected
    assert (scored_before(finished, PLAIN) is not None) is expected


@pytest.mark.parametrize("text", ['{"st', "[]"])
def test_a_damaged_file_of_training_is_named(finished: Path, text: str) -> None:
    (finished / "training.json").write_text(text)
    with pytest.raises(ValueError, match=r"training\.json is damaged, .*remove it to resume"):
        is_trained(finished)


def test_metrics_of_other_settings_are_not_taken(finished: Path) -> None:
    assert scored_before(finished, PLAIN | {"tag": "late"}) is None
    os.utime(finished / "config.yaml", (9, 9))  # a later command began, and was stopped
    assert scored_before(finished, PLAIN) is None
