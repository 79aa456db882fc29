"""The network of both tasks: one backbone, a speech head, a speaker head."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from duovox.batch import NetworkOutput
from duovox.network.branch import Branch
from duovox.network.branch.branched import BranchedLayers
from duovox.network.branch.early import EarlySpeakerBranch
from duovox.network.branch.shared import SharedBranch
from duovox.network.branch.split import SplitBranch
from duovox.network.head.cosine import CosineHead
from duovox.network.head.ctc import CtcHead
from duovox.network.head.data_source import DataSourceHead
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
        source_head: logits of whose data an utterance is from, on the frames that both tasks share.
        num_shared_layers: give each task its own copy of the transformer layers above these.
        num_speaker_dimensions: give the first so many dimensions of the frames to the speaker
            task and the others to the speech task.
        speaker_layer: transformer layer whose output is pooled, counted from 1; 0: their input,
            None: the last.

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
        source_head: DataSourceHead | None = None,
        num_shared_layers: int | None = None,
        num_speaker_dimensions: int | None = None,
        speaker_layer: int | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.branch = _branch(backbone, num_shared_layers, num_speaker_dimensions, speaker_layer)
        self.speech_head = speech_head
        self.pooling = pooling
        self.speaker_head = speaker_head
        self.source_head = source_head
        self._check_parts()

    def forward(self, waves: Tensor, num_samples: Tensor, *, task: Task) -> NetworkOutput:
        """Run what the task needs on waves (B, S) of true lengths num_samples (B,).

        Returns:
            The logits and the embedding of the task. The frames are those that the task sees, and
            those of speech for both.
        """
        class_frame = None if self.pooling is None else self.pooling.class_frame
        encoded = self.backbone(
            waves, num_samples, class_frame=class_frame, num_layers=self.branch.num_shared_layers
        )
        if task == "speech":
            return self._speech(encoded)
        if task == "speaker":
            return self._speaker(encoded)
        speech = self._speech(encoded)
        speaker = self._speaker(encoded, speech.token_logits)
        return replace(speech, embedding=speaker.embedding, speaker_logits=speaker.speaker_logits)

    @property
    def last_shared_layer(self) -> nn.Module:
        """The last part of the network that both tasks go through."""
        layers = self.backbone.transformer.layers[: self.branch.num_shared_layers]
        return layers[-1] if len(layers) else self.backbone.embedding

    def num_layers(self, task: Task) -> int:
        """Return how many transformer layers a forward pass for the task runs."""
        own = self.branch.num_own_layers
        shared = self.branch.num_shared_layers
        num_shared = len(self.backbone.transformer.layers) if shared is None else shared
        return num_shared + (sum(own.values()) if task == "both" else own[task])

    def _speech(self, encoded: Encoded) -> NetworkOutput:
        if self.speech_head is None:
            raise ValueError("this network has no speech head, so it cannot tell what is said")
        frames, num_frames = self._without_class_frame(encoded, self.branch(encoded, "speech"))
        return NetworkOutput(
            frames=frames,
            num_frames=num_frames,
            token_logits=self.speech_head(frames),
            source_logits=self._source_logits(encoded),
        )

    def _speaker(self, encoded: Encoded, token_logits: Tensor | None = None) -> NetworkOutput:
        if self.pooling is None:
            raise ValueError("this network has no pooling, so it cannot tell who speaks")
        side = self.branch(encoded, "speaker")
        if self.pooling.needs_token_logits and token_logits is None:
            with torch.no_grad():  # they choose frames, and a choice has no gradient
                token_logits = self._speech(encoded).token_logits
        embedding = self.pooling(side, encoded.num_frames, token_logits)
        frames, num_frames = self._without_class_frame(encoded, side)
        return NetworkOutput(
            frames=frames,
            num_frames=num_frames,
            embedding=embedding,
            speaker_logits=None if self.speaker_head is None else self.speaker_head(embedding),
            source_logits=self._source_logits(encoded),
        )

    def _source_logits(self, encoded: Encoded) -> Tensor | None:
        if self.source_head is None:
            return None
        shared = self._without_class_frame(encoded, encoded.frames)
        logits: Tensor = self.source_head(*shared)
        return logits

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
        self._check_branch()
        if self.source_head is not None:
            if self.speech_head is None or self.pooling is None:
                raise ValueError(
                    "a data-source head tells the data of two tasks apart, and this network has "
                    "one: set network.use_data_source_head=false, or add the other task"
                )
            _check_width("data-source head", self.source_head.in_dim, self.backbone.width)
        if self.speech_head is not None:
            _check_width("speech head", self.speech_head.in_dim, self.branch.dims["speech"])
        if self.speaker_head is not None and self.pooling is not None:
            _check_width("speaker head", self.speaker_head.in_dim, self.pooling.out_dim)

    def _check_branch(self) -> None:
        if isinstance(self.branch, EarlySpeakerBranch):
            self._check_speaker_layer(self.branch.num_shared_layers)
            return
        has_both = self.speech_head is not None and self.pooling is not None
        if not has_both and not isinstance(self.branch, SharedBranch):
            raise ValueError(
                "branches and split dimensions divide the network between two tasks, but it has "
                "one: leave num_shared_layers and num_speaker_dimensions out, or add the other task"
            )

    def _check_speaker_layer(self, num_layers: int) -> None:
        if self.pooling is None:
            raise ValueError(
                "a layer for the speaker head needs a pooling, got none: leave "
                "network.speaker_head_layer at -1"
            )
        if num_layers == 0 and self.pooling.class_frame is not None:
            raise ValueError(
                "a class frame hears the others in transformer layers, of which there is none "
                "below network.speaker_head_layer=0: take a higher layer or another "
                "network.stat_pooling_type"
            )


def _branch(
    backbone: Wav2Vec2Backbone,
    num_shared_layers: int | None,
    num_speaker_dimensions: int | None,
    speaker_layer: int | None,
) -> Branch:
    is_last = speaker_layer in (None, len(backbone.transformer.layers))
    if not is_last and (num_shared_layers is not None or num_speaker_dimensions is not None):
        raise ValueError(
            "a speaker head below the last layer shares all dimensions of the layers up to its "
            f"own, got layer {speaker_layer} (network.speaker_head_layer): leave it at -1, or "
            "leave branched layers and split dimensions out"
        )
    if num_shared_layers is not None and num_speaker_dimensions is not None:
        raise ValueError(
            "branched layers give each task all dimensions of its own copy, so there is nothing "
            "to split: leave num_shared_layers or num_speaker_dimensions out"
        )
    if num_shared_layers is not None:
        return BranchedLayers(backbone, num_shared_layers=num_shared_layers)
    if num_speaker_dimensions is not None:
        return SplitBranch(backbone.width, num_speaker_dimensions=num_speaker_dimensions)
    if speaker_layer is not None and not is_last:
        return EarlySpeakerBranch(backbone, num_layers=speaker_layer)
    return SharedBranch(backbone.width)


def _check_width(head: str, found: int, width: int) -> None:
    if found != width:
        raise ValueError(f"the {head} must take vectors of width {width}, got in_dim={found}")
