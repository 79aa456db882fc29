"""Write the report of a sweep into its folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from duovox.data.atomic import write_whole
from duovox.run.report.canvas import LIGHT, render
from duovox.run.report.document import document, gallery, section
from duovox.run.report.markup import element, table
from duovox.run.report.sweep.plot import sweep_plots
from duovox.run.report.sweep.runs import SweepRun
from duovox.run.report.sweep.spread import groups_of
from duovox.run.report.sweep.table import MEAN, header, mean_rows, run_rows


def write_sweep_report(folder: Path, runs: Sequence[SweepRun]) -> Path:
    """Write `summary.json`, `plots/*.png` and `report.html` of the runs below a folder.

    Returns:
        The path of the page.
    """
    plots = sweep_plots(runs)
    images = {plot.name: render(plot, LIGHT) for plot in plots}
    if images:
        (folder / "plots").mkdir(exist_ok=True)
    for name, image in images.items():
        (folder / "plots" / f"{name}.png").write_bytes(image)
    write_whole(folder / "summary.json", _summary(runs))
    title = folder.resolve().name
    page = document(
        f"{title}: report",
        element("header", element("p", "sweep", class_="muted"), element("h1", title)),
        *section("Runs", table(header(runs), run_rows(runs))),
        *section("Means", element("p", MEAN), table(header(runs), mean_rows(runs))),
        *section("Run by run", gallery(plots, images)),
    )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def _summary(runs: Sequence[SweepRun]) -> str:
    content = {
        "runs": [
            {"folder": str(run.folder), "settings": run.settings, "test": run.results}
            for run in runs
        ],
        "groups": [group.content for group in groups_of(runs)],
    }
    return json.dumps(content, indent=2) + "\n"
