from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from duovox.run.report.canvas import LIGHT, Plot
from duovox.run.report.curve import Curve
from duovox.run.report.training_plots import training_plots


def curve(*values: float, num_non_finite: int = 0) -> Curve:
    steps = np.arange(1, len(values) + 1) * 100.0
    return Curve(steps=steps, values=np.array(values), num_non_finite=num_non_finite)


def plot_of(name: str, **curves: Curve) -> Plot | None:
    return {plot.name: plot for plot in training_plots(curves)}.get(name)


def drawn(name: str, **curves: Curve) -> Axes:
    plot = plot_of(name, **curves)
    assert plot is not None
    axes = Figure().add_subplot()
    plot.draw(axes, LIGHT)
    return axes


def legend(axes: Axes) -> list[str]:
    found = axes.get_legend()
    return [text.get_text() for text in found.get_texts()] if found else []


def test_the_losses_of_both_tasks_and_their_total_share_a_plot() -> None:
    axes = drawn(
        "losses",
        train_loss=curve(3, 2),
        train_speaker_loss=curve(2, 1),
        train_speech_loss=curve(4, 3),
    )
    assert legend(axes) == ["speech", "speaker", "total, weighted"]
    assert len(axes.lines) == 6  # raw and smoothed


def test_the_total_of_a_single_task_is_not_drawn_twice() -> None:
    axes = drawn("losses", train_loss=curve(3, 2), train_speaker_loss=curve(3, 2))
    assert len(axes.lines) == 2
    assert axes.lines[1].get_color() == LIGHT.speaker


def test_validation_rates_are_percentages_with_their_best() -> None:
    axes = drawn(
        "validation_wer", val_wer=curve(0.5, 0.1, 0.2), val_wer_digits=curve(0.5, 0.1, 0.2)
    )
    assert legend(axes) == ["digits: best 10.00 % at step 200"]
    line, best = axes.lines
    assert np.asarray(line.get_ydata()).tolist() == [50, 10, 20]
    assert np.asarray(best.get_xdata()).tolist() == [200]


def test_several_sets_are_told_apart_by_colour_and_dash() -> None:
    axes = drawn("validation_eer", val_eer=curve(0.3), val_eer_o=curve(0.2), val_eer_h=curve(0.4))
    assert [text.split(":")[0] for text in legend(axes)] == ["h", "o", "mean"]
    lines = axes.lines[::2]  # each is followed by the dot of its best
    assert len({line.get_color() for line in lines}) == 3
    assert [line.is_dashed() for line in lines] == [False, True, True]


def test_the_sum_that_runs_are_chosen_by_is_no_error_rate() -> None:
    assert plot_of("validation_wer", val_wer_eer=curve(0.5)) is None


@pytest.mark.parametrize(("values", "scale"), [((100, 1), "log"), ((10, 1), "linear")])
def test_wide_ranges_are_logarithmic(values: tuple[float, ...], scale: str) -> None:
    assert drawn("gradient_norm", gradient_norm=curve(*values)).get_yscale() == scale


def test_a_range_with_zero_is_linear_from_zero() -> None:
    axes = drawn("losses", train_loss=curve(100, 0))
    assert axes.get_yscale() == "linear"
    assert axes.get_ylim()[0] == 0


def test_weights_are_drawn_unless_they_are_the_same() -> None:
    same, other = curve(1, 1), curve(1, 0.5)
    names = ("train_speech_loss_weight", "train_speaker_loss_weight")
    assert plot_of("loss_weights", **dict.fromkeys(names, same)) is None
    axes = drawn("loss_weights", **dict(zip(names, (same, other), strict=True)))
    assert legend(axes) == ["speech", "speaker"]


def test_the_tasks_gradients_have_their_own_plots() -> None:
    lengths = {"train_speech_gradient_norm": curve(3, 2), "train_speaker_gradient_norm": curve(1)}
    assert legend(drawn("task_gradient_norms", **lengths)) == ["speech", "speaker"]
    assert plot_of("gradient_norm", **lengths) is None  # that of all parameters together
    axes = drawn("task_gradient_cosine", task_gradient_cosine=curve(-0.5, 0.2))
    assert axes.get_ylim()[0] < -0.3


def test_values_left_out_are_mentioned() -> None:
    plot = plot_of("losses", train_loss=curve(1.0, num_non_finite=3))
    assert plot is not None
    assert plot.note.endswith("3 values that were not finite are left out.")


def test_long_curves_are_drawn_with_few_points() -> None:
    axes = drawn("losses", train_loss=curve(*np.random.default_rng(0).random(50_000)))
    assert max(len(np.asarray(line.get_xdata())) for line in axes.lines) <= 2_000


def test_a_single_point_is_seen() -> None:
    markers = [line.get_marker() for line in drawn("losses", train_loss=curve(1.0)).lines]
    assert "o" in markers


def test_steps_are_whole_numbers() -> None:
    axes = drawn("losses", train_loss=curve(3, 2))
    axes.set_xlim(1, 3)
    assert all(tick == round(tick) for tick in axes.get_xticks())


def test_columns_of_no_panel_are_left_out() -> None:
    assert training_plots({"train_acc": curve(1), "epoch": curve(0), "val_wer": curve()}) == []


PRETRAINING = {
    "train_loss": curve(4.7, 3.0),
    "train_ssl_loss": curve(4.7, 3.0),
    "train_contrastive": curve(4.6, 2.9),
    "train_accuracy": curve(0.01, 0.3),
    "val_accuracy_clean": curve(0.2, 0.1),
    "gradient_norm": curve(1.0, 0.7),
    "train_code_perplexity_1": curve(100, 200),
    "gumbel_temperature": curve(2, 1),
}


def test_pretraining_has_panels_of_its_own() -> None:
    names = [plot.name for plot in training_plots(PRETRAINING)]
    assert names == ["losses", "accuracy", "perplexity", "gradient_norm", "temperature"]
    assert legend(drawn("losses", **PRETRAINING)) == ["contrastive", "total, weighted"]


def test_the_best_accuracy_is_the_highest() -> None:
    labels = legend(drawn("accuracy", **PRETRAINING))
    assert "clean: best 20.00 % at step 100" in labels
    assert "training: best 30.00 % at step 200" in labels


def test_the_healthy_range_of_the_gradient_norm_is_drawn_in_pretraining_alone() -> None:
    assert "healthy: 0.5 to 2" in legend(drawn("gradient_norm", **PRETRAINING))
    assert not drawn("gradient_norm", gradient_norm=curve(1.0, 0.7)).patches
