"""Refuse to train on what is left when the index alone rules out too much of a set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from duovox.data.atomic import write_whole
from duovox.data.source.selection import is_choice
from duovox.run.data import Source
from duovox.run.settings import Callbacks


def write_left_out(path: Path, sources: Mapping[str, Source]) -> None:
    """Name the training utterances that the index alone shows to be unusable."""
    rows = [
        {"task": task, "key": key, "cause": cause}
        for task, source in sources.items()
        for cause, keys in source.dropped.items()
        for key in keys
    ]
    write_whole(path, "".join(json.dumps(row) + "\n" for row in rows))


def check_left_out(sources: Mapping[str, Source], limit: Callbacks, *, listed: Path) -> None:
    """Hold what each task leaves out before the first step against the limit for bad utterances.

    What min_seconds and max_seconds leave out is wanted, and not counted.

    Args:
        listed: the file that names all of them.

    Raises:
        ValueError: a task leaves out more than both limits.
    """
    share, count = limit.bad_utterance_share, limit.bad_utterance_count
    for task, source in sources.items():
        bad = {cause: len(keys) for cause, keys in source.dropped.items() if not is_choice(cause)}
        num_bad = sum(bad.values())
        num_all = source.num_utterances + sum(map(len, source.dropped.values()))
        if num_bad > count and num_bad > share * num_all:
            causes = ", ".join(f"{cause}: {number}" for cause, number in bad.items())
            raise ValueError(
                f"{num_bad} of {num_all} {task} training utterances can't be used ({causes}); the "
                f"limit is {share:.1%} and {count}. They are named in {listed}: mend the data set, "
                "for unknown characters its transcripts or speech.tokenizer.vocabulary, or raise "
                "callbacks.bad_utterance_share or callbacks.bad_utterance_count"
            )
