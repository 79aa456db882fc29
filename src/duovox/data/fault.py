"""What is wrong with one utterance or one shard, in words that can be counted and listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HARMLESS = ("unsafe member", "repeated member")  # the utterance itself is whole all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong, where, and why."""

    where: str  # the shard, or the source file of an utterance that reached no shard
    key: str  # the utterance; empty when the shard itself is damaged
    cause: str  # one of a few short classes, for counting: "undecodable", "incomplete", ...
    detail: str  # the sentence for a person

    def __str__(self) -> str:
        place = f"{self.where}: {self.key}" if self.key else self.where
        return f"{place}: {self.cause}: {self.detail}"


def count_causes(faults: Iterable[Fault]) -> dict[str, int]:
    """Return how often each cause occurs, the most frequent first."""
    return dict(Counter(fault.cause for fault in faults).most_common())


def check_share(faults: Sequence[Fault], total: int, max_share: float, advice: str) -> None:
    """Raise a ValueError when more than `max_share` of `total` utterances are bad.

    In preparation the share alone counts, however small the corpus: someone is watching.
    """
    if len(faults) > max_share * total:
        causes = ", ".join(f"{number} {cause}" for cause, number in count_causes(faults).items())
        raise ValueError(
            f"{len(faults)} of {total} utterances are bad ({causes}), --max-bad-share allows "
            f"{max_share:g}; the first: {faults[0]}. Repair them or allow more; for all, {advice}"
        )
