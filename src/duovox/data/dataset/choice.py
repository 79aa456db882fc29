"""Choose some utterances of a data set by a seed: whole speakers, whole recordings, or single ones.

What is chosen depends on the names in the index, the lengths and the seed, not on the order of the
rows.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from duovox.data.dataset.index import Index

By = Literal["speaker", "recording", "utterance"]
_COLUMNS = {"speaker": "speaker_id", "recording": "session_id", "utterance": "key"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How much to choose, and in units of what: `share`, `hours` or `count` must be given."""

    by: By = "utterance"  # units that stay together
    share: float | None = None  # of all hours
    hours: float | None = None
    count: int | None = None  # of units
    is_balanced: bool = False  # equal hours of the speakers; of the genders when by speaker
    seed: int = 0

    def __post_init__(self) -> None:
        if [self.share, self.hours, self.count].count(None) != 2:
            raise ValueError("say how much to take: one of --share, --hours and --count")
        if self.share is not None and not 0 < self.share < 1:
            raise ValueError(f"the share to take must lie between 0 and 1, got {self.share}")
        if self.hours is not None and not self.hours > 0:
            raise ValueError(f"the hours to take must be more than 0, got {self.hours}")
        if self.count is not None and self.count < 1:
            raise ValueError(f"the count to take must be at least 1, got {self.count}")


def choose(index: Index, choice: Choice) -> NDArray[np.bool_]:
    """Return the (N,) mask of the chosen rows.

    Units are drawn until there are as many as wanted, or until their hours are as near to the
    wanted ones as whole units allow.

    Raises:
        ValueError: an utterance has no speaker or recording to go by, there are not so many hours
            or units, or the wanted hours are less than half of the first unit.
    """
    codes, names = getattr(index, _COLUMNS[choice.by]).codes()
    _check_names(names, codes, choice.by)
    seconds = index.num_samples / index.sample_rate
    lengths = np.bincount(codes, weights=seconds, minlength=len(names))
    drawn = np.random.default_rng(choice.seed).permutation(len(names)).tolist()
    if choice.is_balanced:
        drawn = list(_in_turns(drawn, _groups(index, codes, choice.by), lengths.tolist()))
    taken = _num_taken(lengths[drawn], choice)
    is_chosen = np.zeros(len(names), dtype=np.bool_)
    is_chosen[drawn[:taken]] = True
    mask: NDArray[np.bool_] = is_chosen[codes]
    return mask


def _check_names(names: Sequence[str], codes: NDArray[np.int64], by: By) -> None:
    if "" in names:
        number = int((codes == names.index("")).sum())
        raise ValueError(
            f"{number} of {len(codes)} utterances have no {by} in the index: go by something else"
        )


def _groups(index: Index, codes: NDArray[np.int64], by: By) -> list[str]:
    """Return the group of each unit: a speaker's gender, or the speaker of anything else."""
    column = index.gender if by == "speaker" else index.speaker_id
    _, first = np.unique(codes, return_index=True)
    return column.take(first)


def _in_turns(
    drawn: Sequence[int], groups: Sequence[str], lengths: Sequence[float]
) -> Iterator[int]:
    """Yield the drawn units so that always the group with the least length so far is next."""
    queues: dict[str, list[int]] = {}
    for unit in reversed(drawn):
        queues.setdefault(groups[unit], []).append(unit)
    # A group begins at the place of its first unit in the draw: ties go to the earlier one.
    places = {unit: place for place, unit in enumerate(drawn)}
    turns = [(0.0, places[queue[-1]], name) for name, queue in queues.items()]
    heapq.heapify(turns)
    while turns:
        length, place, name = heapq.heappop(turns)
        unit = queues[name].pop()
        yield unit
        if queues[name]:
            heapq.heappush(turns, (length + lengths[unit], place, name))


def _num_taken(lengths: NDArray[np.float64], choice: Choice) -> int:
    """Return how many of the units that were drawn, which last so many seconds, to take."""
    if choice.count is not None:
        if choice.count >= len(lengths):
            raise ValueError(
                f"{choice.count} of --by {choice.by} are wanted, but there are only {len(lengths)}"
            )
        return choice.count
    wanted = choice.hours * 3600 if choice.hours else (choice.share or 0) * lengths.sum()
    if wanted >= lengths.sum():
        raise ValueError(
            f"{wanted / 3600:g} hours are wanted, but there are only {lengths.sum() / 3600:.2f}"
        )
    sums = np.concatenate([[0.0], np.cumsum(lengths)])
    taken = int(np.abs(sums - wanted).argmin())  # the nearest
    if taken == 0:
        raise ValueError(
            f"the wanted {wanted / 3600:g} hours are less than half of one {choice.by}: take more, "
            "or go by smaller units (--by utterance)"
        )
    return taken
