"""Validation against the learning rate, of grids alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from duovox.run.report.sweep.group import grids_of, groups_of
from duovox.run.report.sweep.rate_plot import rate_plots
from duovox.run.report.sweep.runs import read_sweep


def plots_of(folder: Path):
    return rate_plots(grids_of(groups_of(read_sweep(folder))))


def test_a_grid_of_words_has_one_plot_with_its_best_rate(study: Path, drawn) -> None:
    (plot,) = plots_of(study)
    assert plot.name == "rate_wer"
    axes = drawn(plot)
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0.0001", "0.001", "0.01"]
    line, best = axes.lines
    assert line.get_xdata() == pytest.approx([1e-4, 1e-3, 1e-2])
    assert line.get_ydata() == pytest.approx([30, 10, 20])
    assert (best.get_xdata()[0], best.get_ydata()[0]) == pytest.approx((1e-3, 10))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["4  words-alone"]


def test_runs_that_learn_both_have_a_plot_of_the_sum_as_well(tmp_path, write_run, drawn) -> None:
    for seed in (1, 2):
        for name, lr in (("a", 1e-4), ("b", 1e-3)):
            write_run(tmp_path / "e" / f"{name}{seed}", lr=lr, seed=seed, wer=seed / 10, eer=lr)
    plots = {plot.name: plot for plot in plots_of(tmp_path)}
    assert list(plots) == ["rate_wer", "rate_eer", "rate_sum"]
    assert drawn(plots["rate_sum"]).lines[0].get_ydata() == pytest.approx([15.01, 15.1])
    bars = [bar.get_segments()[0][:, 1] for bar in drawn(plots["rate_wer"]).collections]
    assert bars[0] == pytest.approx([10, 20])  # from the lowest seed to the highest


def test_without_several_rates_there_is_nothing_to_draw(sweep: Path) -> None:
    assert plots_of(sweep) == []
