"""Seeds make a group, learning rates a grid, and validation chooses."""

from __future__ import annotations

from pathlib import Path
from statistics import stdev

import pytest

from duovox.run.report.measures import MEASURES
from duovox.run.report.sweep.group import Grid, Spread, columns, grids_of, groups_of, headlines
from duovox.run.report.sweep.runs import read_sweep
from duovox.run.report.sweep.spreadsheet import groups_csv
from duovox.run.report.sweep.table import rates, results

WER = MEASURES[0]


def grids_in(folder: Path) -> list[Grid]:
    return grids_of(groups_of(read_sweep(folder)))


def test_mean_and_sample_deviation_are_those_of_the_scored_runs(sweep: Path) -> None:
    (group,) = groups_of(read_sweep(sweep))
    assert group.settings == {}
    assert group.content["num_runs"] == 3
    found = group.content["results"]["words"]["wer"]
    assert found.pop("interval") == pytest.approx((0.43, 0.46))  # means of the runs' ends
    assert found == pytest.approx(
        {
            "mean": 0.44,
            "standard_deviation": stdev([0.40, 0.44, 0.48]),
            "lowest": 0.40,
            "highest": 0.48,
        }
    )


def test_a_single_run_has_no_deviation() -> None:
    spread = Spread(values=(0.25,), interval=(0.2, 0.3))
    assert spread.deviation is None
    assert spread.text(WER) == "25.00 (20.00–30.00)"
    assert Spread(values=(0.25, 0.35), interval=None).text(WER) == "30.00 ± 7.07"


def test_runs_that_differ_in_more_than_seeds_have_means_of_their_own(study: Path) -> None:
    groups = {
        group.telling.get("optim.loss.scale_method"): group
        for group in groups_of([run for run in read_sweep(study) if run.experiment == "both"])
    }
    assert {name: len(group.runs) for name, group in groups.items()} == {None: 2, "min": 2}
    assert groups[None].objective == pytest.approx((0.30 + 0.34) / 2)


def test_the_rate_that_is_best_in_validation_stands_for_its_grid(study: Path) -> None:
    grids = grids_in(study)
    assert [(grid.number, grid.name, len(grid.groups)) for grid in grids] == [
        (1, "both: loss.scale_method=null", 1),
        (2, "both: loss.scale_method=min", 1),
        (3, "voices-alone", 1),
        (4, "words-alone", 3),
    ]
    assert (grids[3].best.lr, grids[3].edge) == (1e-3, "")


def test_test_numbers_choose_nothing(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "e" / "a", lr=1e-4, wer=0.5, validation=0.1)
    write_run(tmp_path / "e" / "b", lr=1e-3, wer=0.1, validation=0.5)
    (grid,) = grids_in(tmp_path)
    assert (grid.best.lr, grid.edge) == (1e-4, "lowest tried")


def test_the_best_rate_is_that_of_the_mean_over_seeds(tmp_path: Path, write_run) -> None:
    for seed, first, second in ((1, 0.1, 0.2), (2, 0.5, 0.3)):
        write_run(tmp_path / "e" / f"a{seed}", lr=1e-4, seed=seed, wer=first)
        write_run(tmp_path / "e" / f"b{seed}", lr=1e-3, seed=seed, wer=second)
    (grid,) = grids_in(tmp_path)
    assert (grid.best.lr, grid.best.objective, grid.edge) == (1e-3, 0.25, "highest tried")


def test_a_rate_does_not_win_by_the_one_seed_that_survived(tmp_path: Path, write_run) -> None:
    for seed in (1, 2, 3):
        write_run(tmp_path / "e" / f"low{seed}", wer=0.4, lr=1e-4, seed=seed)
    write_run(tmp_path / "e" / "high1", wer=0.35, lr=1e-2, seed=1)
    for seed in (2, 3):
        write_run(tmp_path / "e" / f"high{seed}", lr=1e-2, seed=seed)
    (grid,) = grids_of(groups_of(read_sweep(tmp_path)))
    assert grid.best.lr == 1e-4
    assert rates([grid]).rows == [["1", "e", "**40.00**", "35.00 (1 of 3 seeds)"]]


def test_without_a_validation_no_rate_is_the_best(tmp_path: Path, write_run) -> None:
    for name, lr in {"low": 1e-4, "high": 1e-2}.items():
        write_run(tmp_path / "e" / name, wer=0.4, lr=lr)
        metrics = tmp_path / "e" / name / "metrics.json"
        metrics.write_text('{"validation": {}, "test": {"words": {"wer": 0.4}}}')
    runs = read_sweep(tmp_path)
    grids = grids_of(groups_of(runs))
    assert rates(grids).rows == [["1", "e", "", ""]]
    assert results(runs, grids).rows[0][2] == "0.0001 (none has a validation)"
    assert "True" not in groups_csv(runs, grids)


def test_words_stand_before_speakers(study: Path) -> None:
    runs = sorted(read_sweep(study), key=lambda run: run.experiment != "voices-alone")
    assert [name for name, _ in columns(runs)] == ["voices", "words"]
    assert [(name, measure.key) for name, measure in headlines(runs)] == [
        ("words", "wer"),
        ("voices", "eer"),
    ]
