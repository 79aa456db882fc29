"""The range test of the learning rate, at the door and on hand-made curves."""

from __future__ import annotations

import csv
from itertools import pairwise
from math import inf, nan

import numpy as np
import pytest

from duovox.run.folder import run_name
from duovox.run.lr_range import Smoothing, rates_of, suggested_rate

SWEEP = ("run_lr_range_test=true", "lr_range_iterations=12")


@pytest.mark.parametrize("door", ["mt_speech_speaker", "speaker"])
def test_a_sweep_writes_a_loss_for_each_rate_and_nothing_that_a_run_goes_on_from(
    run_door, door: str, capsys
) -> None:
    assert run_door(door, *SWEEP, "trainer.accumulate_grad_batches=2") is None
    _check_swept(run_door.run_folder)
    said = capsys.readouterr().out
    assert "\ntrained " in said
    assert "suggested: optim.algo.lr=" in said
    swept = run_door.run_folder
    assert run_door(door, "eval_model=false") is None
    assert len([*run_door.log_folder.glob("*/*/*/training.json")]) == 1
    assert not (swept / "training.json").exists()


def test_pretraining_sweeps_as_well(run_ssl_door) -> None:
    assert run_ssl_door("ssl", *SWEEP) is None
    _check_swept(run_ssl_door.run_folder)


def test_the_steepest_fall_by_the_logarithm_of_the_rate_is_suggested() -> None:
    rates = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
    assert suggested_rate(rates, [5.0, 4.9, 3.0, 2.5, 9.0]) == 1e-3
    assert suggested_rate(rates, [5.0, 4.0, 3.9, 3.8, nan]) == 1e-4
    assert suggested_rate(rates, [1.0, 2.0, 3.0, 4.0, inf]) is None
    assert suggested_rate(rates[:1], [1.0]) is None


def test_noise_hardly_moves_the_suggestion() -> None:
    rates, average = rates_of(1000), Smoothing(1000)
    noise = np.random.default_rng(0).normal(scale=0.3, size=1000)
    falls = 3 - 2 / (1 + np.exp(-3 * (np.log10(rates) + 4)))  # steepest at 1e-4
    smoothed = [average.add(loss) for loss in falls + noise]
    suggested = suggested_rate(rates[50:], smoothed[50:], span=50)
    assert suggested is not None
    assert 3e-5 < suggested < 1e-3


def test_a_sweep_runs_from_the_lowest_to_the_highest_rate() -> None:
    assert rates_of(9) == pytest.approx([10.0**n for n in range(-8, 1)])


def test_a_smoothed_constant_is_that_constant() -> None:
    average = Smoothing(100)
    assert [average.add(2.0) for _ in range(5)] == pytest.approx([2.0] * 5)


@pytest.mark.parametrize(("last", "is_lost"), [(2.9, False), (3.1, True), (nan, True), (inf, True)])
def test_a_sweep_is_lost_at_three_times_its_smallest_loss(last: float, is_lost: bool) -> None:
    average = Smoothing(12)  # too short to be smoothed
    for loss in (2.0, 1.0, last):
        average.add(loss)
    assert average.is_lost == is_lost


def test_the_name_of_a_run_knows_the_length_of_a_sweep_only() -> None:
    config = {"seed": 1, "run_lr_range_test": False, "lr_range_iterations": 1000}
    assert run_name(config) == run_name({"seed": 1})
    swept = config | {"run_lr_range_test": True}
    assert len({run_name(one) for one in (config, swept, swept | {"lr_range_iterations": 9})}) == 3


def _check_swept(folder) -> None:
    with (folder / "lr_range.csv").open(newline="") as file:
        rows = [*csv.DictReader(file)]
    assert [*rows[0]] == ["step", "learning_rate", "loss"]
    assert [int(row["step"]) for row in rows] == [*range(1, len(rows) + 1)]
    rates = [float(row["learning_rate"]) for row in rows]
    assert rates[0] == pytest.approx(1e-8)
    assert len(rates) >= 9
    ratios = [after / before for before, after in pairwise(rates)]
    assert ratios == pytest.approx([10 ** (8 / 11)] * len(ratios))
    assert (folder / "lr_range.png").read_bytes().startswith(b"\x89PNG")
    assert not [*folder.rglob("*.ckpt")]
    assert not (folder / "metrics.json").exists()
