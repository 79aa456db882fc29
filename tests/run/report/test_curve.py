from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from duovox.run.report.curve import Curve, read_curves, smoothed, thinned


def curve(values: list[float] | np.ndarray) -> Curve:
    values = np.asarray(values, dtype=float)
    return Curve(steps=np.arange(len(values)) * 10.0, values=values)


@pytest.fixture
def read(tmp_path: Path):
    def read_text(text: str) -> dict[str, Curve]:
        path = tmp_path / "metrics.csv"
        path.write_text(text)
        return read_curves(path)

    return read_text


def test_sparse_cells_make_curves_of_their_own_length(read) -> None:
    curves = read("step,train_loss,val_wer,never\n10,3.0,,\n20,2.0,,\n20,,0.5,\n")
    assert curves["train_loss"].steps.tolist() == [10, 20]
    assert curves["train_loss"].values.tolist() == [3, 2]
    assert curves["val_wer"].steps.tolist() == [20]
    assert "never" not in curves


def test_steps_that_a_resumed_run_repeats_keep_the_later_value(read) -> None:
    curves = read("step,loss\n10,1\n20,2\n30,3\n20,5\n40,6\n")
    assert curves["loss"].steps.tolist() == [10, 20, 30, 40]
    assert curves["loss"].values.tolist() == [1, 5, 3, 6]


def test_values_that_are_not_finite_are_left_out_and_counted(read) -> None:
    loss = read("step,loss\n1,0.5\n2,nan\n3,inf\n4,0.25\n")["loss"]
    assert loss.values.tolist() == [0.5, 0.25]
    assert loss.num_non_finite == 2


def test_a_last_line_without_its_end_is_left_out(read) -> None:
    assert read("step,loss\n10,1.25\n20,1.0")["loss"].values.tolist() == [1.25]


def test_an_empty_file_has_no_curves(read) -> None:
    assert read("") == {}


def test_a_file_without_steps_is_refused(read) -> None:
    with pytest.raises(ValueError, match="must have a column `step`, found"):
        read("epoch,loss\n1,2\n")


def test_smoothing_is_a_triangular_moving_average() -> None:
    noisy = curve(np.random.default_rng(0).normal(size=1000))
    box = np.ones(11) / 11  # 2 * int(1000 / 50 / 4) + 1 points
    expected = np.convolve(np.convolve(noisy.values, box), box)[10:-10]
    np.testing.assert_allclose(smoothed(noisy).values[20:-20], expected[20:-20], atol=1e-12)


@pytest.mark.parametrize("num_points", [1, 2, 49, 500])
def test_smoothing_leaves_a_constant_alone(num_points: int) -> None:
    np.testing.assert_allclose(smoothed(curve(np.full(num_points, 3.0))).values, 3.0)


def test_thinning_keeps_spikes_and_few_points() -> None:
    values = np.random.default_rng(0).normal(size=320_000)
    values[123_456], values[200_000] = 1e3, -1e3
    thin = thinned(curve(values))
    assert len(thin) <= 2_000
    assert thin.values.max() == 1e3
    assert thin.values.min() == -1e3
    assert (np.diff(thin.steps) > 0).all()
    assert set(thin.values) <= set(values)


def test_short_curves_are_not_thinned() -> None:
    short = curve([3, 1, 2])
    assert thinned(short) is short
