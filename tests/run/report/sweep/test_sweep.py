"""The runs below a folder side by side: what differs, mean and spread, the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import stdev

import pytest
import yaml
from matplotlib.figure import Figure
from rich.console import Console
from typer.testing import CliRunner

from duovox.cli import app
from duovox.run.report.canvas import LIGHT
from duovox.run.report.sweep import sweep_table, write_sweep_report
from duovox.run.report.sweep.plot import sweep_plots
from duovox.run.report.sweep.runs import read_sweep
from duovox.run.report.sweep.spread import groups_of

WERS = {1: 0.40, 2: 0.44, 3: 0.48}  # by sample


def write_run(
    folder: Path, *, seed: int, lr: float = 1e-4, wer: float | None, tag: str = "a"
) -> None:
    folder.mkdir(parents=True)
    config = {
        "data": {"speech": {"sample": {"minutes": 10, "seed": seed}}},
        "optim": {"algo": {"lr": lr}},
        "tag": tag,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    if wer is not None:
        result = {"wer": wer, "wer_interval": [wer - 0.01, wer + 0.02], "num_utterances": 5}
        (folder / "metrics.json").write_text(json.dumps({"test": {"clean": result}}))


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Three samples, in folders of another order, and one that has not been scored."""
    for seed, wer in WERS.items():
        write_run(tmp_path / f"c{9 - seed}", seed=seed, wer=wer)
    write_run(tmp_path / "d", seed=10, wer=None)
    return tmp_path


def text_of(folder: Path) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(sweep_table(read_sweep(folder)))
    return capture.get()


def test_runs_are_told_apart_by_the_settings_that_differ_and_in_their_order(sweep: Path) -> None:
    runs = read_sweep(sweep)
    assert [run.settings for run in runs] == [
        {"data.speech.sample.seed": seed} for seed in (1, 2, 3, 10)
    ]
    assert runs[1].name == "sample.seed=2"
    assert [run.folder.name for run in runs] == ["c8", "c7", "c6", "d"]
    assert [bool(run.results) for run in runs] == [True, True, True, False]


def test_mean_and_sample_deviation_are_those_of_the_scored_runs(sweep: Path) -> None:
    write_sweep_report(sweep, read_sweep(sweep))
    summary = json.loads((sweep / "summary.json").read_text())
    (group,) = summary["groups"]
    assert group["num_runs"] == 3
    assert group["settings"] == {}
    assert group["results"]["clean"]["wer"] == pytest.approx(
        {
            "mean": 0.44,
            "standard_deviation": stdev(WERS.values()),
            "lowest": 0.40,
            "highest": 0.48,
        }
    )
    assert "44.00 ± 4.00 (40.00 to 48.00)" in text_of(sweep)
    assert "sample.seed=10 (not scored yet)" in text_of(sweep)


def test_runs_that_differ_in_more_than_seeds_have_means_of_their_own(sweep: Path) -> None:
    for seed, wer in WERS.items():
        write_run(sweep / f"e{seed}", seed=seed, lr=1e-3, wer=wer / 2)
    groups = groups_of(read_sweep(sweep))
    assert [group.settings for group in groups] == [
        {"optim.algo.lr": 0.0001},
        {"optim.algo.lr": 0.001},
    ]
    assert "3 runs: algo.lr=0.001" in text_of(sweep)
    assert "22.00 ± 2.00 (20.00 to 24.00)" in text_of(sweep)


def test_runs_of_several_experiments_and_runs_put_aside(sweep: Path, tmp_path_factory) -> None:
    project = tmp_path_factory.mktemp("project")
    write_run(project / "one" / "a", seed=1, wer=0.2)
    write_run(project / "one" / "a.1", seed=1, wer=0.9)
    write_run(project / "two" / "b", seed=2, wer=0.3)
    assert [run.folder.name for run in read_sweep(project)] == ["a", "b"]


def test_a_single_run_has_no_deviation(tmp_path: Path) -> None:
    write_run(tmp_path / "a", seed=1, wer=0.25)
    (group,) = groups_of(read_sweep(tmp_path))
    assert group.content["results"]["clean"]["wer"]["standard_deviation"] is None
    assert "25.00" in text_of(tmp_path)
    assert "±" not in text_of(tmp_path).replace("mean ±", "")


def test_the_page_shows_the_plot_of_wer_against_sample(sweep: Path) -> None:
    page = write_sweep_report(sweep, read_sweep(sweep)).read_text()
    assert (sweep / "plots" / "wer_clean.png").is_file()
    assert page.count("<img") == 2  # light and dark
    assert "sample.seed=3" in page
    (plot,) = sweep_plots(read_sweep(sweep))
    axes = Figure().add_subplot()
    plot.draw(axes, LIGHT)
    points = [line.get_ydata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert points == pytest.approx([40, 44, 48])
    assert [text.get_text() for text in axes.get_xticklabels()] == [
        "sample.seed=1",
        "sample.seed=2",
        "sample.seed=3",
    ]


def test_the_command_leaves_labels_out(sweep: Path) -> None:
    write_run(sweep / "f", seed=4, wer=0.5, tag="b")
    result = CliRunner().invoke(app, ["report", str(sweep)])
    assert result.exit_code == 0, result.output
    assert "sample.seed=1" in result.output
    assert "tag" not in result.output
    assert (sweep / "report.html").is_file()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has no runs in it"),
        ({"a/config.yaml": "{"}, "config.yaml is damaged"),
        ({"a/config.yaml": "a: 1", "a/metrics.json": "{"}, "metrics.json must be a JSON object"),
    ],
)
def test_a_folder_without_runs_and_damaged_files_are_named(
    make_run: Callable[[dict[str, str]], Path], files: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read_sweep(make_run(files))
