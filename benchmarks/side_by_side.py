"""Time our way of doing something against a peer's, fairly, and print one line about it.

Both run in one process on the same inputs, in turns, so that a busy moment of the machine meets
both. The ratio is the median over the rounds of (peer's time / our time): 2 means that we are twice
as fast. Show that the outputs agree *before* timing them.

Usage:
    print_versions("numpy", "lhotse")
    print_header()
    print_row("plan of 281k utterances", ">= 10x", compare(ours, peer))
"""

from __future__ import annotations

import gc
import math
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median

from duovox.run.environment import processor_name
from duovox.run.precision import bf16_speed, fitting_precision

_MIN_SECONDS = 0.05  # of one measurement; shorter calls are repeated within it


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a side-by-side measurement found."""

    ours_seconds: float  # median, per call
    peer_seconds: float  # median, per call
    ratio: float  # median over the rounds of peer / ours
    spread: tuple[float, float]  # smallest and largest ratio of a round


def compare(
    ours: Callable[[], object], peer: Callable[[], object], *, rounds: int = 7
) -> Comparison:
    """Call both once to warm up, then `rounds` times in turns; who begins alternates."""
    calls = [(ours, _num_repeats(ours)), (peer, _num_repeats(peer))]
    seconds: list[tuple[float, float]] = []
    for number in range(rounds):
        measured = [0.0, 0.0]
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            measured[side] = _seconds_per_call(*calls[side])
        seconds.append((measured[0], measured[1]))
    ratios = [theirs / mine for mine, theirs in seconds]
    return Comparison(
        ours_seconds=median(mine for mine, _ in seconds),
        peer_seconds=median(theirs for _, theirs in seconds),
        ratio=median(ratios),
        spread=(min(ratios), max(ratios)),
    )


def has_fast_bf16() -> bool:
    """Tell whether bfloat16 is worth timing here; print why its rows are left out where not.

    Without units for it, a processor emulates bfloat16 at a fraction of float32's speed.
    """
    if is_fast := fitting_precision(is_cpu=True) == "bf16":
        return is_fast
    print(f"bfloat16 left out: products run at {bf16_speed():.2g} times the speed of float32 here")
    return False


def print_versions(*packages: str) -> None:
    """Print the versions of Python and of the named packages: part of every result."""
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    print(f"{processor_name()}, Python {platform.python_version()}, {versions}")


def print_header() -> None:
    """Print the column names of `print_row`."""
    row = f"{'comparison':<52} {'ours':>10} {'peer':>10} {'ratio':>8} {'spread':>16}  bar"
    print(f"{row}\n{'-' * len(row)}")


def print_row(name: str, bar: str, comparison: Comparison) -> None:
    """Print one comparison as one line of the table; `bar` is the aim, such as ">= 10x"."""
    lowest, highest = comparison.spread
    ours, peer = _duration(comparison.ours_seconds), _duration(comparison.peer_seconds)
    spread = f"{lowest:.2f}..{highest:.2f}x"
    print(
        f"{name:<52} {ours:>10} {peer:>10} {comparison.ratio:>7.2f}x {spread:>16}  {bar}",
        flush=True,
    )


def _num_repeats(call: Callable[[], object]) -> int:
    """Return how many calls fill one measurement, after one call that warms caches up."""
    call()
    return max(1, math.ceil(_MIN_SECONDS / max(_seconds_per_call(call, 1), 1e-7)))


def _seconds_per_call(call: Callable[[], object], num_repeats: int) -> float:
    gc.collect()
    start = time.perf_counter()
    for _ in range(num_repeats):
        call()
    return (time.perf_counter() - start) / num_repeats


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
