"""The results of a run as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from duovox.run.report.measures import MEASURES, Measure, SetResult, count_text, results_of

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


def results_table(metrics: dict[str, Any]) -> Table:
    """Return the scored sets of `metrics` (the content of metrics.json), one per row.

    Rates are in percent, minDCF is normalised; the second line of a cell is its 95 % interval.
    Measures that no set has get no column.
    """
    from rich.table import Table
    from rich.text import Text

    results = list(results_of(metrics))
    measures = [m for m in MEASURES if any(m.key in result for _, _, result in results)]
    caption = "second line: 95 % bootstrap interval" if results else "nothing was scored"
    table = Table(title="Results", caption=caption)
    table.add_column("Set", overflow="fold")
    for measure in measures:
        unit = " %" if measure.is_percent else ""
        table.add_column(f"{measure.name}{unit}", justify="right", no_wrap=True)
    table.add_column("Scored on", style="dim")
    for split, name, result in results:
        cells = [_cell(measure, result) for measure in measures]
        counts = count_text(result).replace(", ", "\n")
        table.add_row(Text(f"{name} ({split})"), *cells, counts, end_section=True)
    return table


def _cell(measure: Measure, result: SetResult) -> Text:
    from rich.text import Text

    value, interval = measure.text(result, unit=""), measure.interval_text(result)
    cell = Text(value or "", style="bold")
    return cell.append(f"\n{interval}", style="not bold dim") if value and interval else cell
