"""Runs that differ in seeds alone, and groups that differ in the learning rate alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from duovox.run.report.measures import MEASURES, Measure
from duovox.run.report.sweep.naming import RATE, SEEDS, Settings
from duovox.run.report.sweep.runs import SweepRun, mean_over_sets, name_of

HEADLINES = ("wer", "eer", "accuracy")  # the measures that tables for reading and plots show


@dataclass(frozen=True, kw_only=True)
class Spread:
    """One measure on one test set, over the runs of a group."""

    values: tuple[float, ...]  # as in metrics.json: fractions
    interval: tuple[float, float] | None  # 95 %; of several runs the means of their ends

    @property
    def mean(self) -> float:
        """The arithmetic mean."""
        return fmean(self.values)

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation (over N - 1), or None of a single run."""
        return stdev(self.values) if len(self.values) > 1 else None

    def text(self, measure: Measure) -> str:
        """Return "43.50 ± 1.20 (40.10–46.90)", in the unit of the measure."""
        factor, digits = (100, 2) if measure.is_percent else (1, 3)
        text = f"{factor * self.mean:.{digits}f}"
        if self.deviation is not None:
            text += f" \N{PLUS-MINUS SIGN} {factor * self.deviation:.{digits}f}"
        if self.interval is not None:
            low, high = (f"{factor * end:.{digits}f}" for end in self.interval)
            text += f" ({low}\N{EN DASH}{high})"
        return text

    @property
    def content(self) -> dict[str, Any]:
        """What summary.json holds of it."""
        return {
            "mean": self.mean,
            "standard_deviation": self.deviation,
            "lowest": min(self.values),
            "highest": max(self.values),
            "interval": self.interval,
        }


@dataclass(frozen=True, kw_only=True)
class Group:
    """The scored runs of an experiment whose settings are the same but for seeds."""

    experiment: str
    settings: Settings
    telling: Settings
    runs: list[SweepRun]

    @property
    def lr(self) -> float | None:
        """The learning rate."""
        return self.runs[0].lr

    @property
    def judged(self) -> list[float]:
        """What sweeps minimise, from validation, of each run that has it."""
        return [run.objective for run in self.runs if run.objective is not None]

    @property
    def objective(self) -> float | None:
        """The mean of what sweeps minimise."""
        return fmean(self.judged) if self.judged else None

    def validation(self, measure: str) -> list[float]:
        """Return a measure of each run that has it, the mean over its validation sets."""
        means = (mean_over_sets(run.validation.values(), measure) for run in self.runs)
        return [mean for mean in means if mean is not None]

    def spread(self, set_name: str, measure: Measure) -> Spread | None:
        """Return the spread of a measure on a test set over the runs that have it."""
        found = [run.results.get(set_name, {}) for run in self.runs]
        values = tuple(one[measure.key] for one in found if one.get(measure.key) is not None)
        ends = [one[key] for one in found if one.get(key := f"{measure.key}_interval")]
        if not values:
            return None
        low_high = (
            (fmean(low for low, _ in ends), fmean(high for _, high in ends)) if ends else None
        )
        return Spread(values=values, interval=low_high)

    @property
    def content(self) -> dict[str, Any]:
        """What summary.json holds of the group."""
        results: dict[str, Any] = {}
        for name, measure in columns(self.runs):
            if (spread := self.spread(name, measure)) is not None:
                results.setdefault(name, {})[measure.key] = spread.content
        return {
            "experiment": self.experiment,
            "settings": self.settings,
            "lr": self.lr,
            "num_runs": len(self.runs),
            "objective": self.objective,
            "results": results,
        }


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The groups whose settings are the same but for the learning rate."""

    number: int  # of its row in the tables, from 1
    groups: list[Group]  # by rate

    @property
    def name(self) -> str:
        """What the groups have in common."""
        rest = {place: v for place, v in self.best.telling.items() if place != RATE}
        return name_of(self.best.experiment, rest if self.has_rates else self.best.telling)

    @property
    def best(self) -> Group:
        """The group that is best in validation, whatever its test results.

        The groups with the most judged runs are compared, so that a rate at which seeds failed does
        not win by the one that survived.
        """
        judged = [group for group in self.groups if len(group.judged) == self.num_judged]
        return min(judged, key=lambda group: group.objective or 0.0)

    @property
    def num_judged(self) -> int:
        """How many runs of a rate have a validation, at most."""
        return max(len(group.judged) for group in self.groups)

    @property
    def has_rates(self) -> bool:
        """Whether there is more than one learning rate."""
        return len(self.groups) > 1

    @property
    def edge(self) -> str:
        """Say whether the best rate is the lowest or highest tried: a better one may lie beyond."""
        is_edge = self.best in (self.groups[0], self.groups[-1])
        if not (self.has_rates and is_edge):
            return ""
        return "lowest tried" if self.best is self.groups[0] else "highest tried"


def groups_of(runs: Iterable[SweepRun]) -> list[Group]:
    """Return the scored runs in groups, in their order."""
    groups: dict[str, Group] = {}
    for run in runs:
        if run.results or run.validation:
            settings = _without(run.settings, SEEDS)
            group = Group(
                experiment=run.experiment,
                settings=settings,
                telling=_without(run.telling, SEEDS),
                runs=[],
            )
            groups.setdefault(f"{run.experiment} {settings}", group).runs.append(run)
    return list(groups.values())


def grids_of(groups: Iterable[Group]) -> list[Grid]:
    """Return the groups in grids of learning rates, in their order."""
    grids: dict[str, list[Group]] = {}
    for group in groups:
        key = f"{group.experiment} {_without(group.settings, (RATE,))}"
        grids.setdefault(key, []).append(group)
    return [
        Grid(number=number, groups=sorted(grid, key=lambda group: group.lr or 0.0))
        for number, grid in enumerate(grids.values(), start=1)
    ]


def columns(runs: Sequence[SweepRun]) -> list[tuple[str, Measure]]:
    """Return the test sets, each with its measures, that some run was scored on."""
    names = dict.fromkeys(name for run in runs for name in run.results)
    return [
        (name, measure)
        for name in names
        for measure in MEASURES
        if any(measure.key in run.results.get(name, {}) for run in runs)
    ]


def headlines(runs: Sequence[SweepRun]) -> list[tuple[str, Measure]]:
    """Return those columns that tables for reading show: words before speakers."""
    found = [(name, measure) for name, measure in columns(runs) if measure.key in HEADLINES]
    return sorted(found, key=lambda column: HEADLINES.index(column[1].key))


def _without(settings: Settings, places: Sequence[str]) -> Settings:
    return {place: value for place, value in settings.items() if place not in places}
