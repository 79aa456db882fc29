"""Refuse what must not be there twice: a key, and a speaker in both training and test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from duovox.data.index import Index
from duovox.data.listing import listing


def check_unique_keys(index: Index) -> None:
    """Raise a ValueError that lists the keys that several utterances share."""
    keys = list(index.key)
    if len(set(keys)) == len(keys):
        return
    repeated = [key for key, count in Counter(keys).items() if count > 1]
    folders = sorted({str(shard.parent) for shard in index.shards})
    raise ValueError(
        f"{len(repeated)} keys come more than once in {', '.join(folders)}; name each data set "
        f"once, or prepare one of them with other keys:{listing(repeated)}"
    )


def check_disjoint_speakers(
    training: Iterable[str], test: Iterable[str], *, test_name: str
) -> None:
    """Raise a ValueError that lists the speakers of a test set that training also hears.

    Args:
        training: Speaker ids of training; empty ones mean unknown and are ignored.
        test: Speaker ids of the test set.
        test_name: What the message calls it.
    """
    shared = sorted((set(training) & set(test)) - {""})
    if shared:
        raise ValueError(
            f"{len(shared)} speakers of {test_name} are also in training, so its error rate would "
            f"be too good; take them out of one of the two:{listing(shared)}"
        )
