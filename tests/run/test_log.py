"""Curves are kept whole, and no logger can stop a run."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch.loggers import Logger

from duovox.run import log
from duovox.run.log import CsvLogger, ForgivingLogger, make_loggers


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


class Recorder(Logger):
    """Keep what it is given; fail from the second call on, where told so."""

    name = "recorder"
    version = ""

    def __init__(self, *, fails: bool = False) -> None:
        self.given: list[tuple[dict[str, float], int | None]] = []
        self.fails = fails
        self.status = ""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self.given.append((dict(metrics), step))
        if self.fails and len(self.given) > 1:
            raise ConnectionError("the network is down")

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        raise AssertionError("settings are given when a logger is made")

    def finalize(self, status: str) -> None:
        self.status = status


def test_what_is_logged_for_one_step_shares_a_row_and_absent_cells_are_empty(tmp_path) -> None:
    logger = CsvLogger(tmp_path / "metrics.csv")
    logger.log_metrics({"train_loss": 2.5}, step=1)
    logger.log_metrics({"train_loss": 0.123456789}, step=2)
    logger.log_metrics({"val_wer": 1.0}, step=2)
    assert rows(tmp_path / "metrics.csv") == [
        {"step": "1", "train_loss": "2.5", "val_wer": ""},
        {"step": "2", "train_loss": "0.12345679", "val_wer": "1"},
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]


def test_a_resumed_run_keeps_the_rows_before_and_writes_the_later_ones_again(tmp_path) -> None:
    path = tmp_path / "metrics.csv"
    first = CsvLogger(path)
    for step in (1, 2, 3):
        first.log_metrics({"loss": step}, step=step)
    second = CsvLogger(path)
    assert len(rows(path)) == 3  # nothing is lost before it has something to say
    second.log_metrics({"loss": 20}, step=2)
    second.log_metrics({"wer": 0.5}, step=2)
    assert rows(path) == [
        {"step": "1", "loss": "1", "wer": ""},
        {"step": "2", "loss": "20", "wer": "0.5"},
    ]


def test_a_full_disk_costs_no_row_and_one_warning_until_there_is_room(
    tmp_path, monkeypatch
) -> None:
    path = tmp_path / "metrics.csv"
    logger = CsvLogger(path)

    def full(*args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    for start in (1, 4):
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", full)
            with pytest.warns(UserWarning, match=r"metrics\.csv can't be written: .*No space left"):
                logger.log_metrics({"loss": 1}, step=start)
            logger.log_metrics({"loss": 1}, step=start + 1)  # another warning would be an error
        logger.log_metrics({"loss": 2}, step=start + 2)
        assert [row["step"] for row in rows(path)] == [str(step) for step in range(1, start + 3)]


def test_a_forgiving_logger_hands_on_until_the_other_fails_and_says_so_once() -> None:
    recorder = Recorder(fails=True)
    logger = ForgivingLogger(recorder)
    logger.log_metrics({"loss": 1.0}, 1)
    with pytest.warns(UserWarning, match="Recorder failed and is left out from now on: the netw"):
        logger.log_metrics({"loss": 2.0}, 2)
    logger.log_metrics({"loss": 3.0}, 3)  # a second warning would be an error here
    logger.log_hyperparams({})
    logger.finalize("success")
    assert [step for _, step in recorder.given] == [1, 2]
    assert recorder.status == ""
    assert logger.name == "Recorder"


def test_a_logger_that_works_is_closed_at_the_end() -> None:
    recorder = Recorder()
    ForgivingLogger(recorder).finalize("success")
    assert recorder.status == "success"


def test_csv_is_always_there_and_a_logger_that_cannot_start_is_left_out(
    tmp_path, monkeypatch
) -> None:
    def broken(folder: Path, config: dict[str, Any]) -> Logger:
        raise ConnectionError("no such host")

    monkeypatch.setattr(log, "_wandb", broken)
    with pytest.warns(UserWarning, match="broken can't start: no such host"):
        loggers = make_loggers(tmp_path, {}, use_tensorboard=False, use_wandb=True)
    assert [type(logger) for logger in loggers] == [CsvLogger]


def test_tensorboard_reads_back_what_was_logged(tmp_path) -> None:
    from tensorboard.backend.event_processing import event_accumulator

    loggers = make_loggers(tmp_path, {}, use_tensorboard=True, use_wandb=False)
    for step in (1, 2):
        loggers[1].log_metrics({"loss": step / 2}, step)
    loggers[1].finalize("success")
    events = event_accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    found = [(event.step, event.value) for event in events.Scalars("loss")]
    assert found == [(1, 0.5), (2, 1.0)]
