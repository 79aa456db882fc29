"""How far long work is: a bar in a terminal, elsewhere a plain line at most every 30 s.

Elsewhere is wherever the stream is no terminal: a file under nohup, the log of a Slurm job, a pipe.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

Clock = Callable[[], float]  # seconds, from anywhere

LINE_SECONDS = 30.0  # at least, between two plain lines
BAR_SECONDS = 1.0  # at least, between two measurements for a bar
_MEMORY_SECONDS = 60.0  # of a pace, ...
_MEMORY_UNITS = 20  # ... or so many units where these take longer
_LEAST_BAR = 8  # columns: a shorter one shows nothing
_MOST_BAR = 40
_LEAST_DESCRIPTION = 8


def duration(seconds: float) -> str:
    """Return a time as people say it: 45 s, 6 min, 1 h 20 min, 2 days 3 h."""
    if seconds < 1:
        return "under 1 s"
    if round(seconds) < 60:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    name = "day" if days == 1 else "days"
    return f"{days} {name} {hours} h" if hours else f"{days} {name}"


class Pace:
    """Seconds per unit of work, as an average over the last minute or the last 20 units.

    Whichever is longer counts: minutes for quick units, so that it is smooth, units for slow ones.

    Args:
        num_skipped: first units that don't count: they are slow while things warm up.
    """

    def __init__(self, *, num_skipped: int = 0) -> None:
        self._num_skipped = num_skipped
        self._seconds = self._units = 0.0

    def add(self, seconds: float, num_units: int = 1) -> None:
        """Count units that took so many seconds together."""
        if self._num_skipped > 0:
            self._num_skipped -= num_units
            return
        by_time = math.exp(-seconds / _MEMORY_SECONDS)
        kept = max(by_time, (1 - 1 / _MEMORY_UNITS) ** num_units)
        self._seconds = kept * self._seconds + seconds
        self._units = kept * self._units + num_units

    @property
    def seconds(self) -> float | None:
        """Seconds per unit; None while there is none."""
        return self._seconds / self._units if self._units else None


class Work:
    """One piece of work on show: `done` of `total` units (None: nobody knows).

    `details` stand beside the bar, as many of them as there is room for.
    """

    def __init__(self, progress: Progress, description: str, total: int | None, unit: str) -> None:
        self.description = description
        self.total = total
        self.unit = unit
        self.done = 0
        self.pace = Pace()
        self.details: Sequence[str] = ()
        self._progress = progress
        self._begun = self._advanced = progress.clock()

    def advance(self) -> None:
        """Count a unit, and write a line if it is time for one."""
        now = self._progress.clock()
        self.pace.add(now - self._advanced)
        self._advanced = now
        self.done += 1
        self.details = _rate(self.pace.seconds)
        if self._progress.is_due():
            self._progress.line(", ".join(filter(None, (self._so_far, *self.details, self.to_go))))

    def finish(self) -> None:
        """Say that the work is over and how long it took."""
        seconds = self._progress.clock() - self._begun
        rate = _rate(seconds / self.done if self.done else None)
        self._progress.remove(self)
        self._progress.print(", ".join((f"{self._so_far} in {duration(seconds)}", *rate)))

    @property
    def to_go(self) -> str:
        """How long the rest will take; empty while that is not known."""
        if self.total is None or self.pace.seconds is None or self.done >= self.total:
            return ""
        return f"{duration((self.total - self.done) * self.pace.seconds)} to go"

    @property
    def _so_far(self) -> str:
        total = "" if self.total is None else f" of {self.total:,}"
        return f"{self.description}: {self.done:,}{total} {self.unit}"


class Progress:
    """Show work on a console, as lines or as a bar, which is that of the newest piece.

    A console that is `quiet` shows nothing: that of a process that is not the main one.

    Args:
        console: `console_on` a stream.
        clock: for tests.
    """

    def __init__(self, console: Console, *, clock: Clock = time.monotonic) -> None:
        self.console = console
        self.clock = clock
        self._works: list[Work] = []
        self._live: Live | None = None
        self._shown_at = clock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def has_bar(self) -> bool:
        """Whether work is shown as a bar."""
        return self.console.is_interactive and not self.console.quiet

    def start(self) -> None:
        """Begin to show."""
        self._shown_at = self.clock()
        if self.has_bar:
            # What is printed meanwhile goes above the bar, unless it goes to a file.
            self._live = Live(
                console=self.console,
                get_renderable=self._bar,
                redirect_stdout=sys.stdout.isatty(),
                redirect_stderr=sys.stderr.isatty(),
            )
            self._live.start()

    def stop(self) -> None:
        """Show no more; the bar of unfinished work stays where it is."""
        if self._live is not None:
            self._live.transient = not self._works
            self._live.stop()
            self._live = None

    def add(self, description: str, total: int | None, unit: str) -> Work:
        """Return a new piece of work, to be advanced and finished."""
        self._works.append(Work(self, description, total, unit))
        return self._works[-1]

    @contextmanager
    def work(self, description: str, total: int | None, unit: str) -> Iterator[Work]:
        """Give a new piece of work, which is finished with the block unless that fails."""
        work = self.add(description, total, unit)
        yield work
        work.finish()

    def remove(self, work: Work) -> None:
        """Show a piece of work no more; the next line is due in 30 s."""
        self._works.remove(work)
        self._shown_at = self.clock()

    def is_due(self) -> bool:
        """Tell whether it is time for the next line, or the next measurement for a bar."""
        seconds = BAR_SECONDS if self.has_bar else LINE_SECONDS
        return not self.console.quiet and self.clock() - self._shown_at >= seconds

    def line(self, text: str) -> None:
        """Write how far work is where no bar shows it; the next line is due in 30 s."""
        self._shown_at = self.clock()
        if not self.has_bar:
            self.print(text)

    def print(self, text: str) -> None:
        """Write a line as it is, however long; above the bar where there is one."""
        self.console.print(Text(text), soft_wrap=True)

    def _bar(self) -> RenderableType:
        """Show the newest work: signal handlers write under one row, and over several."""
        return next((_bar(work, self.console.width) for work in self._works[-1:]), "")


def console_on(stream: TextIO) -> Console:
    """Return a console that shows bars if the stream is a terminal, whatever the environment says.

    FORCE_COLOR, which many CI systems set, would fill a log with bars.
    """
    return Console(file=stream, force_terminal=stream.isatty())


def _bar(work: Work, width: int) -> Table:
    """Return a row of at most `width` columns: count and time to go always, the rest as it fits."""
    total = "" if work.total is None else f"/{work.total:,}"
    after = [f"{work.done:,}{total}", *filter(None, [work.to_go])]
    room = width - sum(len(text) + 1 for text in after)
    has_bar = room >= _LEAST_DESCRIPTION + 1 + _LEAST_BAR
    description = _shortened(work.description, room - (1 + _LEAST_BAR if has_bar else 0))
    room -= len(description) + 1
    for detail in work.details:
        if room - len(detail) - 2 < _LEAST_BAR:
            break
        after.append(f" {detail}")
        room -= len(detail) + 2
    row: list[Text | ProgressBar] = [Text(description, style="bold")]
    if has_bar:
        row.append(ProgressBar(work.total, work.done, width=min(room, _MOST_BAR)))
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(*row, *map(Text, after))
    return grid


def _shortened(text: str, most: int) -> str:
    """Leave out the middle of a text that is too long: paths differ at their ends."""
    if len(text) <= most:
        return text
    num_last = max(0, most - 3) // 2
    return f"{text[: max(0, most - 3 - num_last)]}...{text[len(text) - num_last :]}"


def _rate(seconds: float | None) -> tuple[str, ...]:
    """Return units per second, where there is at least one."""
    return (f"{1 / seconds:,.0f}/s",) if seconds and seconds <= 1 else ()
