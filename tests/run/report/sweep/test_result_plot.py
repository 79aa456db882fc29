"""A row for each line of the table, or for each seed where there is nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from duovox.run.report.sweep.group import grids_of, groups_of
from duovox.run.report.sweep.result_plot import MOST_ROWS, result_plots
from duovox.run.report.sweep.runs import read_sweep


def plots_of(folder: Path):
    runs = read_sweep(folder)
    return result_plots(runs, grids_of(groups_of(runs)))


def test_runs_that_differ_in_seeds_alone_have_rows(sweep: Path, drawn) -> None:
    (plot,) = plots_of(sweep)
    assert plot.name == "wer_words"
    axes = drawn(plot)
    assert [line.get_xdata()[0] for line in axes.lines] == pytest.approx([40, 44, 48])
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        f"digits: sample.seed={seed}" for seed in (1, 2, 3)
    ]


def test_the_best_rate_stands_in_the_row_of_its_grid_and_seeds_are_small(study, drawn) -> None:
    words, voices = plots_of(study)
    assert [text.get_text() for text in drawn(words).get_yticklabels()] == [
        "1  both: loss.scale_method=null",
        "2  both: loss.scale_method=min",
        "4  words-alone",
    ]
    lines = drawn(voices).lines
    assert [len(line.get_xdata()) for line in lines] == [2, 1, 2, 1, 1]
    assert lines[1].get_xdata()[0] == pytest.approx(11)


def test_a_long_name_takes_several_lines(tmp_path: Path, write_run, drawn) -> None:
    for name in "ab":
        write_run(tmp_path / "multi-task" / name, network_pooling=name * 20, wer=0.1, more=name)
    (plot,) = plots_of(tmp_path)
    label = drawn(plot).get_yticklabels()[0].get_text()
    assert label == f"1  multi-task:\nmore=a,\nnetwork_pooling={'a' * 20}"


def test_of_many_rows_those_that_are_best_in_validation_are_drawn(
    tmp_path, write_run, drawn
) -> None:
    for number in range(MOST_ROWS + 2):
        write_run(tmp_path / "e" / f"r{number}", width=number, wer=1 - number / 100)
    (plot,) = plots_of(tmp_path)
    labels = [text.get_text() for text in drawn(plot).get_yticklabels()]
    assert len(labels) == MOST_ROWS
    assert (labels[0], labels[-1]) == ("3  e: width=2", "42  e: width=41")
    assert "best in validation" in plot.note
