"""How the entries of the codebooks are used: all of them alike, or a few for everything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from duovox.run.report.canvas import Ink, Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class CodeUse:
    """What the masked frames of a set were quantised to."""

    name: str  # of the set
    shares: NDArray[np.float64]  # (G, V); each row sums to 1


def read_code_use(path: Path) -> CodeUse:
    """Return the content of `codes/<set>.json`.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        shares = np.array(json.loads(path.read_text(encoding="utf-8"))["shares"], dtype=np.float64)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} must hold the shares of each codebook: {error}") from error
    return CodeUse(name=path.stem, shares=shares)


def code_plot(use: CodeUse) -> Plot:
    """Return the histogram of the entries of each codebook, the most frequent first."""
    num_unused = (use.shares == 0).sum(axis=1).tolist()
    return Plot(
        name=f"codes_{use.name}",
        title=f"Use of the codebooks: {use.name}",
        note="Share of masked frames that each entry stands for, the most frequent entry first; "
        f"the dotted line is even use. Entries never chosen: {_listed(num_unused)}.",
        draw=partial(_draw, shares=use.shares),
    )


def _listed(numbers: list[int]) -> str:
    return ", ".join(f"{number} of codebook {at}" for at, number in enumerate(numbers, start=1))


def _draw(axes: Axes, ink: Ink, *, shares: NDArray[np.float64]) -> None:
    num_entries = shares.shape[1]
    edges = np.arange(num_entries + 1)
    for number, of_one in enumerate(shares, start=1):
        colour = (ink.speech, ink.speaker, *ink.others)[(number - 1) % 5]
        ranked = 100 * np.sort(of_one)[::-1]
        axes.stairs(ranked, edges, fill=True, color=colour, alpha=0.3)
        axes.stairs(ranked, edges, color=colour, linewidth=1.5, label=f"codebook {number}")
    axes.axhline(100 / num_entries, color=ink.text, linestyle=":", linewidth=1.2)
    axes.set_xlabel("Entry, by rank")
    axes.set_ylabel("Share of masked frames (%)")
    axes.margins(x=0.01)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8.5)
