"""One plot of learning curves: which columns of metrics.csv it shows, and how."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from duovox.run.report.canvas import Ink
from duovox.run.report.curve import Curve, smoothed, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Dash: TypeAlias = str | tuple[int, tuple[float, ...]]
DASHES: tuple[Dash, ...] = (
    "-",
    (0, (4, 2)),
    (0, (1, 1.5)),
    (0, (6, 2, 1, 2)),
)  # of lines that share a colour
LOG_RATIO = 30  # a range wider than this is drawn on a logarithmic axis


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One plot of learning curves and the columns of metrics.csv it shows."""

    name: str
    title: str
    note: str
    columns: str  # regular expression; its first group, if any, is the label of the line
    y_label: str
    is_percent: bool = False  # rates: logged as fractions, drawn in percent, with their best
    is_higher_better: bool = False  # of rates
    is_noisy: bool = False  # a moving average over the faint raw line
    may_be_log: bool = True
    min_curves: int = 1  # fewer tell nothing
    whole: str = ""  # label of a line whose column has none
    healthy: tuple[float, float] | None = None  # values between which all is well: a band

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
        name = match[1] if match and match.re.groups else None
        if not self.is_percent:
            return name or self.whole or "total, weighted"
        best = self.best(curve)
        rate = f"{100 * curve.values[best]:.2f} %"
        return f"{name or self.whole or 'mean'}: best {rate} at step {curve.steps[best]:,.0f}"

    def best(self, curve: Curve) -> int:
        """Return the number of the best point of a rate."""
        return int(curve.values.argmax() if self.is_higher_better else curve.values.argmin())

    def draw(self, axes: Axes, ink: Ink, *, curves: dict[str, Curve]) -> None:
        """Draw the curves that `find` has found."""
        if self.healthy is not None:
            label = f"healthy: {self.healthy[0]:g} to {self.healthy[1]:g}"
            axes.axhspan(*self.healthy, color=ink.others[1], alpha=0.15, linewidth=0, label=label)
        num_lines: Counter[str] = Counter()  # by task, told apart by colour and dash
        for column, curve in curves.items():
            number, colours = num_lines[ink.of(column)], (ink.of(column), *ink.others)
            colour, dash = colours[number % len(colours)], DASHES[number % len(DASHES)]
            num_lines[ink.of(column)] += 1
            self._draw_line(axes, column, curve, colour=colour, dash=dash)
        _scale_axes(axes, self, list(curves.values()))
        if len(curves) > 1 or self.is_percent or self.healthy:
            axes.legend(frameon=False, fontsize=8.5)

    def _draw_line(self, axes: Axes, column: str, curve: Curve, *, colour: str, dash: Dash) -> None:
        scaled = replace(curve, values=100 * curve.values) if self.is_percent else curve
        if self.is_noisy:
            raw = thinned(scaled)
            axes.plot(raw.steps, raw.values, color=colour, alpha=0.25, linewidth=0.8)
        line = thinned(smoothed(scaled) if self.is_noisy else scaled)
        label = self.label(column, curve)
        axes.plot(line.steps, line.values, color=colour, linewidth=1.8, linestyle=dash, label=label)
        if self.is_percent or len(line) == 1:  # a single point is no line to see
            best = self.best(scaled)
            axes.plot(scaled.steps[best], scaled.values[best], "o", color=colour, markersize=5)


def _rank(column: str) -> tuple[bool, bool, str]:
    """Order lines: speech before speaker, parts before their total or mean."""
    is_whole = column in ("train_loss", "val_wer", "val_eer")
    return is_whole, "speaker" in column, column


def _are_equal(curve: Curve, other: Curve) -> bool:
    return np.array_equal(curve.steps, other.steps) and np.array_equal(curve.values, other.values)


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
