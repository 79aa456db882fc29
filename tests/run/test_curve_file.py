"""Curves grow row by row, and are the same as if the whole table were written every time."""

from __future__ import annotations

import csv
import itertools
import pickle
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest

from duovox.run.curve_file import CurveFile
from duovox.run.report.curve import read_curves
from duovox.run.report.sweep.state import read_state

Log = Sequence[tuple[int, dict[str, str]]]  # (step, cells) of each call


class WholeTable:
    """The plain way: keep all rows, write all of them at every call."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[int, dict[str, str]] = {}
        if path.exists():
            with path.open(newline="") as file:
                for row in csv.DictReader(file):
                    self.rows[int(row["step"])] = {name: cell for name, cell in row.items() if cell}
        self.is_first = True

    def add(self, step: int, cells: dict[str, str]) -> None:
        if self.is_first:
            self.rows = {old: row for old, row in self.rows.items() if old < step}
            self.is_first = False
        self.rows.setdefault(step, {"step": str(step)}).update(cells)
        columns = dict.fromkeys(name for row in self.rows.values() for name in row)
        with self.path.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(columns))
            writer.writeheader()
            writer.writerows(self.rows.values())


def random_log(generator: np.random.Generator, *, start: int, count: int) -> Log:
    """Return calls with ascending steps, some of which share one, and names that come late."""
    names = ["loss", "wer", "eer", 'a,"b"', "größe", "memory"]
    step, log = start, []
    for number in range(count):
        step += int(generator.integers(3))
        known = names[: 2 + number // 8]
        chosen = generator.choice(known, size=generator.integers(1, 4))
        log.append((step, {name: f"{generator.normal():.8g}" for name in chosen.tolist()}))
    return log


@pytest.mark.parametrize("seed", range(20))
def test_the_file_is_always_that_of_a_writer_of_whole_tables(tmp_path: Path, seed: int) -> None:
    """Also where attempts resume at a step before their last."""
    generator = np.random.default_rng(seed)
    ours, whole = tmp_path / "ours.csv", tmp_path / "whole.csv"
    start = 1
    for _ in range(4):
        ours_now, whole_now = CurveFile(ours), WholeTable(whole)
        log = random_log(generator, start=start, count=40)
        for step, cells in log:
            ours_now.add(step, cells)
            whole_now.add(step, cells)
            assert ours.read_bytes() == whole.read_bytes()
        start = int(generator.integers(1, log[-1][0] + 2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ours.csv", "whole.csv"]


def short_log() -> Log:
    """Return ten steps, the ninth of which gets a second cell by a call of its own."""
    log = [(step, {"loss": f"{1 / step:.8g}"}) for step in range(1, 11)]
    return [*log[:9], (9, {"wer": "0.25"}), log[9]]


def written(path: Path, log: Log, kind: type[CurveFile | WholeTable] = CurveFile) -> bytes:
    file = kind(path)
    for step, cells in log:
        file.add(step, cells)
    return path.read_bytes()


def test_a_file_cut_anywhere_in_its_last_lines_is_read_and_repaired(tmp_path: Path) -> None:
    path, log, new = tmp_path / "metrics.csv", short_log(), (11, {"loss": "0.5"})
    content = written(path, log)
    last_lines = b"".join(content.splitlines(keepends=True)[-2:])
    for length in range(len(content) - len(last_lines), len(content) + 1):
        path.write_bytes(content[:length])
        num_whole = content[:length].count(b"\r") - 1  # without the line of the names
        curve = read_curves(path)["loss"]
        assert curve.steps.tolist() == list(range(1, num_whole + 1))
        assert curve.values == pytest.approx(1 / curve.steps, rel=1e-7)
        assert read_state(tmp_path, {}).num_steps == num_whole
        kept = [entry for entry in log if entry[0] <= num_whole]
        model = tmp_path / f"model{length}.csv"
        assert written(path, [new]) == written(model, [*kept, new], WholeTable)


def test_what_a_kill_leaves_of_a_draft_is_no_hindrance(tmp_path: Path) -> None:
    path, log = tmp_path / "metrics.csv", short_log()
    path.with_suffix(".csv.tmp").write_bytes(b"step,lo")
    assert written(path, log) == written(tmp_path / "model.csv", log, WholeTable)
    assert not path.with_suffix(".csv.tmp").exists()


class Disk:
    """Count the bytes written to files, and fill up after so many."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.num_bytes = 0
        self.space: int | None = None
        self._open = Path.open
        monkeypatch.setattr(Path, "open", lambda path, *a, **k: self._watched(path, *a, **k))

    def _watched(self, path: Path, mode: str = "r", **settings: Any) -> Any:
        file: Any = self._open(path, mode, **settings)
        if mode == "r":
            return file
        wrapped = MagicMock(wraps=file)
        wrapped.__enter__.return_value = wrapped
        wrapped.__exit__.side_effect = lambda *_: file.close()
        wrapped.write.side_effect = lambda content: self._write(file, content)
        return wrapped

    def _write(self, file: Any, content: bytes) -> None:
        fitting = content if self.space is None else content[: self.space]
        file.write(fitting)
        self.num_bytes += len(fitting)
        if self.space is not None:
            self.space -= len(fitting)
            if len(fitting) < len(content):
                raise OSError(28, "No space left on device")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_a_point_costs_its_own_bytes_however_many_there_are(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("step,loss,wer\n" + "".join(f"{step},1,\n" for step in range(5_000)))
    disk.num_bytes, file = 0, CurveFile(path)
    file.add(5_000, {"loss": "1", "wer": "2"})
    assert disk.num_bytes == path.stat().st_size  # a resumed run writes the table again
    for step in range(5_001, 5_050):
        disk.num_bytes = 0
        file.add(step, {"loss": "3"})
        assert disk.num_bytes == len("5001,3,\r\n")
        file.add(step, {"wer": "4"})
        assert disk.num_bytes == len("5001,3,\r\n" + "5001,3,4\r\n")
    assert len(pickle.dumps(file)) < 1_000  # no row but the last is in memory
    disk.num_bytes = 0
    file.add(5_050, {"late": "5"})
    assert disk.num_bytes == path.stat().st_size  # as it does for a new column


def test_a_disk_that_fills_up_at_any_byte_costs_no_row(tmp_path: Path, disk: Disk) -> None:
    log = short_log()
    for num_good, space in itertools.product(range(len(log)), (0, 1, 5)):
        path, model = (tmp_path / f"{name}{num_good}-{space}.csv" for name in ("ours", "model"))
        file = CurveFile(path)
        for number, (step, cells) in enumerate(log):
            is_full = number == num_good
            disk.space = space if is_full else None
            with pytest.raises(OSError, match="No space") if is_full else nullcontext():
                file.add(step, cells)
            assert len(read_curves(path) if path.exists() else ()) <= 2
        disk.space = None
        file.add(11, {"loss": "0.5"})
        whole = written(model, [*log, (11, {"loss": "0.5"})], WholeTable)
        assert path.read_bytes() == whole


def test_a_file_that_someone_took_away_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    file = CurveFile(path)
    file.add(1, {"loss": "1"})
    path.unlink()
    file.add(2, {"loss": "2"})
    path.write_bytes(b"")
    file.add(3, {"loss": "3"})
    assert path.read_text().split() == ["step,loss", "3,3"]


@pytest.mark.parametrize(
    "content",
    [b"a,b\n1,2\n", b"step;a\n1;2\n", b"step,a\n1.0,2\n", b"step,a\n\xff,2\n"],
    ids=["no step", "semicolons", "steps with a point", "no text"],
)
def test_what_was_edited_by_hand_is_kept_beside_the_new_file(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(content)
    with pytest.warns(
        UserWarning, match=r"metrics\.csv has rows .* kept in .*metrics\.csv\.edited"
    ):
        CurveFile(path).add(3, {"a": "4"})
    assert path.read_text().splitlines() == ["step,a", "3,4"]
    assert (tmp_path / "metrics.csv.edited").read_bytes() == content


def test_a_byte_order_mark_of_a_spreadsheet_costs_no_row(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes("\ufeffstep,a\n1,2\n".encode())
    CurveFile(path).add(3, {"a": "4"})
    assert path.read_text().splitlines() == ["step,a", "1,2", "3,4"]
    assert not (tmp_path / "metrics.csv.edited").exists()
