"""Batches and a network with weights that can be counted on one hand."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

from duovox.batch import MultiTaskBatch, NetworkOutput, SpeakerBatch, SpeechBatch
from duovox.run.quiet import quieten

VOCABULARY = ("<pad>", "|", "A", "B")


@pytest.fixture(autouse=True)
def _quiet() -> None:
    quieten()
    warnings.filterwarnings("ignore", message="You defined a `validation_step` but have no")


class SmallNetwork(nn.Module):
    """Hear a wave as its first sample: one shared weight, one weight per task."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Parameter(torch.tensor(1.0))
        self.speech = nn.Parameter(torch.tensor(1.0))
        self.speaker = nn.Parameter(torch.tensor(1.0))

    def forward(self, waves: Tensor, num_samples: Tensor, *, task: str) -> NetworkOutput:
        heard = self.shared * waves[:, :1]  # (B, 1)
        num_frames = torch.ones(len(waves), dtype=torch.int64)
        if task == "speech":
            logits = (self.speech * heard)[:, :, None].expand(-1, 1, len(VOCABULARY))
            return NetworkOutput(
                frames=heard[:, :, None], num_frames=num_frames, token_logits=logits
            )
        scores = torch.cat([self.speaker * heard, -heard], dim=1)  # (B, 2)
        return NetworkOutput(
            frames=heard[:, :, None],
            num_frames=num_frames,
            embedding=torch.cat([heard, torch.ones_like(heard)], dim=1),
            speaker_logits=scores,
        )


@pytest.fixture
def network() -> SmallNetwork:
    return SmallNetwork()


@pytest.fixture
def speech_batch() -> Callable[..., SpeechBatch]:
    """Return a function that makes a batch of waves of one sample, with their transcripts."""

    def make(samples: Sequence[float], transcripts: Sequence[str] = ()) -> SpeechBatch:
        count = len(samples)
        return SpeechBatch(
            keys=tuple(f"speech/{sample}" for sample in samples),
            waves=torch.tensor(samples)[:, None],
            num_samples=torch.ones(count, dtype=torch.int64),
            tokens=torch.full((count, 1), 2),
            num_tokens=torch.ones(count, dtype=torch.int64),
            transcripts=tuple(transcripts) or ("A",) * count,
        )

    return make


@pytest.fixture
def speaker_batch() -> Callable[..., SpeakerBatch]:
    """Return a function that makes a batch of waves of one sample, with their speakers."""

    def make(samples: Sequence[float], speaker_ids: Sequence[int] = ()) -> SpeakerBatch:
        return SpeakerBatch(
            keys=tuple(f"speaker/{sample}" for sample in samples),
            waves=torch.tensor(samples)[:, None],
            num_samples=torch.ones(len(samples), dtype=torch.int64),
            speaker_ids=torch.tensor(speaker_ids or [0] * len(samples)),
        )

    return make


@pytest.fixture
def batches(speech_batch, speaker_batch) -> Callable[[int], list[MultiTaskBatch]]:
    """Return a function that makes batches: speech hears 1 and 3, a speaker 2."""

    def make(number: int) -> list[MultiTaskBatch]:
        one = MultiTaskBatch(speech=speech_batch([1.0, 3.0]), speaker=speaker_batch([2.0]))
        return [one] * number

    return make
