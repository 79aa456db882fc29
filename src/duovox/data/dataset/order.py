"""In which order utterances go into shards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from duovox.audio.decode import probe
from duovox.data.archive.unpacked import unpacked
from duovox.data.utterance import Utterance

Order = Literal["given", "length", "mixed"]


def arrange(utterances: Sequence[Utterance], order: Order, *, seed: int) -> list[Utterance]:
    """Return the utterances as given, from short to long, or shuffled with the speakers mixed.

    "mixed" never puts two utterances of one speaker side by side while another speaker is left, so
    that any stretch of a shard holds many speakers. It is the order of published speaker shards;
    ascending length is that of published LibriSpeech shards.
    """
    if order == "given":
        return list(utterances)
    if order == "length":
        return sorted(utterances, key=_duration)
    if order == "mixed":
        return _mix(utterances, seed)
    raise ValueError(f"order must be one of {', '.join(get_args(Order))}, got {order!r}")


def _duration(utterance: Utterance) -> float:
    """Return the promised seconds, or those in the file's header; unreadable files come first."""
    if utterance.duration is not None:
        return utterance.duration
    try:
        with unpacked(utterance.path, utterance.member) as path:
            header = probe(path)
    except (ValueError, OSError):
        return 0.0
    whole = header.num_samples / header.sample_rate
    return (utterance.stop_seconds or whole) - (utterance.start_seconds or 0.0)


def _mix(utterances: Sequence[Utterance], seed: int) -> list[Utterance]:
    """Shuffle, then swap a neighbour by the same speaker with the next utterance of another one."""
    rows = np.random.default_rng(seed).permutation(len(utterances))
    mixed = [utterances[row] for row in rows]
    ahead = 0  # where the next utterance by another speaker may be
    for here in range(1, len(mixed)):
        previous = mixed[here - 1].speaker_id
        if mixed[here].speaker_id != previous:
            continue
        ahead = max(ahead, here)
        while ahead < len(mixed) and mixed[ahead].speaker_id == previous:
            ahead += 1
        if ahead == len(mixed):
            break
        mixed[here], mixed[ahead] = mixed[ahead], mixed[here]
    return mixed
