"""Nobody beats the runs on the front in both words and speakers."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duovox.run.report.sweep.group import Grid, Group, Spread, grids_of, groups_of
from duovox.run.report.sweep.pareto import Point, front, over_sets, pareto_plot, points_of
from duovox.run.report.sweep.runs import read_sweep

RATES = st.integers(0, 5).map(lambda n: n / 10)


def point(number: int, wer: float, eer: float) -> Point:
    group = Group(experiment="", settings={}, telling={}, runs=[])
    spreads = (Spread(values=(value,), interval=None) for value in (wer, eer))
    return Point(grid=Grid(number=number, groups=[group]), wer=next(spreads), eer=next(spreads))


@given(st.lists(st.tuples(RATES, RATES), min_size=1))
def test_the_front_beats_the_rest_and_not_itself(rates) -> None:
    best = {(one.wer.mean, one.eer.mean) for one in front([point(0, *each) for each in rates])}
    for wer, eer in rates:
        beaten = any(a <= wer and b <= eer and (a, b) != (wer, eer) for a, b in rates)
        assert ((wer, eer) in best) == (not beaten)


def test_only_those_that_learnt_both_are_points(study: Path) -> None:
    grids = grids_of(groups_of(read_sweep(study)))
    assert [one.grid.number for one in points_of(grids)] == [1, 2]


def test_several_test_sets_are_averaged_without_an_interval(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "e" / "a", wer=0.2)
    metrics = tmp_path / "e" / "a" / "metrics.json"
    both = '"words": {"wer": 0.2, "wer_interval": [0.1, 0.3]}, "more": {"wer": 0.4}'
    metrics.write_text(f'{{"validation": {{}}, "test": {{{both}}}}}')
    (grid,) = grids_of(groups_of(read_sweep(tmp_path)))
    spread = over_sets(grid, "wer")
    assert spread is not None
    assert spread.values == pytest.approx((0.3,))
    assert spread.interval is None


def test_as_norm_is_no_test_set_of_its_own(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "e" / "a", eer=0.12)
    metrics = tmp_path / "e" / "a" / "metrics.json"
    found = {"eer": 0.12, "eer_interval": [0.1, 0.14]}
    test = {"voices": found, "voices.as_norm": {"eer": 0.10}}
    metrics.write_text(json.dumps({"validation": {"voices": found}, "test": test}))
    (grid,) = grids_of(groups_of(read_sweep(tmp_path)))
    assert over_sets(grid, "eer") == Spread(values=(0.12,), interval=(0.1, 0.14))


def test_a_test_set_that_one_seed_lacks_is_no_part_of_the_mean(tmp_path: Path, write_run) -> None:
    for seed, test in {1: {"a": {"wer": 0.2}}, 2: {"a": {"wer": 0.3}, "b": {"wer": 0.9}}}.items():
        write_run(tmp_path / "e" / str(seed), wer=0.2, seed=seed)
        metrics = tmp_path / "e" / str(seed) / "metrics.json"
        metrics.write_text(json.dumps({"validation": {}, "test": test}))
    (grid,) = grids_of(groups_of(read_sweep(tmp_path)))
    spread = over_sets(grid, "wer")
    assert spread is not None
    assert spread.values == (0.2, 0.3)


def test_a_seed_without_the_measure_leaves_the_point_to_the_others(tmp_path, write_run) -> None:
    write_run(tmp_path / "e" / "a", wer=0.2, eer=0.1, seed=1)
    write_run(tmp_path / "e" / "b", wer=0.2, eer=math.nan, seed=2)
    (grid,) = grids_of(groups_of(read_sweep(tmp_path)))
    (point,) = points_of([grid])
    assert point.wer.values == (0.2, 0.2)
    assert point.eer.values == (0.1,)


def test_equal_points_are_both_on_the_front() -> None:
    assert len(front([point(1, 0.1, 0.2), point(2, 0.1, 0.2), point(3, 0.1, 0.3)])) == 2


def test_what_rounding_leaves_in_a_mean_puts_nothing_on_the_front() -> None:
    (best,) = front([point(1, 0.15, 0.3), point(2, (0.1 + 0.2) / 2, 0.2)])
    assert (0.1 + 0.2) / 2 > 0.15
    assert best.grid.number == 2


def test_points_lines_and_numbers_are_drawn(study: Path, drawn) -> None:
    plot = pareto_plot(grids_of(groups_of(read_sweep(study))))
    axes = drawn(plot)
    assert [text.get_text() for text in axes.texts] == ["1", "2"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "Pareto front",
        "4  words-alone",
        "3  voices-alone",
    ]
    line = axes.lines[0]
    assert line.get_xdata() == pytest.approx([12, 21])
    assert line.get_ydata() == pytest.approx([16, 11])


def test_a_single_point_is_no_plot(sweep: Path) -> None:
    assert pareto_plot(grids_of(groups_of(read_sweep(sweep)))) is None
