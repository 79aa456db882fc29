"""What the two tasks share of the backbone.

A branch turns what the backbone made of a batch into the frames of one task, "speech" or
"speaker": `forward(encoded, task) -> (B, T, dim of the task)`. Only the task asked for is computed.

    shared     both tasks see all dimensions of the last layer
    branched   each task has its own copy of the upper layers
    early      the speaker task takes a lower layer, the speech task goes on to the last
    split      each task sees its own dimensions of the last layer
"""

from __future__ import annotations

from typing import Literal, Protocol

from torch import Tensor

from duovox.network.wav2vec2.backbone import Encoded

Side = Literal["speech", "speaker"]


class Branch(Protocol):
    """What the network expects of a branch."""

    dims: dict[Side, int]  # width of the frames that each task gets
    num_own_layers: dict[Side, int]  # transformer layers that a task goes through after the shared

    @property
    def num_shared_layers(self) -> int | None:
        """Number of the backbone's layers that are to run before it; None: all."""
        ...

    def __call__(self, encoded: Encoded, task: Side) -> Tensor:
        """Return the frames (B, T, dims[task]) of a task."""
        ...
