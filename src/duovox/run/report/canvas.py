"""The paper the plots are drawn on: one look, for light and for dark pages.

Colours are those of Okabe & Ito or close to them, distinguishable with every kind of colour vision;
lines that share a colour differ in dash. The speech task is blue and the speaker task orange.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class Ink:
    """The colours of a page."""

    paper: str
    text: str
    grid: str
    speech: str
    speaker: str
    others: tuple[str, ...]  # for lines that belong to no task, or to the same one

    def of(self, name: str) -> str:
        """Return the colour of the task that a logged quantity belongs to."""
        if "speech" in name or "wer" in name:
            return self.speech
        if "speaker" in name or "eer" in name:
            return self.speaker
        return self.others[0]


LIGHT = Ink(
    paper="#ffffff",
    text="#30363d",
    grid="#e3e6ea",
    speech="#0072b2",
    speaker="#d55e00",
    others=("#6b7480", "#009e73", "#aa4499", "#8a6d00"),
)
DARK = Ink(
    paper="#15181c",
    text="#c9d1d9",
    grid="#2c3238",
    speech="#56b4e9",
    speaker="#f08c3c",
    others=("#9aa4ae", "#2ec4a0", "#dd8ecb", "#e6c84f"),
)


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A picture that has not been drawn yet."""

    name: str  # of its PNG file, without the suffix
    title: str
    note: str  # one or two sentences: how to read it
    draw: Callable[[Axes, Ink], None]
    height: float = 3.1  # inches, at a width of 5.6


def render(plot: Plot, ink: Ink) -> bytes:
    """Return the plot as a PNG image."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, plot.height), layout="constrained", facecolor=ink.paper)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _dress(axes, ink)
    plot.draw(axes, ink)
    if legend := axes.get_legend():
        for text in legend.get_texts():
            text.set_color(ink.text)
            text.set_parse_math(False)  # names of sets are data: a "$" is a "$"
    image = BytesIO()
    figure.savefig(image, format="png", dpi=200, facecolor=ink.paper)
    return image.getvalue()


def _dress(axes: Axes, ink: Ink) -> None:
    axes.set_facecolor(ink.paper)
    axes.grid(visible=True, color=ink.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=ink.text, labelsize=9, which="both", length=0)
    axes.xaxis.label.set_color(ink.text)
    axes.yaxis.label.set_color(ink.text)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(ink.text)
