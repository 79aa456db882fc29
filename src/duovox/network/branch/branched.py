"""Each task has its own upper layers."""

from __future__ import annotations

from copy import deepcopy

from torch import Tensor, nn

from duovox.network.branch import Side
from duovox.network.wav2vec2.backbone import Encoded, Wav2Vec2Backbone


class BranchedLayers(nn.Module):
    """Share the lower transformer layers and give each task a copy of the upper ones.

    The upper layers are taken away from the backbone, whose own output then ends below them.

    Args:
        num_shared_layers: how many layers stay in the backbone.
    """

    num_shared_layers = None  # all that are left in the backbone

    def __init__(self, backbone: Wav2Vec2Backbone, *, num_shared_layers: int) -> None:
        super().__init__()
        num_layers = len(backbone.transformer.layers)
        if not 0 <= num_shared_layers < num_layers:
            raise ValueError(
                f"num_shared_layers must lie between 0 and {num_layers - 1}, so that each task "
                f"has a layer of its own, got {num_shared_layers} "
                "(network.num_shared_transformers)"
            )
        self.dims: dict[Side, int] = {"speech": backbone.width, "speaker": backbone.width}
        self.num_own_layers: dict[Side, int] = dict.fromkeys(
            self.dims, num_layers - num_shared_layers
        )
        upper = backbone.transformer.take_layers_above(num_shared_layers)
        self.layers = nn.ModuleDict({"speech": upper, "speaker": deepcopy(upper)})

    def forward(self, encoded: Encoded, task: Side) -> Tensor:
        """Return what the task's own layers make of the shared frames, (B, T, D)."""
        frames: Tensor = self.layers[task](encoded.frames, encoded.num_frames)[-1]
        return frames
