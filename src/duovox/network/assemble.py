"""The network of both tasks: one backbone, a speech head, a speaker head."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from duovox.batch import NetworkOutput
from duovox.network.branch import Branch
from duovox.network.branch.branched import BranchedLayers
from duovox.network.branch.shared import SharedBranch
from duovox.network.branch.split import SplitBranch
from duovox.network.head.cosine import CosineHead
from duovox.network.head.ctc import CtcHead
from duovox.network.head.linear import LinearHead
from duovox.network.pooling import Pooling
from duovox.network.wav2vec2.backbone import Encoded, Wav2Vec2Backbone

Task = Literal["speech", "speaker", "both"]


class SpeechSpeakerNetwork(nn.Module):
    """Learn what is said and who says it on shared frames.

    A network of one task leaves the other's parts out.

    Args:
        speech_head: logits of the tokens.
        pooling: embedding of the utterance. If it asks for a class frame, both tasks get one; it
            pools `num_speaker_dimensions` dimensions where that is set.
        speaker_head: logits or cosines of the training speakers; None = embeddings only.
        num_shared_layers: give each task its own copy of the transformer layers above these.
        num_speaker_dimensions: give the first so many dimensions of the frames to the speaker
            task and the others to the speech task.

    Raises:
        ValueError: the parts do not fit each other.
    """

    def __init__(
        self,
        backbone: Wav2Vec2Backbone,
        *,
        speech_head: CtcHead | None = None,
        pooling: Pooling | None = None,
        speaker_head: CosineHead | LinearHead | None = None,
        num_shared_layers: int | None = None,
        num_speaker_dimensions: int | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.branch = _branch(backbone, num_shared_layers, num_speaker_dimensions)
        self.speech_head = speech_head
        self.pooling = pooling
        self.speaker_head = speaker_head
        self._check_parts()

    def forward(self, waves: Tensor, num_samples: Tensor, *, task: Task) -> NetworkOutput:
        """Run what the task needs on waves (B, S) of true lengths num_samples (B,).

        Returns:
            The logits and the embedding of the task. The frames are those that the task sees, and
            those of speech for both.
        """
        class_frame = None if self.pooling is None else self.pooling.class_frame
        encoded = self.backbone(waves, num_samples, class_frame=class_frame)
        if task == "speech":
            return self._speech(encoded)
        if task == "speaker":
            return self._speaker(encoded)
        speech, speaker = self._speech(encoded), self._speaker(encoded)
        return replace(speech, embedding=speaker.embedding, speaker_logits=speaker.speaker_logits)

    @property
    def last_shared_layer(self) -> nn.Module:
        """The last part of the network that both tasks go through."""
        layers = self.backbone.transformer.layers
        return layers[-1] if len(layers) else self.backbone.embedding

    def _speech(self, encoded: Encoded) -> NetworkOutput:
        if self.speech_head is None:
            raise ValueError("this network has no speech head, so it cannot tell what is said")
        frames, num_frames = self._without_class_frame(encoded, self.branch(encoded, "speech"))
        return NetworkOutput(
            frames=frames, num_frames=num_frames, token_logits=self.speech_head(frames)
        )

    def _speaker(self, encoded: Encoded) -> NetworkOutput:
        if self.pooling is None:
            raise ValueError("this network has no pooling, so it cannot tell who speaks")
        side = self.branch(encoded, "speaker")
        token_logits = None
        if self.pooling.needs_token_logits:
            with torch.no_grad():  # they choose frames, and a choice has no gradient
                token_logits = self._speech(encoded).token_logits
        embedding = self.pooling(side, encoded.num_frames, token_logits)
        frames, num_frames = self._without_class_frame(encoded, side)
        return NetworkOutput(
            frames=frames,
            num_frames=num_frames,
            embedding=embedding,
            speaker_logits=None if self.speaker_head is None else self.speaker_head(embedding),
        )

    def _without_class_frame(self, encoded: Encoded, side: Tensor) -> tuple[Tensor, Tensor]:
        if self.pooling is None or self.pooling.class_frame is None:
            return side, encoded.num_frames
        return side[:, 1:], encoded.num_frames - 1

    def _check_parts(self) -> None:
        if self.speech_head is None and self.pooling is None:
            raise ValueError("a network needs a speech head or a pooling, got neither")
        if self.speaker_head is not None and self.pooling is None:
            raise ValueError("a speaker head needs a pooling to make embeddings, got none")
        if self.pooling is not None and self.pooling.needs_token_logits and not self.speech_head:
            raise ValueError(
                "this pooling chooses frames by the token logits, so it needs a speech head, got "
                "none: take another pooling (network.stat_pooling_type)"
            )
        has_both = self.speech_head is not None and self.pooling is not None
        if not has_both and not isinstance(self.branch, SharedBranch):
            raise ValueError(
                "branches and split dimensions divide the network between two tasks, but it has "
                "one: leave num_shared_layers and num_speaker_dimensions out, or add the other task"
            )
        if self.speech_head is not None:
            _check_width("speech head", self.speech_head.in_dim, self.branch.dims["speech"])
        if self.speaker_head is not None and self.pooling is not None:
            _check_width("speaker head", self.speaker_head.in_dim, self.pooling.out_dim)


def _branch(
    backbone: Wav2Vec2Backbone, num_shared_layers: int | None, num_speaker_dimensions: int | None
) -> Branch:
    if num_shared_layers is not None and num_speaker_dimensions is not None:
        raise ValueError(
            "branched layers give each task all dimensions of its own copy, so there is nothing "
            "to split: leave num_shared_layers or num_speaker_dimensions out"
        )
    if num_shared_layers is not None:
        return BranchedLayers(backbone, num_shared_layers=num_shared_layers)
    if num_speaker_dimensions is not None:
        return SplitBranch(backbone.width, num_speaker_dimensions=num_speaker_dimensions)
    return SharedBranch(backbone.width)


def _check_width(head: str, found: int, width: int) -> None:
    if found != width:
        raise ValueError(f"the {head} must take vectors of width {width}, got in_dim={found}")
