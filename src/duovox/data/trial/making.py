"""Draw trial lists from a data set."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.random import Generator

from duovox.data.dataset.index import Index
from duovox.data.trial.list import TrialList

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOptions:
    """How many trials, and between whom."""

    num_targets: int | None = None  # None: as many as there are, up to `most_targets`
    num_nontargets: int | None = None  # None: as many as there are, up to `most_nontargets`
    most_targets: int = 1000
    most_nontargets: int = 4000
    seed: int = 0
    same_session: bool = False  # allow target pairs from one recording, which share its sound
    across_gender: bool = False  # allow non-target pairs across gender, which are easy

    def __post_init__(self) -> None:
        numbers = (self.num_targets, self.num_nontargets)
        if any(number is not None and number < 1 for number in numbers):
            raise ValueError(
                "num_targets and num_nontargets must be at least 1, "
                f"got {numbers[0]} and {numbers[1]}"
            )


def make_trials(index: Index, options: TrialOptions, *, name: str) -> TrialList:
    """Draw target and non-target pairs without repetition, in mixed order.

    Both kinds go evenly over the speakers. Utterances of unknown session count as being from
    different ones; where gender is known, non-target pairs are of one gender.

    Raises:
        ValueError: the data set does not hold that many different pairs.
    """
    generator = np.random.default_rng(options.seed)
    targets = _draw_targets(index, options, generator)
    pairs = targets + _draw_nontargets(index, options, generator)
    order = generator.permutation(len(pairs))
    names = _entries(index, {row for pair in pairs for row in pair})
    return TrialList(
        name=name,
        enroll=tuple(names[pairs[place][0]] for place in order),
        test=tuple(names[pairs[place][1]] for place in order),
        is_target=order < len(targets),
    )


def _draw_targets(index: Index, options: TrialOptions, generator: Generator) -> list[Pair]:
    sessions = [""] * len(index) if options.same_session else list(index.session_id)
    speakers = _rows_by_speaker(index)
    possible = {speaker: _num_targets(rows, sessions) for speaker, rows in speakers.items()}
    number = _check_enough(
        "target", options.num_targets, sum(possible.values()), most=options.most_targets
    )

    def draw(speaker: str) -> Pair | None:
        first, second = map(int, generator.choice(speakers[speaker], size=2, replace=False))
        is_shared = sessions[first] != "" and sessions[first] == sessions[second]
        return None if is_shared else (first, second)

    able = [speaker for speaker, num_pairs in possible.items() if num_pairs]
    return _collect(able, draw, number, generator)


def _draw_nontargets(index: Index, options: TrialOptions, generator: Generator) -> list[Pair]:
    speakers = _rows_by_speaker(index)
    circles: dict[str, list[str]] = defaultdict(list)  # speakers who may meet
    seats = {}  # speaker -> circle and place in it
    for speaker, rows in speakers.items():
        circle = circles["" if options.across_gender else index.gender[rows[0]]]
        seats[speaker] = (circle, len(circle))
        circle.append(speaker)
    sizes = [[len(speakers[speaker]) for speaker in circle] for circle in circles.values()]
    possible = sum(map(_num_nontargets, sizes))
    number = _check_enough(
        "non-target", options.num_nontargets, possible, most=options.most_nontargets
    )

    def draw(speaker: str) -> Pair:
        circle, place = seats[speaker]
        other = int(generator.integers(len(circle) - 1))
        rows = speakers[speaker], speakers[circle[other + (other >= place)]]
        return int(generator.choice(rows[0])), int(generator.choice(rows[1]))

    able = [speaker for speaker, (circle, _) in seats.items() if len(circle) > 1]
    return _collect(able, draw, number, generator)


def _collect(
    speakers: Sequence[str],
    draw: Callable[[str], Pair | None],
    number: int,
    generator: Generator,
) -> list[Pair]:
    """Go round the speakers until there are enough different pairs."""
    pairs: dict[frozenset[int], Pair] = {}
    while True:
        for speaker in generator.permutation(speakers):
            if pair := draw(str(speaker)):
                pairs.setdefault(frozenset(pair), pair)
            if len(pairs) == number:
                return list(pairs.values())


def _rows_by_speaker(index: Index) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, speaker in enumerate(index.speaker_id):
        if speaker:
            rows[speaker].append(row)
    return rows


def _num_targets(rows: Sequence[int], sessions: Sequence[str]) -> int:
    """Count the pairs of one speaker that are not within one known session."""
    together = Counter(sessions[row] for row in rows if sessions[row])
    return comb(len(rows), 2) - sum(comb(number, 2) for number in together.values())


def _num_nontargets(num_rows: Sequence[int]) -> int:
    """Count the pairs of utterances by different speakers, who have `num_rows` utterances."""
    return (sum(num_rows) ** 2 - sum(number**2 for number in num_rows)) // 2


def _check_enough(kind: str, wanted: int | None, possible: int, *, most: int) -> int:
    """Return how many pairs to draw."""
    if wanted is None:
        wanted = max(1, min(possible, most))
    if wanted > possible:
        raise ValueError(
            f"{wanted} {kind} trials are asked for, but the data set has only {possible} different "
            f"pairs for them; ask for fewer, or allow "
            f"{'--same-session' if kind == 'target' else '--across-gender'}"
        )
    return wanted


def _entries(index: Index, rows: Collection[int]) -> dict[int, str]:
    """Name rows by their source path, as other tools do, or by key where that is ambiguous."""
    sources = Counter(index.source)

    def name(row: int) -> str:
        source = index.source[row]
        return source if sources[source] == 1 and not set(source) & set(" \t\n") else index.key[row]

    return {row: name(row) for row in rows}
