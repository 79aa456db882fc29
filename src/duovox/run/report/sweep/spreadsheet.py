"""The numbers of a sweep as CSV files, unrounded, for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from duovox.run.report.measures import SetResult
from duovox.run.report.sweep.group import Grid, Group, columns
from duovox.run.report.sweep.naming import plain
from duovox.run.report.sweep.runs import SweepRun


def runs_csv(runs: Sequence[SweepRun], grids: Sequence[Grid]) -> str:
    """Return a line per run: state, validation, settings, test results; rates as fractions."""
    number = {run.folder: g.number for g in grids for group in g.groups for run in group.runs}
    return _csv([_run_cells(run) | {"row": number.get(run.folder)} for run in runs])


def groups_csv(runs: Sequence[SweepRun], grids: Sequence[Grid]) -> str:
    """Return a line per group of seeds; `is_best` marks the best rates of the tables' rows."""
    return _csv(
        [
            {"row": grid.number, "is_best": grid.num_judged > 0 and group is grid.best}
            | _group_cells(group, runs)
            for grid in grids
            for group in grid.groups
        ]
    )


def _run_cells(run: SweepRun) -> dict[str, Any]:
    sets = (("validation", run.validation), ("test", run.results))
    return {
        "row": None,
        "experiment": run.experiment,
        "folder": str(run.folder),
        "status": run.state.status,
        "steps": run.state.num_steps,
        "max_steps": run.state.max_steps,
        "error": run.state.error,
        "ended": run.state.ended,
        "reason": run.state.reason,
        "lr": run.lr,
        "objective": run.objective,
        **{place: plain(value) for place, value in run.settings.items()},
        **{key: value for split, found in sets for key, value in _scores(split, found).items()},
    }


def _scores(split: str, results: Mapping[str, SetResult]) -> dict[str, Any]:
    """Return the numbers of every set, intervals as two columns."""
    cells: dict[str, Any] = {}
    for name, result in results.items():
        for key, value in result.items():
            if isinstance(value, list) and len(value) == 2 and key.endswith("_interval"):
                cells |= {f"{split}/{name}/{key}_low": value[0]}
                cells |= {f"{split}/{name}/{key}_high": value[1]}
            elif isinstance(value, int | float):
                cells[f"{split}/{name}/{key}"] = value
    return cells


def _group_cells(group: Group, runs: Sequence[SweepRun]) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "experiment": group.experiment,
        "lr": group.lr,
        "num_runs": len(group.runs),
        "objective": group.objective,
        **{place: plain(value) for place, value in group.settings.items()},
    }
    for name, measure in columns(runs):
        if (spread := group.spread(name, measure)) is not None:
            low, high = spread.interval or (None, None)
            place = f"test/{name}/{measure.key}"
            cells |= {f"{place}": spread.mean, f"{place}_deviation": spread.deviation}
            cells |= {f"{place}_interval_low": low, f"{place}_interval_high": high}
    return cells


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
