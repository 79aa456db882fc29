"""Batches of waves for training: shuffled, augmented, and the same whoever reads them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from duovox.batch import BadUtterance
from duovox.data.dataset.index import Index
from duovox.data.listing import listing
from duovox.data.plan.batching import Batching, Rows
from duovox.data.plan.epoch import Plan, num_batches_per_epoch, plan, too_long
from duovox.data.plan.generator import generator_for
from duovox.data.wave.batch import Waves
from duovox.data.wave.preparation import Preparation
from duovox.data.wave.reader import BadAudioError, WaveReader

_MAX_EMPTY_BATCHES = 10  # in a row, before training gives up


class TrainingWaves:
    """Shuffled, augmented batches; an utterance that cannot be used is left out and named.

    Every epoch has `num_batches` batches; a batch depends on its epoch and number alone.

    Args:
        purpose: Keeps the random choices of two tasks with the same seed apart.

    Raises:
        ValueError: no utterance, or one that exceeds the budget of a whole batch.
    """

    def __init__(
        self,
        index: Index,
        *,
        batching: Batching,
        preparation: Preparation,
        seed: int,
        purpose: str,
    ) -> None:
        self.index = index
        self.preparation = preparation
        self._batching = batching
        self._seed = seed
        self._purpose = purpose
        needs_speakers = batching.utterances_per_speaker > 1
        self._speakers = index.speaker_id.codes()[0] if needs_speakers else None  # (N,)
        self._reader = WaveReader(index, refuse_silence=True)
        self._plans: dict[int, tuple[Plan, NDArray[np.int64]]] = {}
        self._check_lengths()
        self.num_batches = num_batches_per_epoch(
            lambda epoch: self._lengths(self._draw_speeds(epoch)),
            index.shard,
            batching=batching,
            seed=seed,
        )

    def plan(self, epoch: int) -> Plan:
        """Return the batches of an epoch as rows of the index."""
        return self._plan_and_speeds(epoch)[0]

    def batch(self, epoch: int, number: int) -> Waves:
        """Return batch `number` of an epoch; should all of it be bad, the next one that is not.

        Raises:
            ValueError: ten batches in a row have nothing that can be used.
        """
        bad: list[BadUtterance] = []
        for ahead in range(_MAX_EMPTY_BATCHES):
            waves = self._read(epoch, (number + ahead) % self.num_batches, bad)
            if len(waves.rows):
                return waves
        raise ValueError(
            f"{len(bad)} utterances in a row cannot be used; the last: {bad[-1].shard}: "
            f"{bad[-1].key}: {bad[-1].cause}: {bad[-1].detail}"
        )

    def _read(self, epoch: int, number: int, bad: list[BadUtterance]) -> Waves:
        """Read one batch; what cannot be used is added to `bad`."""
        planned, speeds = self._plan_and_speeds(epoch)
        rows, waves = [], []
        for position, row in enumerate(planned.batch(number).tolist()):
            place = (self._seed, epoch, number, position)
            try:
                wave = self.preparation.prepare(
                    self._reader,
                    row,
                    num_samples=int(self.index.num_samples[row]),
                    speed=int(speeds[row]),
                    generator=generator_for(self._purpose, *place),
                )
            except BadAudioError as error:
                bad.append(error.utterance)
                continue
            rows.append(row)
            waves.append(wave)
        kept = np.array(rows, dtype=np.int64)
        return Waves(rows=kept, waves=tuple(waves), speeds=speeds[kept], bad_utterances=tuple(bad))

    def _plan_and_speeds(self, epoch: int) -> tuple[Plan, NDArray[np.int64]]:
        """Plan an epoch; the plans of two epochs are kept, for workers around the end of one."""
        if epoch not in self._plans:
            speeds = self._draw_speeds(epoch)
            planned = plan(
                self._lengths(speeds),
                self.index.shard,
                batching=self._batching,
                seed=self._seed,
                epoch=epoch,
                speakers=self._speakers,
                num_batches=self.num_batches,
            )
            self._plans = dict([*self._plans.items(), (epoch, (planned, speeds))][-2:])
        return self._plans[epoch]

    def _draw_speeds(self, epoch: int) -> NDArray[np.int64]:
        generator = generator_for(f"{self._purpose} speed", self._seed, epoch)
        return self.preparation.speed.draw(len(self.index), generator)

    def _lengths(self, speeds: NDArray[np.int64]) -> Rows:
        return self.preparation.lengths(self.index.num_samples, speeds)

    def _check_lengths(self) -> None:
        """Refuse utterances that are longer than a batch at the slowest speed."""
        slowest = np.argmin(self.preparation.speed.factors)
        lengths = self._lengths(np.full(len(self.index), slowest))
        if len(rows := too_long(lengths, self._batching)):
            raise ValueError(
                f"{len(rows)} utterances are longer than a whole batch may be "
                f"(max_padded_samples={self._batching.max_padded_samples}); raise it "
                f"({self._purpose}.dataloader.train_max_num_samples) or leave them out "
                f"({self._purpose}.pipeline.max_seconds):{listing(self.index.key.take(rows))}"
            )
