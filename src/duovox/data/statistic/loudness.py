"""Listen through a data set for what no header tells: silence and clipping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from duovox.audio.decode import read_wave
from duovox.data.dataset.index import Index
from duovox.data.dataset.reader import ShardReader

SILENCE = 1e-4  # peak, 80 dB below full scale: three steps of 16-bit audio
CLIPPING = 0.999  # of full scale
_NUM_CLIPPED = 3  # samples at full scale that make an utterance count as clipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """The utterances that stand out, by key, and the loudness of all."""

    silent: tuple[str, ...]
    clipped: tuple[str, ...]
    mean_level_db: float  # root mean square relative to full scale, averaged over utterances in dB


def measure_loudness(
    index: Index, *, on_utterance: Callable[[], object] = lambda: None
) -> Loudness:
    """Decode every utterance and look at its samples.

    Raises:
        ValueError: audio that cannot be read; the message names shard and key.
    """
    reader = ShardReader(index)
    silent, clipped, levels = [], [], []
    for row in range(len(index)):
        wave, _ = read_wave(reader.read(row))
        magnitude = np.abs(wave)
        if magnitude.max() < SILENCE:
            silent.append(index.key[row])
        else:
            levels.append(10 * np.log10(np.mean(magnitude**2, dtype=np.float64)))
        if np.count_nonzero(magnitude >= CLIPPING) >= _NUM_CLIPPED:
            clipped.append(index.key[row])
        on_utterance()
    return Loudness(
        silent=tuple(silent),
        clipped=tuple(clipped),
        mean_level_db=float(np.mean(levels)) if levels else float("-inf"),
    )
