"""Mean and spread of runs that differ in seeds alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from duovox.run.report.measures import MEASURES, Measure
from duovox.run.report.sweep.runs import SweepRun

SEEDS = ("seed", "data.speech.sample.seed")


@dataclass(frozen=True, kw_only=True)
class Spread:
    """One measure on one set, over the runs of a group."""

    values: tuple[float, ...]  # as in metrics.json: fractions

    @property
    def mean(self) -> float:
        """The arithmetic mean."""
        return fmean(self.values)

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation (over N - 1), or None of a single run."""
        return stdev(self.values) if len(self.values) > 1 else None

    def text(self, measure: Measure) -> str:
        """Return "43.50 ± 1.20 (42.10 to 44.90)", in the unit of the measure."""
        factor, digits = (100, 2) if measure.is_percent else (1, 3)
        low, mean, high = (
            f"{factor * value:.{digits}f}"
            for value in (min(self.values), self.mean, max(self.values))
        )
        if self.deviation is None:
            return mean
        return f"{mean} \N{PLUS-MINUS SIGN} {factor * self.deviation:.{digits}f} ({low} to {high})"


@dataclass(frozen=True, kw_only=True)
class Group:
    """The scored runs whose settings are the same but for seeds."""

    settings: dict[str, Any]
    runs: list[SweepRun]

    def spread(self, set_name: str, measure: Measure) -> Spread | None:
        """Return the spread of a measure over the runs that have it."""
        found = (run.results.get(set_name, {}).get(measure.key) for run in self.runs)
        values = tuple(value for value in found if value is not None)
        return Spread(values=values) if values else None

    @property
    def content(self) -> dict[str, Any]:
        """What summary.json holds of the group."""
        results: dict[str, Any] = {}
        for name, measure in columns(self.runs):
            if (spread := self.spread(name, measure)) is not None:
                results.setdefault(name, {})[measure.key] = {
                    "mean": spread.mean,
                    "standard_deviation": spread.deviation,
                    "lowest": min(spread.values),
                    "highest": max(spread.values),
                }
        return {"settings": self.settings, "num_runs": len(self.runs), "results": results}


def groups_of(runs: Iterable[SweepRun]) -> list[Group]:
    """Return the scored runs in groups, in their order."""
    groups: dict[str, Group] = {}
    for run in runs:
        if run.results:
            settings = {p: value for p, value in run.settings.items() if p not in SEEDS}
            group = groups.setdefault(str(settings), Group(settings=settings, runs=[]))
            group.runs.append(run)
    return list(groups.values())


def columns(runs: Sequence[SweepRun]) -> list[tuple[str, Measure]]:
    """Return the sets, each with its measures, that some run was scored on."""
    names = dict.fromkeys(name for run in runs for name in run.results)
    return [
        (name, measure)
        for name in names
        for measure in MEASURES
        if any(measure.key in run.results.get(name, {}) for run in runs)
    ]
