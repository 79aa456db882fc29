"""What is told of a sweep, as tables of texts: for the terminal, the page and the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from duovox.run.report.measures import Measure
from duovox.run.report.sweep.group import Grid, Group, columns, headlines
from duovox.run.report.sweep.naming import shown
from duovox.run.report.sweep.pareto import front, points_of
from duovox.run.report.sweep.runs import SweepRun
from duovox.run.report.sweep.state import Status

TEXTS = (
    "Runs",
    "Run",
    "Remark",
    "Status",
    "Ended by",
    "Folder",
)  # columns of words; the others hold numbers
FRONT = "\N{BLACK DIAMOND}"
NOTE = (
    "Error rates in percent, on test sets: the mean over seeds \N{PLUS-MINUS SIGN} one standard "
    "deviation; in brackets the 95 % bootstrap interval over utterances or speakers (of several "
    "seeds, the means of its ends). Validation is WER plus EER, each the mean over its validation "
    "sets; of pre-training, the loss. Where learning rates were tried, the row is that of the rate "
    "with the lowest, of those with the most seeds; test numbers choose nothing."
)
FRONT_NOTE = f"{FRONT}: no other row is as good in both WER and EER, and better in one."
USUAL_NOTE = "Settings that most runs of an experiment share are not named."


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """A table of texts."""

    title: str
    header: list[str]
    rows: list[list[str]]


def count_text(runs: Sequence[SweepRun]) -> str:
    """Return "12 runs: 1 failed, 2 running, 9 done"."""
    counts = Counter(run.state.status for run in runs)
    parts = [f"{counts[status]} {status}" for status in Status if counts[status]]
    return f"{len(runs)} run{'s' if len(runs) > 1 else ''}: {', '.join(parts)}"


def results(runs: Sequence[SweepRun], grids: Sequence[Grid]) -> TextTable:
    """Return the test results of each grid's best rate."""
    shown_columns = headlines(runs)
    has_rates = any(grid.has_rates for grid in grids)
    on_front = [point.grid.number for point in front(points_of(grids))]
    rows = [
        [
            str(grid.number)
            + (f" {FRONT}" if len(on_front) > 1 and grid.number in on_front else ""),
            grid.name,
            *([_rate(grid)] if has_rates else []),
            str(len(grid.best.runs)),
            objective_text(grid.best),
            *(_cell(grid.best, name, measure) for name, measure in shown_columns),
        ]
        for grid in grids
    ]
    names = [column_title(name, measure) for name, measure in shown_columns]
    rate = ["Best rate"] if has_rates else []
    return TextTable(
        title="Results", header=["No.", "Runs", *rate, "Seeds", "Validation", *names], rows=rows
    )


def rates(grids: Sequence[Grid]) -> TextTable:
    """Return the validation of every learning rate; the best in double asterisks."""
    tried = sorted({g.lr for grid in grids if grid.has_rates for g in grid.groups if g.lr})
    rows = []
    for grid in grids:
        if grid.has_rates:
            found = {group.lr: group for group in grid.groups}
            cells = [_rate_cell(found.get(lr), grid) for lr in tried]
            rows.append([str(grid.number), grid.name, *cells])
    return TextTable(
        title="Learning rates",
        header=["No.", "Runs", *(f"{rate:.3g}" for rate in tried)],
        rows=rows,
    )


def unfinished(runs: Sequence[SweepRun]) -> TextTable:
    """Return the runs that are not done, those that failed first."""
    order = list(Status)
    rows = [
        [run.name, run.state.status, run.state.steps, run.state.remark, run.folder.name]
        for run in sorted(runs, key=lambda run: order.index(run.state.status))
        if run.state.status is not Status.DONE
    ]
    return TextTable(
        title="Not done", header=["Run", "Status", "Steps", "Remark", "Folder"], rows=rows
    )


def all_runs(runs: Sequence[SweepRun]) -> TextTable:
    """Return every run with its numbers."""
    rows = [
        [
            run.name,
            run.state.status,
            run.state.steps,
            run.state.ended.replace("_", " "),
            *(m.text(run.results.get(name, {}), unit="") or "" for name, m in columns(runs)),
        ]
        for run in runs
    ]
    names = [column_title(name, measure) for name, measure in columns(runs)]
    return TextTable(title="Runs", header=["Run", "Status", "Steps", "Ended by", *names], rows=rows)


def column_title(name: str, measure: Measure) -> str:
    """Return "digits WER %"."""
    return f"{name} {measure.name}{' %' if measure.is_percent else ''}"


def objective_text(group: Group) -> str:
    """Return what sweeps minimise, error rates in percent."""
    if group.objective is None:
        return ""
    is_rate = group.validation("wer") or group.validation("eer")
    return f"{100 * group.objective:.2f}" if is_rate else f"{group.objective:.3f}"


def _cell(group: Group, set_name: str, measure: Measure) -> str:
    spread = group.spread(set_name, measure)
    return spread.text(measure) if spread else ""


def _rate(grid: Grid) -> str:
    remark = grid.edge if grid.num_judged else "none has a validation"
    return f"{shown(grid.best.lr)}{f' ({remark})' if remark else ''}"


def _rate_cell(group: Group | None, grid: Grid) -> str:
    if group is None or not group.judged:
        return ""
    text = objective_text(group)
    if len(group.judged) < grid.num_judged:
        text += f" ({len(group.judged)} of {grid.num_judged} seeds)"
    return f"**{text}**" if group is grid.best else text
