"""A run that fails says so in its folder; one that is started again, or was stopped, does not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from duovox.run.failure import FAILURE_FILE, failure_noted
from duovox.run.stop import Stopped

PLAIN = {"seed": 1}


def fail(folder: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), failure_noted(folder, PLAIN):
        raise error


def sentence_in(folder: Path) -> str:
    return (folder / FAILURE_FILE).read_text().split("\n", 1)[1]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("trials lack audio (data.speaker)"), "trials lack audio (data.speaker)\n"),
        (RuntimeError("out of memory"), "RuntimeError: out of memory\n"),
        (KeyError("width"), "KeyError: 'width'\n"),
        (AssertionError(), "AssertionError: no reason was given\n"),
    ],
)
def test_a_failure_leaves_its_sentence_and_its_time(tmp_path, error, text) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    fail(tmp_path, error)
    assert sentence_in(tmp_path) == text
    time = (tmp_path / FAILURE_FILE).read_text().splitlines()[0]
    assert before <= datetime.fromisoformat(time) <= datetime.now(UTC)


def test_a_run_that_failed_before_its_settings_were_written_tells_them(tmp_path) -> None:
    fail(tmp_path, ValueError("no"))
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == PLAIN
    (tmp_path / "config.yaml").write_text("seed: 2\n")
    fail(tmp_path, ValueError("no"))
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == {"seed": 2}


def test_a_run_that_is_started_again_has_not_failed_any_more(tmp_path) -> None:
    fail(tmp_path, ValueError("no"))
    with failure_noted(tmp_path, PLAIN):
        assert not (tmp_path / FAILURE_FILE).exists()


def test_a_run_that_was_told_to_stop_has_not_failed(tmp_path) -> None:
    fail(tmp_path, Stopped(15, "stopped at once by SIGTERM"))
    assert not (tmp_path / FAILURE_FILE).exists()


def test_of_processes_that_train_together_the_first_to_fail_is_heard(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    fail(tmp_path, ValueError("a.tar is damaged"))
    fail(tmp_path, ValueError("connection lost"))
    assert sentence_in(tmp_path) == "a.tar is damaged\n"


def test_a_folder_that_can_not_be_written_hides_no_error(tmp_path) -> None:
    fail(tmp_path / "gone", ValueError("no"))


def test_a_door_notes_what_went_wrong_with_its_data(run_door, tmp_path) -> None:
    with pytest.raises(ValueError, match="nowhere") as caught:
        run_door("speech", "data.speech.train=[/nowhere]")
    assert sentence_in(run_door.run_folder) == f"{caught.value}\n"
    config = yaml.safe_load((run_door.run_folder / "config.yaml").read_text())
    assert config["data"]["speech"]["train"] == ["/nowhere"]
