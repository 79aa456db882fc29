"""Write the report of a run into its folder."""

from __future__ import annotations

from pathlib import Path

from duovox.run.report.canvas import LIGHT, render
from duovox.run.report.page import page, plots_of
from duovox.run.report.run_folder import read_run

REPORT_FILE = "report.html"


def report_of(run_folder: Path) -> Path:
    """Return the path of a run's page, which is written if it is not there yet."""
    page = run_folder / REPORT_FILE
    return page if page.is_file() else write_report(run_folder)


def write_report(run_folder: Path) -> Path:
    """Write `plots/*.png` and `report.html` from the files of a run folder; return the page's path.

    Raises:
        ValueError: it is no run folder, or a file in it is damaged.
    """
    results = read_run(run_folder)
    plots = plots_of(results)
    drawn = [plot for section in plots.values() for plot in section]
    images = {plot.name: render(plot, LIGHT) for plot in drawn}
    if images:
        (run_folder / "plots").mkdir(exist_ok=True)
    for name, image in images.items():
        (run_folder / "plots" / f"{name}.png").write_bytes(image)
    path = run_folder / REPORT_FILE
    path.write_text(page(results, plots, images), encoding="utf-8")
    return path
