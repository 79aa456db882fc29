"""What the subcommands around data show: progress bars, summaries, faults."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from duovox.data.dataset.summary import DatasetSummary
    from duovox.data.fault import Fault

Workers = Annotated[int, typer.Option("--workers", min=0, help="Processes; 0: only this one.")]
Share = Annotated[
    float, typer.Option(min=0, max=1, help="Share of bad utterances from which to give up.")
]

_NUM_LISTED = 20  # faults on the terminal; files list all


def command_line() -> str:
    """Return the command line, to be recorded with what it made."""
    return shlex.join(["duovox", *sys.argv[1:]])


@contextmanager
def progress(
    description: str, total: int | None, unit: str = "utterances"
) -> Iterator[Callable[[], object]]:
    """Show on stderr how far work is; give the function that counts a unit."""
    from duovox.progress import Progress, console_on

    with Progress(console_on(sys.stderr)) as shown, shown.work(description, total, unit) as work:
        yield work.advance


def report(
    summary: DatasetSummary, faults: Sequence[Fault], folder: Path, *, is_official_set: bool = True
) -> None:
    """Say what a data set holds and what had to be left out of it.

    Args:
        is_official_set: A data set with the name of an official one is compared with it.
    """
    from duovox.data.corpus.official import is_known

    say(
        f"{folder}: {summary.num_utterances} utterances, {summary.hours:.2f} hours, "
        f"{summary.num_speakers} speakers, {len(summary.shards)} shards, "
        f"{len(summary.vocabulary)} characters"
    )
    print_faults(faults, _NUM_LISTED)
    if is_official_set and is_known(summary.name):
        print_differences(summary, summary.name)


def print_differences(summary: DatasetSummary, name: str, *, num_words: int | None = None) -> None:
    """Say how a data set differs from the official counts of `name`."""
    from duovox.data.corpus.official import compare

    differences = compare(summary, name, num_words=num_words)
    for difference in differences:
        say(difference, style="yellow")
    if not differences:
        say(f"{name} has the official counts")


def print_faults(faults: Sequence[Fault], number: int) -> None:
    """List the first `number` faults, and count all by cause."""
    from duovox.data.fault import count_causes

    for fault in faults[:number]:
        say(str(fault), style="yellow")
    if faults:
        causes = ", ".join(f"{count} {cause}" for cause, count in count_causes(faults).items())
        say(f"{len(faults)} faults: {causes}", style="red")


def say(text: str, *, style: str | None = None) -> None:
    """Print a line as it is: brackets in it are no markup."""
    Console(soft_wrap=True).print(text, style=style, markup=False, highlight=False)
