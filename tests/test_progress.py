"""Work is shown as a bar in a terminal, and as lines at most every 30 s elsewhere."""

from __future__ import annotations

import io
import re
import sys

import pytest
from rich.console import Console
from rich.progress_bar import ProgressBar

from duovox.progress import Pace, Progress, console_on, duration


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class FakeTerminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class NotedFile(io.StringIO):
    """A file that counts how often it is flushed."""

    num_flushed = 0

    def flush(self) -> None:
        self.num_flushed += 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


def terminal(width: int) -> Console:
    return Console(file=FakeTerminal(), force_terminal=True, width=width, color_system=None)


def lines_of(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def row(progress: Progress) -> str:
    """Return the bar that a terminal shows now."""
    console = Console(file=io.StringIO(), width=progress.console.width)
    console.print(progress._bar(), end="")
    (line,) = lines_of(console)
    return line


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "under 1 s"),
        (0.99, "under 1 s"),
        (1.2, "1 s"),
        (45.2, "45 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (6 * 60 + 20, "6 min"),
        (59.6 * 60, "1 h"),
        (80 * 60, "1 h 20 min"),
        (3 * 3600, "3 h"),
        (24 * 3600 - 1, "1 day"),
        (25 * 3600, "1 day 1 h"),
        (51 * 3600 + 600, "2 days 3 h"),
        (72 * 3600 - 10, "3 days"),
    ],
)
def test_a_time_reads_as_people_say_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_pace_of_equal_units_is_their_time() -> None:
    pace = Pace()
    assert pace.seconds is None
    for _ in range(100):
        pace.add(0.25)
    assert pace.seconds == pytest.approx(0.25)


def test_a_pace_leaves_its_first_units_out() -> None:
    pace = Pace(num_skipped=3)
    for seconds in (60, 30, 10):
        pace.add(seconds)
        assert pace.seconds is None
    pace.add(2)
    assert pace.seconds == 2


def test_a_pace_is_smooth_and_forgets() -> None:
    pace = Pace()
    for _ in range(200):
        pace.add(1)
    pace.add(10)
    assert 1 < pace.seconds < 1.5  # one slow unit
    for _ in range(600):
        pace.add(3)
    assert pace.seconds == pytest.approx(3, rel=0.01)


def test_a_pace_of_slow_units_remembers_several() -> None:
    pace = Pace()
    for seconds in (1000, 1000, 1000, 4000):
        pace.add(seconds)
    assert pace.seconds == pytest.approx(1750, rel=0.1)


def test_units_that_come_in_bursts_have_their_mean_pace() -> None:
    pace = Pace()
    for _ in range(500):
        for seconds in (1.0, 0.0, 0.0, 0.0):
            pace.add(seconds)
    assert pace.seconds == pytest.approx(0.25, rel=0.05)


def test_elsewhere_a_line_is_written_at_most_every_30_seconds(clock) -> None:
    console = console_on(NotedFile())
    with Progress(console, clock=clock) as progress:
        work = progress.add("preparing data/x", 2_970, "utterances")
        for _ in range(29):
            clock.now += 1
            work.advance()
        assert lines_of(console) == []
        for _ in range(31):
            clock.now += 1
            work.advance()
    first, second = lines_of(console)
    assert first == "preparing data/x: 30 of 2,970 utterances, 1/s, 49 min to go"
    assert second == "preparing data/x: 60 of 2,970 utterances, 1/s, 48 min to go"


def test_a_line_is_flushed_at_once(clock) -> None:
    file = NotedFile()
    progress = Progress(console_on(file), clock=clock)
    progress.print("first")
    assert file.num_flushed == 1
    assert file.getvalue() == "first\n"


def test_finished_work_has_a_line_of_its_own(clock) -> None:
    console = console_on(io.StringIO())
    with Progress(console, clock=clock) as progress, progress.work("scoring", 2, "batches") as work:
        for _ in range(2):
            clock.now += 5
            work.advance()
    assert lines_of(console) == ["scoring: 2 of 2 batches in 10 s"]


def test_the_next_work_has_30_seconds_before_its_first_line(clock) -> None:
    console = console_on(io.StringIO())
    with Progress(console, clock=clock) as progress:
        for name, seconds in (("scoring", 29), ("decoding", 15)):
            with progress.work(name, 2, "batches") as work:
                clock.now += seconds
                work.advance()
    assert lines_of(console) == [
        "scoring: 1 of 2 batches in 29 s",
        "decoding: 1 of 2 batches in 15 s",
    ]


def test_work_that_fails_is_not_said_to_be_finished(clock) -> None:
    console = console_on(io.StringIO())
    progress = Progress(console, clock=clock)
    with (
        pytest.raises(ValueError, match="broken"),
        progress,
        progress.work("scoring", 2, "batches"),
    ):
        raise ValueError("broken")
    assert lines_of(console) == []


def test_work_of_unknown_size_has_no_time_to_go(clock) -> None:
    console = console_on(io.StringIO())
    with (
        Progress(console, clock=clock) as shown,
        shown.work("synthesising x", None, "files") as work,
    ):
        for _ in range(8):
            clock.now += 4
            work.advance()
    assert lines_of(console) == [
        "synthesising x: 8 files",
        "synthesising x: 8 files in 32 s",
    ]


def test_long_lines_are_neither_wrapped_nor_cut(clock) -> None:
    console = console_on(io.StringIO())
    name = "/a folder/[bold]:smile:" * 30
    with Progress(console, clock=clock) as progress, progress.work(name, 1, "shards") as work:
        work.advance()
    assert lines_of(console) == [f"{name}: 1 of 1 shards in under 1 s"]


def test_a_colour_that_is_forced_makes_no_terminal_of_a_file(monkeypatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert not Progress(console_on(io.StringIO())).has_bar


def test_a_terminal_has_a_bar_unless_it_is_dumb(monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert Progress(console_on(FakeTerminal())).has_bar
    monkeypatch.setenv("TERM", "dumb")
    assert not Progress(console_on(FakeTerminal())).has_bar


def test_a_quiet_console_shows_nothing(clock) -> None:
    console = terminal(80)
    console.quiet = True
    with Progress(console, clock=clock) as progress, progress.work("scoring", 1, "batches") as work:
        clock.now += 60
        work.advance()
        progress.print("a line")
        assert not isinstance(sys.stdout, FakeTerminal)
    assert lines_of(console) == []


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120, 200])
def test_count_and_time_to_go_stand_in_a_terminal_of_any_width(clock, width: int) -> None:
    progress = Progress(terminal(width), clock=clock)
    work = progress.add("training", 1_500, "steps")
    work.done, work.details = 340, ["speech 2.314  speaker 6.120", "88x real time, 1% waiting"]
    work.pace.add(0.25)
    shown = row(progress)
    assert "340/1,500 5 min to go" in shown
    assert len(shown) <= width
    assert ("speaker 6.120" in shown) == (width >= 80)
    assert ("1% waiting" in shown) == (width >= 120)


def test_a_long_description_gives_way_to_count_and_time(clock) -> None:
    progress = Progress(terminal(80), clock=clock)
    work = progress.add(f"preparing /{'very/' * 40}long/x", 2_970, "utterances")
    work.done = 1_024
    work.pace.add(0.009)
    shown = row(progress)
    assert re.fullmatch(r"preparing /very/.*\.\.\..*long/x .+ 1,024/2,970 18 s to go *", shown)
    assert len(shown) <= 80


def test_a_bar_shows_the_share_that_is_done(clock) -> None:
    progress = Progress(terminal(80), clock=clock)
    work = progress.add("scoring", 4, "batches")
    work.done = 1
    (cell,) = [
        cell
        for column in progress._bar().columns
        for cell in column.cells
        if isinstance(cell, ProgressBar)
    ]
    assert cell.percentage_completed == 25


def test_a_terminal_gets_no_lines_but_the_one_of_finished_work(clock) -> None:
    console = terminal(80)
    with Progress(console, clock=clock) as progress, progress.work("scoring", 9, "batches") as work:
        for _ in range(9):
            clock.now += 31
            work.advance()
    text = console.file.getvalue()
    assert "9 of 9 batches in 5 min" in text
    assert "1 of 9 batches" not in text


def test_what_goes_to_a_file_is_not_drawn_into_a_terminal(clock, monkeypatch) -> None:
    results = io.StringIO()
    monkeypatch.setattr(sys, "stdout", results)
    with Progress(terminal(80), clock=clock):
        print("a result")
    assert results.getvalue() == "a result\n"
