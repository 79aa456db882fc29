"""The speaker task takes a layer below the last."""

from __future__ import annotations

from copy import deepcopy

from torch import Tensor, nn

from duovox.network.branch import Side
from duovox.network.wav2vec2.backbone import Encoded, Wav2Vec2Backbone


class EarlySpeakerBranch(nn.Module):
    """Let the speaker task leave the transformer early, while the speech task goes on to its end.

    All layers stay in the backbone, and a batch of speakers ends where its task does. A transformer
    with norms inside its layers (stable layer norm) normalises behind the last of them only, so
    that there the speaker task gets a final norm of its own, which begins as a copy.

    Args:
        num_layers: how many layers the speaker task goes through; 0: the transformer's input.

    Source: Vaessen & van Leeuwen 2023, "Towards multi-task learning of speech and speaker
    recognition", the speaker head at layer 6.
    """

    def __init__(self, backbone: Wav2Vec2Backbone, *, num_layers: int) -> None:
        super().__init__()
        highest = len(backbone.transformer.layers)
        if not 0 <= num_layers <= highest:
            raise ValueError(
                f"the speaker head must be at layer -1 (the last) or at one from 0 to {highest}, "
                f"got {num_layers} (network.speaker_head_layer)"
            )
        self.dims: dict[Side, int] = {"speech": backbone.width, "speaker": backbone.width}
        self.num_shared_layers = num_layers
        self.num_own_layers: dict[Side, int] = {"speech": highest - num_layers, "speaker": 0}
        self.norm = deepcopy(backbone.transformer.final_norm)
        self._transformer = (backbone.transformer,)  # a tuple, so that it is not counted as ours

    def forward(self, encoded: Encoded, task: Side) -> Tensor:
        """Return the frames (B, T, D) of the task, from those behind its layers."""
        if task == "speaker":
            early: Tensor = self.norm(encoded.frames)
            return early
        (transformer,) = self._transformer
        start = self.num_shared_layers
        last: Tensor = transformer(encoded.frames, encoded.num_frames, start=start)[-1]
        return last
