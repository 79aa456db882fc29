"""Learning curves: what changed from step to step."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from duovox.run.report.canvas import Ink, Plot
from duovox.run.report.curve import Curve, smoothed, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DASHES = ("-", (0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))  # of lines that share a colour
LOG_RATIO = 30  # a range wider than this is drawn on a logarithmic axis


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One plot of learning curves and the columns of metrics.csv it shows."""

    name: str
    title: str
    note: str
    columns: str  # regular expression; its first group, if any, is the label of the line
    y_label: str
    is_percent: bool = False  # error rates: logged as fractions, drawn in percent, with their best
    is_noisy: bool = False  # a moving average over the faint raw line
    may_be_log: bool = True
    min_curves: int = 1  # fewer tell nothing

    def find(self, curves: dict[str, Curve]) -> dict[str, Curve]:
        """Return the curves that belong here, by column, each once.

        The total of a single task equals its loss, and the mean over one set that set's value.
        """
        found: dict[str, Curve] = {}
        for name in sorted(curves, key=_rank):
            is_ours = len(curves[name]) > 0 and re.fullmatch(self.columns, name)
            if is_ours and not any(_are_equal(curves[name], other) for other in found.values()):
                found[name] = curves[name]
        return found

    def label(self, column: str, curve: Curve) -> str:
        """Return the name of a line in the legend."""
        match = re.fullmatch(self.columns, column)
        name = match and match.group(1)
        if not self.is_percent:
            return name or "total, weighted"
        best = int(curve.values.argmin())
        rate = f"{100 * curve.values[best]:.2f} %"
        return f"{name or 'mean'}: best {rate} at step {curve.steps[best]:,.0f}"


PANELS = (
    Panel(
        name="losses",
        title="Training losses",
        note="Faint: as logged. Bold: moving average over 2 % of the points.",
        columns=r"train_(?:(.+)_)?loss",
        y_label="Loss (nats per utterance)",
        is_noisy=True,
    ),
    Panel(
        name="validation_wer",
        title="Validation WER",
        note="Word error rate of each validation set; the dot marks its best.",
        columns=r"val_wer(?:_(?!eer$)(.+))?",  # not val_wer_eer, the sum that runs are chosen by
        y_label="WER (%)",
        is_percent=True,
    ),
    Panel(
        name="validation_eer",
        title="Validation EER",
        note="Equal error rate of each validation trial list; the dot marks its best.",
        columns=r"val_eer(?:_(.+))?",
        y_label="EER (%)",
        is_percent=True,
    ),
    Panel(
        name="learning_rate",
        title="Learning rate",
        note="As set by the schedule, after each optimiser step.",
        columns=r"learning_rate(?:_(.+))?",
        y_label="Learning rate",
        may_be_log=False,
    ),
    Panel(
        name="gradient_norm",
        title="Gradient norm",
        note="Euclidean norm over all parameters. Faint: as logged. Bold: moving average.",
        columns=r"gradient_norm(?:_(.+))?",
        y_label="Gradient norm",
        is_noisy=True,
    ),
    Panel(
        name="loss_weights",
        title="Loss weights",
        note="What each task's loss is multiplied with before the sum. Bold: moving average.",
        columns=r"train_(.+)_loss_weight",
        y_label="Weight",
        is_noisy=True,
        may_be_log=False,
        min_curves=2,
    ),
)


def training_plots(curves: dict[str, Curve]) -> list[Plot]:
    """Return a plot for each panel that the run logged something for."""
    plots = []
    for panel in PANELS:
        found = panel.find(curves)
        if len(found) >= panel.min_curves:
            bad = sum(curve.num_non_finite for curve in found.values())
            warning = f" {bad:,} values that were not finite are left out." if bad else ""
            draw = partial(_draw, panel=panel, curves=found)
            plots.append(
                Plot(name=panel.name, title=panel.title, note=panel.note + warning, draw=draw)
            )
    return plots


def _rank(column: str) -> tuple[bool, bool, str]:
    """Order lines: speech before speaker, parts before their total or mean."""
    is_whole = column in ("train_loss", "val_wer", "val_eer")
    return is_whole, "speaker" in column, column


def _are_equal(curve: Curve, other: Curve) -> bool:
    return np.array_equal(curve.steps, other.steps) and np.array_equal(curve.values, other.values)


def _draw(axes: Axes, ink: Ink, *, panel: Panel, curves: dict[str, Curve]) -> None:
    num_lines: Counter[str] = Counter()  # by task, told apart by colour and dash
    for column, curve in curves.items():
        number, colours = num_lines[ink.of(column)], (ink.of(column), *ink.others)
        colour, dash = colours[number % len(colours)], DASHES[number % len(DASHES)]
        num_lines[ink.of(column)] += 1
        scaled = replace(curve, values=100 * curve.values) if panel.is_percent else curve
        if panel.is_noisy:
            raw = thinned(scaled)
            axes.plot(raw.steps, raw.values, color=colour, alpha=0.25, linewidth=0.8)
        line = thinned(smoothed(scaled) if panel.is_noisy else scaled)
        label = panel.label(column, curve)
        axes.plot(line.steps, line.values, color=colour, linewidth=1.8, linestyle=dash, label=label)
        if panel.is_percent or len(line) == 1:  # a single point is no line to see
            best = scaled.values.argmin()
            axes.plot(scaled.steps[best], scaled.values[best], "o", color=colour, markersize=5)
    _scale_axes(axes, panel, list(curves.values()))
    if len(curves) > 1 or panel.is_percent:
        axes.legend(frameon=False, fontsize=8.5)


def _scale_axes(axes: Axes, panel: Panel, curves: list[Curve]) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("Optimiser step")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    axes.set_ylabel(panel.y_label)
    axes.margins(x=0.01)
    last_step = max(curve.steps[-1] for curve in curves)
    in_thousands = last_step >= 10_000
    axes.xaxis.set_major_formatter(
        lambda step, _: f"{step / 1000:g}k" if in_thousands and step else f"{step:,.0f}"
    )
    low = min(curve.values.min() for curve in curves)
    high = max(curve.values.max() for curve in curves)
    if panel.may_be_log and low > 0 and high / low > LOG_RATIO:
        axes.set_yscale("log")
    elif low >= 0:
        axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
