"""A CSV table of training curves that grows on the disk row by row: metrics.csv."""

from __future__ import annotations

import csv
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from io import StringIO
from pathlib import Path

Row = dict[str, str]  # name -> cell; an empty cell is left out


class CurveFile:
    """Sparse cells by step and name; one row per step, in ascending order.

    A new row is appended, and the last one is replaced in place while its step gets more cells. The
    whole file is written again, next to the old one, only by the first call, which keeps the rows
    of an earlier attempt before its step, and for a new column. Rows on the disk are not kept in
    memory. A kill can cut the last line short: readers skip it, and the next attempt removes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._columns: dict[str, None] = {}  # in order of first appearance
        self._open: dict[int, Row] = {}  # the last row, and rows that could not be written yet
        self._start: int | None = None  # bytes before the open rows; None before the first write
        self._end = 0  # bytes after the open rows, where they are on the disk
        self._is_written = False  # the open rows are on the disk

    def add(self, step: int, cells: Mapping[str, str]) -> None:
        """Add cells to the row of `step`, which is the last row or a new one after it.

        Raises:
            OSError: the file can't be written, as on a full disk. The rows are kept, and the next
                call writes them too.
        """
        assert step >= max(self._open, default=step)
        if self._is_written and step not in self._open:
            self._open, self._start = {}, self._end
        self._open.setdefault(step, {"step": str(step)}).update(cells)
        self._is_written = False
        is_known = all(name in self._columns for row in self._open.values() for name in row)
        if is_known and self._is_there():
            self._append()
        else:
            self._rewrite()
        self._is_written = True

    def _is_there(self) -> bool:
        """Tell whether the file is still the one that was written, or a longer one."""
        if self._start is None or not self.path.is_file():
            return False
        return self.path.stat().st_size >= self._start

    def _append(self) -> None:
        """Write the open rows over whatever the file has of them."""
        assert self._start is not None
        lines = _lines(self._open.values(), self._columns)
        with self.path.open("r+b") as file:
            file.truncate(self._start)  # first: a kill may lose the last row, but mixes no two
            file.seek(self._start)
            file.write(lines)
        self._end = self._start + len(lines)

    def _rewrite(self) -> None:
        """Write the rows before the open ones, and those, to a draft that takes the file's name."""
        first = min(self._open)
        if self._start is None and _is_foreign(self.path):
            aside = self.path.with_suffix(".csv.edited")
            shutil.copyfile(self.path, aside)
            warnings.warn(
                f"{self.path} has rows that were not written by this program; they are kept in "
                f"{aside} and left out",
                stacklevel=2,
            )
        columns: dict[str, None] = {}
        for rows in (_rows(self.path, before=first), self._open.values()):
            for row in rows:
                columns.update(dict.fromkeys(row))
        draft = self.path.with_suffix(".csv.tmp")
        try:
            start, end = self._write_draft(draft, columns, before=first)
        except OSError:
            draft.unlink(missing_ok=True)  # a full disk needs the space
            raise
        draft.replace(self.path)
        self._columns, self._start, self._end = columns, start, end

    def _write_draft(
        self, draft: Path, columns: dict[str, None], *, before: int
    ) -> tuple[int, int]:
        """Write the whole table, and return at which bytes the open rows start and end."""
        with draft.open("wb") as file:
            file.write(_lines([{name: name for name in columns}], columns))
            for row in _rows(self.path, before=before):
                file.write(_lines([row], columns))
            start = file.tell()
            file.write(_lines(self._open.values(), columns))
            return start, file.tell()


def _lines(rows: Iterable[Row], columns: Iterable[str]) -> bytes:
    text = StringIO()
    names = list(columns)
    csv.writer(text).writerows([row.get(name, "") for name in names] for row in rows)
    return text.getvalue().encode()


def _rows(path: Path, *, before: int) -> Iterator[Row]:
    """Yield the rows of the steps before `before`, without a last line that a kill has cut off."""
    for row in _whole_rows(path):
        if row.get("step", "").isdecimal() and int(row["step"]) < before:
            yield row


def _whole_rows(path: Path) -> Iterator[Row]:
    """Yield all rows but a last one that is cut off, whatever the file holds."""
    if not path.is_file():
        return
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        lines = (line for line in file if line.endswith(("\r", "\n")))
        with suppress(csv.Error):  # a cell without an end
            for cells in csv.DictReader(lines):
                yield {name: cell for name, cell in cells.items() if name and cell}


def _is_foreign(path: Path) -> bool:
    """Return whether a file has a row without a step, as where it was edited by hand."""
    return any(not row.get("step", "").isdecimal() for row in _whole_rows(path))
