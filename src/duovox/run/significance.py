"""Whether two runs differ on the sets that both have scored: what `duovox compare` does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from duovox.metric.eer import equal_error_rate
from duovox.metric.interval import equal_error_rate_draws, error_rate_draws
from duovox.metric.paired import Difference, paired_difference
from duovox.metric.wer import count_word_edits, error_rate
from duovox.run.report.hypotheses import Hypothesis
from duovox.run.report.run_folder import RunResults, read_run
from duovox.run.report.scores import ScoredTrials

NUM_DRAWS = 10_000
NUM_DRAWS_EER = 1_000  # each goes through all trials


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs on one set."""

    set_name: str
    measure: Literal["wer", "eer"]
    first: float  # rate of the first run, a fraction
    second: float
    difference: Difference


def compare_runs(first: Path, second: Path, *, set_name: str | None = None) -> list[Comparison]:
    """Compare word and equal error rates on every set that both runs have, or on the named one.

    Args:
        first, second: folders of runs, or of what `duovox evaluate` wrote.

    Raises:
        ValueError: a folder is no run's, no set is in both, or a set has other utterances, texts
            or trials in one than in the other.
    """
    runs = read_run(first), read_run(second)
    names = [{*run.hypotheses, *(one.name for one in run.trial_lists)} for run in runs]
    shared = sorted(names[0] & names[1] if set_name is None else names[0] & names[1] & {set_name})
    if not shared:
        raise ValueError(
            f"there is no set{f' {set_name}' if set_name else ''} that both runs have scored: "
            f"{first} has {_listed(names[0])}; {second} has {_listed(names[1])}. Score both on the "
            "same data with duovox evaluate, and give the folders it names"
        )
    return [comparison for name in shared for comparison in _compare_set(name, *runs)]


def _compare_set(name: str, first: RunResults, second: RunResults) -> list[Comparison]:
    found = []
    if name in first.hypotheses and name in second.hypotheses:
        found.append(_compare_words(name, first.hypotheses[name], second.hypotheses[name]))
    lists = [one for run in (first, second) for one in run.trial_lists if one.name == name]
    if len(lists) == 2:
        found.append(_compare_trials(name, *lists))
    return found


def _compare_words(
    name: str, first: Sequence[Hypothesis], second: Sequence[Hypothesis]
) -> Comparison:
    heard = [sorted(one, key=lambda item: (item.key, item.reference)) for one in (first, second)]
    _check_same(name, *([(item.key, item.reference) for item in one] for one in heard))
    rates, draws = [], []
    for items in heard:
        references = [item.reference for item in items]
        edits = count_word_edits(references, [item.hypothesis for item in items])
        rates.append(error_rate(edits))
        draws.append(error_rate_draws(edits.errors, edits.num_units, num_draws=NUM_DRAWS))
    return _comparison(name, "wer", rates, draws)


def _compare_trials(name: str, first: ScoredTrials, second: ScoredTrials) -> Comparison:
    answered = [
        sorted(zip(one.enroll_keys, one.test_keys, one.is_target.tolist(), one.scores, strict=True))
        for one in (first, second)
    ]
    _check_same(name, *([trial[:3] for trial in trials] for trials in answered))
    rates, draws = [], []
    for trials in answered:
        enroll, test, labels, scores = zip(*trials, strict=True)
        rates.append(equal_error_rate(scores, labels).eer)
        draws.append(
            equal_error_rate_draws(
                scores,
                labels,
                enroll_speakers=[key.partition("/")[0] for key in enroll],
                test_speakers=[key.partition("/")[0] for key in test],
                num_draws=NUM_DRAWS_EER,
            )
        )
    return _comparison(name, "eer", rates, draws)


def _comparison(
    name: str,
    measure: Literal["wer", "eer"],
    rates: Sequence[float],
    draws: Sequence[NDArray[np.float64]],
) -> Comparison:
    difference = paired_difference(*rates, first_draws=draws[0], second_draws=draws[1])
    return Comparison(
        set_name=name, measure=measure, first=rates[0], second=rates[1], difference=difference
    )


def _check_same(name: str, first: Sequence[object], second: Sequence[object]) -> None:
    """Refuse what was not asked of both runs alike; what was asked is sorted."""
    if first == second:
        return
    only_first, only_second = Counter(first) - Counter(second), Counter(second) - Counter(first)
    example = next(iter(only_first or only_second))
    raise ValueError(
        f"{name} is not the same set in both runs, so they can't be compared on it: "
        f"{only_first.total()} of {len(first)} are in the first alone, {only_second.total()} of "
        f"{len(second)} in the second, such as {example}. Score both on the same data with duovox "
        "evaluate, or name another set (--set)"
    )


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
