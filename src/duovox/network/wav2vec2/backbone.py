"""The whole wav2vec 2.0 network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.embedding import Embedding, Shuffle
from duovox.network.wav2vec2.feature_encoder import FeatureEncoder
from duovox.network.wav2vec2.mask import SpanMasking, Spans
from duovox.network.wav2vec2.transformer import Transformer


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """What the backbone makes of a batch; T and num_frames count a class frame in front."""

    frames: Tensor  # (B, T, D), zero at padding
    num_frames: Tensor  # (B,) int64
    layers: tuple[Tensor, ...] | None = None  # (B, T, D) each; 0 = the transformer's input


class Wav2Vec2Backbone(nn.Module):
    """Turn waves into one vector per 20 ms.

    Everything that a network forgets or hides in training (dropouts, LayerDrop, masks) is off by
    default and in eval.

    Args:
        feat_proj_dropout: on the projected features, before masking.
        hidden_dropout: on what enters the transformer and on each residual branch.
        attention_dropout, activation_dropout: on attention weights; between the two products of
            the feed-forward network.
        layerdrop: probability of passing over a transformer layer.
        mask_time_prob: spans of `mask_time_length` frames per frame of an utterance, times their
            length, and at least `mask_time_min_spans`; 0 turns masking off. Masked frames become a
            learned vector.
        mask_feature_prob: the same over the D channels, for the whole utterance; masked to zero.
        length_aware: keep padding out of the group norm; False restores the published behaviour.
        freeze_feature_encoder: the convolutions get no gradient.
        random_permutation_mode: in training, shuffle the frames of each utterance "before" or
            "after" they get positions: what is left is the voice, not the words.
        gradient_checkpointing: compute each transformer layer again in the backward pass instead
            of keeping its inner values.
    """

    def __init__(
        self,
        architecture: Architecture,
        *,
        feat_proj_dropout: float = 0.0,
        hidden_dropout: float = 0.0,
        attention_dropout: float = 0.0,
        activation_dropout: float = 0.0,
        layerdrop: float = 0.0,
        mask_time_prob: float = 0.0,
        mask_time_length: int = 10,
        mask_time_min_spans: int = 2,
        mask_feature_prob: float = 0.0,
        mask_feature_length: int = 10,
        length_aware: bool = True,
        freeze_feature_encoder: bool = False,
        random_permutation_mode: Shuffle | None = None,
        gradient_checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.freeze_feature_encoder = freeze_feature_encoder
        self.feature_encoder = FeatureEncoder(architecture, length_aware=length_aware)
        self.feature_encoder.requires_grad_(not freeze_feature_encoder)
        self.embedding = Embedding(
            architecture,
            masking=SpanMasking(
                architecture.width,
                time=Spans(mask_time_prob, mask_time_length),
                feature=Spans(mask_feature_prob, mask_feature_length),
                min_time_spans=mask_time_min_spans,
            ),
            feat_proj_dropout=feat_proj_dropout,
            hidden_dropout=hidden_dropout,
            shuffle=random_permutation_mode,
        )
        self.transformer = Transformer(
            architecture,
            attention_dropout=attention_dropout,
            activation_dropout=activation_dropout,
            hidden_dropout=hidden_dropout,
            layerdrop=layerdrop,
            gradient_checkpointing=gradient_checkpointing,
        )

    @property
    def width(self) -> int:
        """Width D of the frames."""
        return self.architecture.width

    def forward(
        self,
        waves: Tensor,
        num_samples: Tensor,
        *,
        with_layers: bool = False,
        class_frame: Tensor | None = None,
        num_layers: int | None = None,
    ) -> Encoded:
        """Return the frames of waves (B, S) with their true lengths num_samples (B,).

        Args:
            with_layers: return the transformer's input and the output of each layer as well.
            class_frame: (D,) a vector to put in front of the frames of every utterance, after
                masking and before the positions; it comes back as frame 0.
            num_layers: end behind so many transformer layers, before any final norm; None: the end.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.freeze_feature_encoder):
            features = self.feature_encoder(waves, num_samples)  # (B, T, C)
        normalised = self.embedding.feature_norm(features)
        num_frames = self.architecture.num_frames(num_samples)
        frames, num_frames = self.embedding(normalised, num_frames, class_frame)
        layers = self.transformer(frames, num_frames, with_layers=with_layers, stop=num_layers)
        return Encoded(
            frames=layers[-1], num_frames=num_frames, layers=layers if with_layers else None
        )
