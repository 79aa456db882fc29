"""Pre-training: learn from speech alone, by telling hidden frames from other hidden frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from duovox.batch import SslBatch
from duovox.loss.contrastive import Contrast, ContrastiveLoss
from duovox.loss.pretraining import PretrainingLoss, PretrainingLosses, perplexity
from duovox.network.wav2vec2.pretraining import PretrainingOutput


@dataclass(frozen=True, slots=True, kw_only=True)
class SslOutput:
    """What the network says of a batch, and how far it is right."""

    output: PretrainingOutput
    contrast: Contrast
    losses: PretrainingLosses
    codebooks: Tensor  # (G, V, D / G)


@dataclass(kw_only=True)
class SslTask:
    """Find what a masked frame hides among what other masked frames of the utterance hide.

    The network masks spans of an utterance, its transformer guesses what they hide, and a quantiser
    turns what they do hide into entries of codebooks. The loss is the contrast between the true
    entries and those of the negatives, and two penalties, divided by the masked frames of the
    batch.

    Source: Baevski et al. 2020, "wav2vec 2.0", section 3.
    """

    contrastive: ContrastiveLoss
    pretraining: PretrainingLoss
    gumbel_temperature: Callable[[int], float]  # of the step after so many finished ones
    temperature: float = 1.0  # of the current step

    def at_step(self, num_steps: int) -> None:
        """Set the temperature for the step after `num_steps` finished ones."""
        self.temperature = self.gumbel_temperature(num_steps)

    def forward(self, network: nn.Module, batch: SslBatch) -> tuple[SslOutput, Tensor]:
        """Return what the network makes of the batch, and the loss per masked frame."""
        output: PretrainingOutput = network(
            batch.waves,
            batch.num_samples,
            batch.mask,
            num_masked=sum(batch.num_masked),
            temperature=self.temperature,
        )
        contrast = self.contrastive(
            output.contexts,
            output.targets,
            codes=output.quantized.codes,
            negatives=batch.negatives,
            num_masked=batch.num_masked,
        )
        losses = self.pretraining(
            contrast,
            probabilities=output.quantized.probabilities,
            feature_penalty=output.feature_penalty,
        )
        codebooks = network.get_parameter("quantizer.codebooks").detach()
        heard = SslOutput(output=output, contrast=contrast, losses=losses, codebooks=codebooks)
        return heard, losses.total / losses.num_masked

    @torch.no_grad()
    def glance(self, batch: SslBatch, heard: SslOutput) -> dict[str, float]:
        """Return the parts of the loss per masked frame, accuracy, and how the codebooks are used.

        A perplexity counts the entries of a codebook that are in use: of the choices made
        (`code_perplexity`), or of the probabilities before noise (`prob_perplexity`).
        """
        losses, quantized = heard.losses, heard.output.quantized
        values = {
            "train_contrastive": losses.contrastive.item() / losses.num_masked,
            "train_diversity": losses.diversity.item() / losses.num_masked,
            "train_feature_penalty": losses.feature_penalty.item() / losses.num_masked,
            "train_accuracy": losses.accuracy.item(),
            "share_masked": losses.num_masked / int(heard.output.num_frames.sum()),
            "gumbel_temperature": self.temperature,
        }
        values |= _numbered("train_code_perplexity", perplexity(quantized.shares))
        values |= _numbered("train_prob_perplexity", perplexity(quantized.probabilities))
        return values | _similarities(heard.codebooks)


def _similarities(codebooks: Tensor) -> dict[str, float]:
    """Describe the cosines between two entries of the same codebook, from (G, V, D / G)."""
    entries = nn.functional.normalize(codebooks.float(), dim=-1)
    with torch.autocast(codebooks.device.type, enabled=False):  # bfloat16 has two digits
        cosines = entries @ entries.mT  # (G, V, V)
    first, second = torch.triu_indices(cosines.shape[1], cosines.shape[2], offset=1)
    pairs = cosines[:, first, second]  # (G, V (V - 1) / 2)
    parts = {
        "avg": pairs.mean(dim=1),
        "min": pairs.amin(dim=1),
        "max": pairs.amax(dim=1),
        "std": pairs.std(dim=1),
    }
    return {
        name: value
        for part, of_each in parts.items()
        for name, value in _numbered(f"codebook_similarity_{part}", of_each).items()
    }


def _numbered(name: str, of_each: Tensor) -> dict[str, float]:
    """Name the values (G,) of the codebooks: `name_1`, `name_2`, ..."""
    return {f"{name}_{number}": value for number, value in enumerate(of_each.tolist(), start=1)}
