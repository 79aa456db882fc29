"""What is wrong with one utterance or one shard, in words that can be counted and listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


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
