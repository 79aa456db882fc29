"""The results of a run as a table, and where its report is, for the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from duovox.run.report.measures import MEASURES, Measure, SetResult, count_text, results_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text


def print_results(metrics: dict[str, Any], page: Path, console: Console) -> None:
    """Print the results of a run, where its page is, and how to compare it with others."""
    experiment = page.parent.parent
    console.print(results_table(metrics))
    console.print(f"report: {page}")
    if len([*experiment.glob("*/metrics.json")]) > 1:
        console.print(f"compare the runs: duovox report {experiment}")


def results_table(metrics: dict[str, Any]) -> Table:
    """Return the scored sets of `metrics` (the content of metrics.json), one per row.

    Rates are in percent, minDCF is normalised; the second line of a cell is its 95 % interval,
    which a table of both tasks leaves out of minDCF.
    Measures that no set has get no column.
    """
    from rich.table import Table
    from rich.text import Text

    results = list(results_of(metrics))
    measures = [m for m in MEASURES if any(m.key in result for _, _, result in results)]
    table = Table(title="Results", caption="second line: 95 % bootstrap interval")
    table.add_column("Set", overflow="fold")
    for measure in measures:
        title = f"{measure.name} %" if measure.is_percent else measure.name.replace("(", "\n(")
        table.add_column(title, justify="right", no_wrap=True)
    for split, name, result in results:
        set_name = Text(name, style="bold")
        set_name.append(f"\n{split} set\n{count_text(result)}", style="not bold dim")
        cells = [_cell(measure, result, is_crowded=len(measures) > 4) for measure in measures]
        table.add_row(set_name, *cells, end_section=True)
    if not results:
        table.add_row("nothing was scored")
    return table


def _cell(measure: Measure, result: SetResult, *, is_crowded: bool) -> Text:
    from rich.text import Text

    value, interval = measure.text(result, unit=""), measure.interval_text(result)
    if is_crowded and not measure.is_percent:
        interval = None  # or names would break on a terminal of 80 columns; the page has it
    cell = Text(value or "", style="bold")
    return cell.append(f"\n{interval}", style="not bold dim") if value and interval else cell
