"""The report of a sweep as a page of a repository."""

from __future__ import annotations

from collections.abc import Sequence

from duovox.run.report.canvas import Plot
from duovox.run.report.sweep.table import TEXTS, TextTable


def heading(text: str, *, level: int = 2) -> str:
    """Return a heading."""
    return f"{'#' * level} {text}"


def markdown_table(table: TextTable) -> str:
    """Return a table with its numbers aligned to the right."""
    rule = ["---" if name in TEXTS else "--:" for name in table.header]
    rows = [table.header, rule, *table.rows]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows)


def pictures(plots: Sequence[Plot]) -> str:
    """Return the plots, each with what it shows; the files lie in plots/."""
    return "\n\n".join(
        f"**{plot.title}.** {plot.note}\n\n![{plot.title}](plots/{plot.name}.png)" for plot in plots
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<").replace("\n", " ")
