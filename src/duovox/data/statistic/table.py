"""Statistics as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from rich.table import Table

from duovox.data.statistic.count import Statistics
from duovox.data.statistic.loudness import Loudness

_QUANTILES = {"shortest": 0.0, "5 %": 0.05, "median": 0.5, "95 %": 0.95, "longest": 1.0}
_NUM_SPEAKERS = 10  # listed by name


def statistics_tables(statistics: Statistics, loudness: Loudness | None = None) -> Iterator[Table]:
    """Yield a table of totals, one of lengths, one of speakers and one of characters."""
    yield _table("Data set", dict(_totals(statistics, loudness)))
    quantiles = np.quantile(statistics.seconds, list(_QUANTILES.values()))
    lengths = {name: f"{value:.2f}" for name, value in zip(_QUANTILES, quantiles, strict=True)}
    yield _table("Length in seconds", {"mean": f"{statistics.seconds.mean():.2f}"} | lengths)
    if statistics.speakers:
        yield _table("Utterances per speaker", dict(_speakers(statistics)))
    if statistics.characters:
        counts = {repr(character): str(n) for character, n in statistics.characters.items()}
        yield _table(f"{len(counts)} characters", counts)


def _totals(statistics: Statistics, loudness: Loudness | None) -> Iterator[tuple[str, str]]:
    yield "utterances", str(statistics.num_utterances)
    yield "hours", f"{statistics.hours:.3f}"
    yield "speakers", str(len(statistics.speakers))
    yield "sessions", str(statistics.num_sessions or "unknown")
    yield "speakers by gender", _counts(statistics.genders)
    yield "utterances by language", _counts(statistics.languages)
    yield "sample rates", _counts({f"{rate} Hz": n for rate, n in statistics.sample_rates.items()})
    yield "words", str(statistics.num_words)
    yield "without transcript", str(statistics.num_empty)
    yield "too short for one frame", str(statistics.num_too_short)
    if loudness is not None:
        yield "silent", str(len(loudness.silent))
        yield "clipped", str(len(loudness.clipped))
        yield "mean level", f"{loudness.mean_level_db:.1f} dB"


def _speakers(statistics: Statistics) -> Iterator[tuple[str, str]]:
    numbers = np.array(list(statistics.speakers.values()))
    yield "fewest / median / most", f"{numbers.min()} / {np.median(numbers):g} / {numbers.max()}"
    yield from ((name, str(n)) for name, n in [*statistics.speakers.items()][:_NUM_SPEAKERS])
    if len(numbers) > _NUM_SPEAKERS:
        yield f"and {len(numbers) - _NUM_SPEAKERS} more", str(numbers[_NUM_SPEAKERS:].sum())


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items()) or "unknown"


def _table(title: str, rows: Mapping[str, str]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in rows.items():
        table.add_row(name, value)
    return table
