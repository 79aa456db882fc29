"""The network of contrastive pre-training: a backbone that learns to fill in what is masked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from duovox.network.dropout import Dropout
from duovox.network.padding import true_frames
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.product import Linear
from duovox.network.wav2vec2.quantizer import ProductQuantizer, Quantized


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainingOutput:
    """What the network says of the M masked frames of a batch, and what was there."""

    contexts: Tensor  # (M, P) the transformer's view of each masked frame, projected
    targets: Tensor  # (M, P) what it hides: its quantised feature, projected
    quantized: Quantized
    feature_penalty: Tensor  # () mean square of what the feature encoder makes
    num_frames: Tensor  # (B,) int64, true number of frames


class PretrainingNetwork(nn.Module):
    """Mask frames, let the transformer guess them, and quantise what they hide.

    Quantiser and projections work on masked frames only. The backbone must draw no time masks of
    its own; it learns the vector that stands for masked frames.

    Args:
        similarity_dim: P, width in which contexts and targets are compared.
        feature_gradient_scale: factor of the gradient that reaches the feature encoder, in (0, 1].
        feat_quantizer_dropout: on the features that the quantiser sees.

    Source: Baevski et al. 2020, "wav2vec 2.0", sections 2 and 3.
    """

    def __init__(
        self,
        backbone: Wav2Vec2Backbone,
        quantizer: ProductQuantizer,
        *,
        similarity_dim: int = 256,
        feature_gradient_scale: float = 0.1,
        feat_quantizer_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 < feature_gradient_scale <= 1:
            raise ValueError(
                "the gradient of the feature encoder must be scaled by a factor in (0, 1], got "
                f"{feature_gradient_scale}; to keep it still, freeze the feature encoder"
            )
        self.backbone = backbone
        self.backbone.embedding.masking.learn()
        self.quantizer = quantizer
        self.quantizer_dropout = Dropout(feat_quantizer_dropout)
        self.feature_gradient_scale = feature_gradient_scale
        self.context_projection = Linear(backbone.width, similarity_dim)
        self.target_projection = Linear(quantizer.out_dim, similarity_dim)

    def forward(
        self,
        waves: Tensor,
        num_samples: Tensor,
        mask: Tensor,
        *,
        num_masked: int,
        temperature: float = 1.0,
    ) -> PretrainingOutput:
        """Return both sides of the comparison, utterance after utterance, frame after frame.

        Args:
            waves: (B, S) with their true lengths num_samples (B,).
            mask: (B, T) bool, False at padding.
            num_masked: M, how many are True; told beforehand, the device need not be waited for.
            temperature: of the quantiser's choice in training.

        Raises:
            ValueError: nothing is masked, or the mask is not made for these waves.
        """
        features = self.backbone.feature_encoder(waves, num_samples)  # (B, T, C)
        _check_mask(mask, num_masked, features)
        features = _ScaleGradient.apply(features, self.feature_gradient_scale)  # type: ignore[no-untyped-call]
        num_frames = self.backbone.architecture.num_frames(num_samples)
        normalised = self.backbone.embedding.feature_norm(features)
        frames, _ = self.backbone.embedding(normalised, num_frames, None, mask)
        (frames,) = self.backbone.transformer(frames, num_frames)
        masked = torch.nonzero_static(mask.flatten(), size=num_masked)[:, 0]  # (M,) of B * T
        hidden = normalised.flatten(0, 1).index_select(0, masked)  # (M, C)
        quantized = self.quantizer(self.quantizer_dropout(hidden), temperature=temperature)
        contexts = frames.flatten(0, 1).index_select(0, masked)  # (M, D)
        return PretrainingOutput(
            contexts=self.context_projection(contexts),
            targets=self.target_projection(quantized.vectors),
            quantized=quantized,
            feature_penalty=self._penalty(features, num_frames),
            num_frames=num_frames,
        )

    def _penalty(self, features: Tensor, num_frames: Tensor) -> Tensor:
        """Return the mean square of features (B, T, C), of padding too if the network is so."""
        squares = features.float().square().mean(dim=-1)  # (B, T)
        if not self.backbone.feature_encoder.length_aware:
            return squares.mean()
        return (squares * true_frames(num_frames, squares.shape[1])).sum() / num_frames.sum()


class _ScaleGradient(torch.autograd.Function):
    """The identity, whose gradient is multiplied by a number."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return tensor.view_as(tensor)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * ctx.scale, None


def _check_mask(mask: Tensor, num_masked: int, features: Tensor) -> None:
    if mask.shape != features.shape[:2]:
        raise ValueError(
            f"the mask must have a value for each of the {tuple(features.shape[:2])} frames, got "
            f"{tuple(mask.shape)}"
        )
    if num_masked < 1:
        raise ValueError(
            "no frame of the batch is masked, so there is nothing to learn: leave utterances "
            "without masked frames out of the data, or raise the probability or the number of masks"
        )
