"""Both tasks see the same frames."""

from __future__ import annotations

from torch import Tensor, nn

from duovox.network.branch import Side
from duovox.network.wav2vec2.backbone import Encoded


class SharedBranch(nn.Module):
    """Give every task the backbone's last layer as it is."""

    num_shared_layers = None

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dims: dict[Side, int] = {"speech": width, "speaker": width}
        self.num_own_layers: dict[Side, int] = {"speech": 0, "speaker": 0}

    def forward(self, encoded: Encoded, task: Side) -> Tensor:
        """Return the frames (B, T, D)."""
        return encoded.frames
