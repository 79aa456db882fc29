"""Statistics as histograms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from duovox.data.statistic.count import Statistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_statistics(statistics: Statistics, folder: Path) -> list[Path]:
    """Write `lengths.png`, `speakers.png` and `characters.png` to a folder; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    plots = [_plot(folder / "lengths.png", lambda axes: _lengths(axes, statistics))]
    if statistics.speakers:
        plots.append(_plot(folder / "speakers.png", lambda axes: _speakers(axes, statistics)))
    if statistics.characters:
        plots.append(_plot(folder / "characters.png", lambda axes: _characters(axes, statistics)))
    return plots


def _plot(path: Path, draw: Callable[[Axes], None]) -> Path:
    from matplotlib.figure import Figure  # needs no display, unlike pyplot

    figure = Figure(figsize=(8, 4), layout="constrained")
    draw(figure.subplots())
    figure.savefig(path, dpi=120)
    return path


def _lengths(axes: Axes, statistics: Statistics) -> None:
    axes.hist(statistics.seconds, bins=60)
    axes.set(xlabel="length in seconds", ylabel="utterances")


def _speakers(axes: Axes, statistics: Statistics) -> None:
    axes.hist(list(statistics.speakers.values()), bins=60)
    axes.set(xlabel="utterances per speaker", ylabel="speakers")


def _characters(axes: Axes, statistics: Statistics) -> None:
    names = ["space" if character == " " else character for character in statistics.characters]
    axes.bar(names, list(statistics.characters.values()))
    axes.set(xlabel="character", ylabel="times in all transcripts")
