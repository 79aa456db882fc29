"""Whose data an utterance comes from: what the shared frames should not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from duovox.batch import NetworkOutput

SOURCES = ("speech", "speaker")  # in the order of the head's classes
NAME = "data_source"  # of the loss, beside those of the tasks


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """Tell utterances that are heard for their words from those that are heard for their speaker.

    The network's head learns to, and hands its gradient back reversed: the shared layers learn
    frames in which the two sets of data look alike, so that each task may profit from the other's.

    Args:
        weight: of the loss in the total.

    Source: Ganin & Lempitsky 2015, "Unsupervised domain adaptation by backpropagation", equation 1;
    Vaessen & van Leeuwen 2023, "Towards multi-task learning of speech and speaker recognition".
    """

    weight: float

    def loss(self, outputs: Mapping[str, NetworkOutput]) -> Tensor:
        """Return the cross-entropy; each task's batch counts half, whatever its size."""
        losses = []
        for label, name in enumerate(SOURCES):
            logits = _logits(outputs[name])
            losses.append(F.cross_entropy(logits, logits.new_full((len(logits),), label).long()))
        return torch.stack(losses).mean()

    def glance(self, outputs: Mapping[str, NetworkOutput]) -> dict[str, float]:
        """Return the share of utterances whose source is told, each batch counting half."""
        shares = [
            (_logits(outputs[name]).argmax(dim=-1) == label).float().mean()
            for label, name in enumerate(SOURCES)
        ]
        return {f"train_{NAME}_accuracy": torch.stack(shares).mean().item()}


def _logits(output: NetworkOutput) -> Tensor:
    """Return the logits (B, 2) of the sources."""
    assert output.source_logits is not None, "the network has a data-source head wherever this is"
    return output.source_logits
