"""Write the report of a sweep into its folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from duovox.data.atomic import write_whole
from duovox.run.report.canvas import LIGHT, Plot, render
from duovox.run.report.document import document, gallery, section
from duovox.run.report.markup import Markup, element, table
from duovox.run.report.sweep import markdown
from duovox.run.report.sweep.group import Grid, grids_of, groups_of
from duovox.run.report.sweep.pareto import pareto_plot
from duovox.run.report.sweep.rate_plot import rate_plots
from duovox.run.report.sweep.result_plot import result_plots
from duovox.run.report.sweep.runs import SweepRun
from duovox.run.report.sweep.spreadsheet import groups_csv, runs_csv
from duovox.run.report.sweep.table import (
    FRONT_NOTE,
    NOTE,
    USUAL_NOTE,
    TextTable,
    all_runs,
    count_text,
    rates,
    results,
    unfinished,
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A section: a table, how to read it, and plots."""

    table: TextTable
    note: str = ""
    plots: Sequence[Plot] = ()


def write_sweep_report(folder: Path, runs: Sequence[SweepRun]) -> Path:
    """Write report.html, summary.md, plots/*.png, and the numbers as files for programs.

    These are summary.json, runs.csv and groups.csv.

    Returns:
        The path of the page.
    """
    grids = grids_of(groups_of(runs))
    parts = _parts(runs, grids)
    images = {plot.name: render(plot, LIGHT) for part in parts for plot in part.plots}
    if images:
        (folder / "plots").mkdir(exist_ok=True)
    for name, image in images.items():
        (folder / "plots" / f"{name}.png").write_bytes(image)
    title = folder.resolve().name
    write_whole(folder / "summary.json", _summary(runs, grids))
    write_whole(folder / "runs.csv", runs_csv(runs, grids))
    write_whole(folder / "groups.csv", groups_csv(runs, grids))
    write_whole(folder / "summary.md", _markdown(title, count_text(runs), parts))
    path = folder / "report.html"
    every_run = Part(table=all_runs(runs))
    write_whole(path, _page(title, count_text(runs), [*parts, every_run], images))
    return path


def _parts(runs: Sequence[SweepRun], grids: Sequence[Grid]) -> list[Part]:
    pareto, table = pareto_plot(grids), results(runs, grids)
    notes = [NOTE, FRONT_NOTE if pareto else "", USUAL_NOTE]
    plots = [*([pareto] if pareto else []), *result_plots(runs, grids)]
    rate_note = "Validation at each rate, the best in bold."
    parts = [
        Part(table=table, note=" ".join(filter(None, notes)), plots=plots),
        Part(table=rates(grids), note=rate_note, plots=rate_plots(grids)),
        Part(table=unfinished(runs)),
    ]
    return [part for part in parts if part.table.rows]


def _markdown(title: str, counts: str, parts: Sequence[Part]) -> str:
    blocks = [markdown.heading(title, level=1), counts + ". Every run: [runs.csv](runs.csv)."]
    for part in parts:
        blocks += [markdown.heading(part.table.title), part.note]
        blocks += [markdown.markdown_table(part.table), markdown.pictures(part.plots)]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _page(title: str, counts: str, parts: Sequence[Part], images: dict[str, bytes]) -> str:
    return document(
        f"{title}: report",
        element(
            "header",
            element("p", "sweep", class_="muted"),
            element("h1", title),
            element("p", counts, class_="muted"),
        ),
        *(one for part in parts for one in _section(part, images)),
    )


def _section(part: Part, images: dict[str, bytes]) -> list[Markup]:
    note = element("p", part.note, class_="muted") if part.note else Markup()
    rows = table(part.table.header, [[_cell(text) for text in row] for row in part.table.rows])
    return section(part.table.title, note, rows, gallery(part.plots, images))


def _cell(text: str) -> str:
    is_bold = text.startswith("**") and text.endswith("**")
    return element("b", text.strip("*")) if is_bold else text


def _summary(runs: Sequence[SweepRun], grids: Sequence[Grid]) -> str:
    content = {
        "runs": [
            {
                "folder": str(run.folder),
                "experiment": run.experiment,
                "settings": run.settings,
                "status": run.state.status,
                "ended": run.state.ended,
                "reason": run.state.reason,
                "objective": run.objective,
                "test": run.results,
            }
            for run in runs
        ],
        "groups": [group.content for grid in grids for group in grid.groups],
    }
    return json.dumps(content, indent=2) + "\n"
