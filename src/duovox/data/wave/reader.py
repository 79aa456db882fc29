"""Decode utterances, or chunks of them, and refuse what no network should hear."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from duovox.audio.decode import SAMPLE_RATE, read_wave
from duovox.audio.error import AudioError
from duovox.batch import BadUtterance
from duovox.data.dataset.index import Index
from duovox.data.dataset.reader import ShardReader

_SILENCE = 1e-4  # 80 dB below full scale: three steps of 16-bit audio


class BadAudioError(ValueError):
    """An utterance that cannot be used; `utterance` says which and why."""

    def __init__(self, utterance: BadUtterance) -> None:
        self.utterance = utterance
        super().__init__(
            f"{utterance.shard}: {utterance.key}: {utterance.cause}: {utterance.detail}"
        )


class WaveReader:
    """Decode rows of an index: only the asked samples, checked."""

    def __init__(self, index: Index, *, refuse_silence: bool) -> None:
        self._index = index
        self._shards = ShardReader(index)
        self._refuse_silence = refuse_silence

    def read(self, row: int, *, start: int = 0, num_samples: int) -> NDArray[np.float32]:
        """Return `num_samples` samples of a row from `start` on: (S,), mono, 16 kHz, finite.

        Raises:
            BadAudioError: the shard is damaged there, the audio is undecodable, shorter than the
                index says, of another sample rate, not mono, not finite, or (if refused) silent.
        """
        rate = int(self._index.sample_rate[row])
        if rate != SAMPLE_RATE:
            detail = f"{rate} Hz instead of {SAMPLE_RATE} Hz; `duovox prepare` resamples"
            raise self._bad(row, "wrong sample rate", detail)
        try:
            content = self._shards.read(row)
        except ValueError as error:
            raise self._bad(row, "damaged shard", str(error)) from None
        try:
            wave, _ = read_wave(content, start=start, num_samples=num_samples)
        except AudioError as error:
            raise self._bad(row, error.cause, error.detail) from None
        if wave.ndim > 1:
            detail = f"{wave.shape[1]} channels instead of one; `duovox prepare` mixes down"
            raise self._bad(row, "several channels", detail)
        if self._refuse_silence and np.abs(wave).max() < _SILENCE:
            raise self._bad(row, "silence", f"samples {start} to {start + num_samples} are silent")
        return wave

    def _bad(self, row: int, cause: str, detail: str) -> BadAudioError:
        shard = str(self._index.shards[self._index.shard[row]])
        return BadAudioError(
            BadUtterance(key=self._index.key[row], shard=shard, cause=cause, detail=detail)
        )
