"""Curves over optimiser steps, read from the sparse cells of metrics.csv."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

MAX_POINTS = 2_000  # of a drawn line: more than a page has pixels
SMOOTHING_SHARE = 1 / 50  # of a curve's points lie in the window of its moving average


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One logged quantity: finite values at increasing steps."""

    steps: Array  # (N,)
    values: Array  # (N,)
    num_non_finite: int = 0  # logged values that were NaN or infinite, and are left out

    def __len__(self) -> int:
        return len(self.steps)


def read_curves(path: Path) -> dict[str, Curve]:
    """Return the curves of a CSV file with a `step` column, by column name.

    Cells that are empty or no numbers are no points, nor is a last line that a killed run did not
    end. Where a resumed run logged a step again, the later row holds.

    Raises:
        ValueError: the file has no `step` column.
    """
    rows = csv.reader(path.read_text(encoding="utf-8").rpartition("\n")[0].splitlines())
    names = next(rows, [])
    if not names:  # nothing was logged yet
        return {}
    if "step" not in names:
        raise ValueError(f"{path} must have a column `step`, found {names}")
    points = _points(rows, names)
    return {name: _curve(cells) for name, cells in points.items() if cells}


def _points(rows: Iterable[list[str]], names: list[str]) -> dict[str, dict[float, float]]:
    points: dict[str, dict[float, float]] = {name: {} for name in names if name != "step"}
    for row in rows:
        cells = dict(zip(names, row, strict=False))  # rows from before a column was added are short
        step = _number(cells.pop("step", ""))
        if step is None:
            continue
        for name, cell in cells.items():
            if cell and (value := _number(cell)) is not None:
                points[name][step] = value
    return points


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _curve(cells: dict[float, float]) -> Curve:
    steps, values = np.array(sorted(cells.items()), dtype=np.float64).T  # (2, N) -> (N,), (N,)
    is_finite = np.isfinite(values)
    return Curve(
        steps=steps[is_finite],
        values=values[is_finite],
        num_non_finite=int((~is_finite).sum()),
    )


def smoothed(curve: Curve) -> Curve:
    """Return the moving average over the 2 % of the points around each; fewer at both ends.

    The average is taken twice over half as many, which weighs near points more than far ones: a
    spike becomes a small hill, not a plateau.
    """
    half = int(len(curve) * SMOOTHING_SHARE / 4)
    start = np.maximum(np.arange(len(curve)) - half, 0)  # (N,)
    stop = np.minimum(np.arange(len(curve)) + half + 1, len(curve))  # (N,)
    values = curve.values
    for _ in range(2):
        total = np.concatenate([[0.0], np.cumsum(values)])  # (N + 1,)
        values = (total[stop] - total[start]) / (stop - start)
    return Curve(steps=curve.steps, values=values)


def thinned(curve: Curve, *, max_points: int = MAX_POINTS) -> Curve:
    """Return at most `max_points` of the points: the lowest and highest of each stretch.

    Keeping extremes rather than every n-th point lets a spike survive.
    """
    if len(curve) <= max_points:
        return curve
    edges = np.linspace(0, len(curve), max_points // 2 + 1).astype(int)
    kept = []
    for start, stop in pairwise(edges):
        stretch = curve.values[start:stop]
        kept += [start + int(stretch.argmin()), start + int(stretch.argmax())]
    chosen = np.unique(kept)
    return Curve(steps=curve.steps[chosen], values=curve.values[chosen])
