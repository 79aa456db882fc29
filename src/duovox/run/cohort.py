"""The strangers whom a test's speakers are compared with: means of the training speakers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader

from duovox.data.dataset.index import Index
from duovox.metric.score_normalisation import speaker_means
from duovox.progress import Progress
from duovox.task.evaluation import SpeakerEvaluation


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Training utterances in batches, and how many speakers an utterance is compared with."""

    batches: DataLoader[Any]
    num_batches: int
    num_nearest: int

    def listen(
        self, network: nn.Module, *, device: torch.device, progress: Progress
    ) -> Callable[[SpeakerEvaluation], NDArray[np.float64]]:
        """Embed the cohort, and return what normalises the scores (N,) of an evaluation by it."""
        strangers = self._embed(network, device, progress)
        num_nearest = self.num_nearest
        return lambda evaluation: evaluation.normalised_scores(strangers, num_nearest=num_nearest)

    def _embed(self, network: nn.Module, device: torch.device, progress: Progress) -> Tensor:
        """Return (K, E), the unit-length mean embedding of each training speaker, on the CPU."""
        embeddings, speaker_ids = [], []
        with progress.work("embedding the cohort", self.num_batches, "batches") as work:
            for batch in self.batches:
                moved = batch.to(device)
                output = network(moved.waves, moved.num_samples, task="speaker")
                embeddings.append(output.embedding.float().cpu())
                speaker_ids.append(batch.speaker_ids)
                work.advance()
        return speaker_means(torch.cat(embeddings), torch.cat(speaker_ids))


def draw_per_speaker(index: Index, count: int, *, seed: int) -> NDArray[np.int64]:
    """Return the rows of `count` utterances of each speaker, or of all it has, in ascending order.

    Utterances without a speaker are left out.
    """
    speakers, names = index.speaker_id.codes()
    shuffled = np.random.default_rng(seed).permutation(len(speakers))
    by_speaker = shuffled[np.argsort(speakers[shuffled], kind="stable")]
    starts = np.searchsorted(speakers[by_speaker], np.arange(len(names)))
    place = np.arange(len(speakers)) - starts[speakers[by_speaker]]  # among the speaker's own
    known = np.array([name != "" for name in names], dtype=np.bool_)
    return np.sort(by_speaker[(place < count) & known[speakers[by_speaker]]])
