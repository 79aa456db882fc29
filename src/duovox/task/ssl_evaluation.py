"""Collect how well hidden frames are found in one set of utterances."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from duovox.batch import SslBatch
from duovox.loss.contrastive import Contrast
from duovox.loss.pretraining import PretrainingLosses, perplexity
from duovox.task.ssl import SslOutput, SslTask


@dataclass(kw_only=True)
class SslEvaluation:
    """The loss and the use of the codebooks over a set, as if it were a single batch.

    So every masked frame counts the same, and how the set was cut into batches does not matter.
    """

    name: str
    task: SslTask
    num_utterances: int = 0
    num_masked: int = 0
    num_frames: int = 0
    example: SslBatch | None = None  # the first batch, to show what is masked
    _sums: dict[str, Tensor] = field(default_factory=dict)

    def start(self) -> None:
        """Forget the results of the last pass."""
        self.num_utterances = self.num_masked = self.num_frames = 0
        self.example = None
        self._sums = {}

    def add(self, network: nn.Module, batch: SslBatch) -> None:
        """Hear one batch."""
        heard, _ = self.task.forward(network, batch)
        self.example = self.example or batch
        num_frames = int(heard.output.num_frames.sum())
        self.num_utterances += len(batch)
        self.num_masked += heard.contrast.num_masked
        self.num_frames += num_frames
        for name, value in _sums_of(heard, num_frames).items():
            self._sums[name] = self._sums.get(name, torch.zeros(())) + value.double().cpu()

    def losses(self) -> PretrainingLosses:
        """Return the losses of the set, summed over its masked frames."""
        losses: PretrainingLosses = self.task.pretraining(
            Contrast(
                loss=self._sums["contrastive"],
                num_right=self._sums["num_right"],
                num_masked=self.num_masked,
            ),
            probabilities=self._sums["probabilities"] / self.num_masked,
            feature_penalty=self._sums["feature_penalty"] / self.num_frames,
        )
        return losses

    def code_shares(self) -> Tensor:
        """Return (G, V): the share of masked frames that each entry of each codebook stands for."""
        return self._sums["shares"] / self.num_masked

    def code_perplexities(self) -> list[float]:
        """Return how many entries of each codebook are in use, by the choices made."""
        return _numbers(perplexity(self.code_shares()))

    def prob_perplexities(self) -> list[float]:
        """Return how many entries of each codebook are in use, by their probabilities."""
        return _numbers(perplexity(self._sums["probabilities"] / self.num_masked))

    def result(self) -> dict[str, float]:
        """Return `loss` and `contrastive` per masked frame, `accuracy`, and perplexities."""
        losses = self.losses()
        perplexities = {
            f"{kind}_perplexity_{number}": value
            for kind, values in (
                ("code", self.code_perplexities()),
                ("prob", self.prob_perplexities()),
            )
            for number, value in enumerate(values, start=1)
        }
        return {
            "loss": losses.total.item() / self.num_masked,
            "contrastive": losses.contrastive.item() / self.num_masked,
            "accuracy": losses.accuracy.item(),
        } | perplexities


def _sums_of(heard: SslOutput, num_frames: int) -> dict[str, Tensor]:
    """Return what is summed over batches: of masked frames, and the penalty of all frames."""
    quantized, contrast = heard.output.quantized, heard.contrast
    return {
        "contrastive": contrast.loss.detach(),
        "num_right": contrast.num_right,
        "probabilities": quantized.probabilities.detach() * contrast.num_masked,
        "shares": quantized.shares * contrast.num_masked,
        "feature_penalty": heard.output.feature_penalty.detach() * num_frames,
    }


def _numbers(values: Tensor) -> list[float]:
    numbers: list[float] = values.tolist()
    return numbers
