"""The subcommand that tells whether one run is better than another, or was lucky."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from duovox.cli_terminal import say

if TYPE_CHECKING:
    from duovox.run.significance import Comparison

RunOrEvaluation = Annotated[
    Path, typer.Argument(help="A run, or a folder of duovox evaluate.", show_default=False)
]


def compare(
    first: RunOrEvaluation,
    second: RunOrEvaluation,
    set_name: Annotated[
        str | None, typer.Option("--set", help="Only this one; all that both have by default.")
    ] = None,
) -> None:
    """Tell whether two runs differ on the same test sets: paired bootstrap."""
    from rich.table import Table

    from duovox.run.significance import compare_runs

    table = Table(title="Second minus first, in percent")
    for title in ("Set", "Rate", "First", "Second", "Difference", "95 % interval", "p"):
        table.add_column(title, justify="left" if title in ("Set", "Rate") else "right")
    comparisons = compare_runs(first, second, set_name=set_name)
    for one in comparisons:
        table.add_row(*_cells(one))
    Console(soft_wrap=True).print(table)
    for one in comparisons:
        say(f"{one.set_name}: {_verdict(one)}")


def _cells(one: Comparison) -> list[str]:
    difference = one.difference
    return [
        one.set_name,
        one.measure.upper(),
        f"{100 * one.first:.2f}",
        f"{100 * one.second:.2f}",
        f"{100 * difference.difference:+.2f}",
        f"{100 * difference.interval.low:+.2f} to {100 * difference.interval.high:+.2f}",
        f"{difference.p_value:.4f}",
    ]


def _verdict(one: Comparison) -> str:
    if not one.difference.is_significant:
        return f"no significant difference in {one.measure.upper()}"
    better = "second" if one.difference.difference < 0 else "first"
    return f"the {better} run has the lower {one.measure.upper()}, significantly (95 %)"
