"""Each task sees its own dimensions of the last layer."""

from __future__ import annotations

from torch import Tensor, nn

from duovox.network.branch import Side
from duovox.network.wav2vec2.backbone import Encoded


class SplitBranch(nn.Module):
    """Give the first dimensions to the speaker task and the others to the speech task."""

    num_shared_layers = None

    def __init__(self, width: int, *, num_speaker_dimensions: int) -> None:
        super().__init__()
        if not 0 < num_speaker_dimensions < width:
            raise ValueError(
                f"num_speaker_dimensions must lie between 1 and {width - 1}, so that both tasks "
                f"get some of the {width} dimensions, got {num_speaker_dimensions} "
                "(network.num_speaker_dimensions)"
            )
        self.dims: dict[Side, int] = {
            "speech": width - num_speaker_dimensions,
            "speaker": num_speaker_dimensions,
        }
        self.num_own_layers: dict[Side, int] = {"speech": 0, "speaker": 0}

    def forward(self, encoded: Encoded, task: Side) -> Tensor:
        """Return the task's part (B, T, dims[task]) of the frames."""
        border = self.dims["speaker"]
        return encoded.frames[..., :border] if task == "speaker" else encoded.frames[..., border:]
