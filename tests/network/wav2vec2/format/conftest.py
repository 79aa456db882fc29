"""Random checkpoints of every kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format.checkpoint import (
    HEAD,
    Checkpoint,
    Quantization,
    make_pretraining_network,
)
from duovox.network.wav2vec2.format.vocabulary import LETTERS

MakeCheckpoint = Callable[[str], Checkpoint]


@pytest.fixture
def make_checkpoint(architecture: Architecture) -> MakeCheckpoint:
    """Return a function that draws a checkpoint of a kind: backbone, speech or pretraining."""

    def make(kind: str) -> Checkpoint:
        backbone = Wav2Vec2Backbone(architecture)
        state = {f"backbone.{name}": tensor for name, tensor in backbone.state_dict().items()}
        sizes = None
        if kind == "pretraining":
            sizes = Quantization(num_codebooks=2, num_entries=5, out_dim=6, similarity_dim=8)
            state = make_pretraining_network(backbone, sizes).state_dict()
        if kind == "speech":
            state[f"{HEAD}.weight"] = torch.empty(len(LETTERS), architecture.width)
            state[f"{HEAD}.bias"] = torch.empty(len(LETTERS))
        return Checkpoint(
            architecture=architecture,
            state={name: torch.randn_like(tensor) for name, tensor in state.items()},
            normalizes=architecture.conv_bias,
            quantization=sizes,
            vocabulary=LETTERS if kind == "speech" else None,
        )

    return make


def assert_same(found: Checkpoint, expected: Checkpoint) -> None:
    """Hold all that a checkpoint tells against another, and its weights to the bit."""
    for name in ("architecture", "normalizes", "quantization", "vocabulary"):
        assert getattr(found, name) == getattr(expected, name)
    assert list(found.state) == list(expected.state)
    assert all(torch.equal(found.state[name], tensor) for name, tensor in expected.state.items())


@pytest.fixture(name="assert_same")
def _assert_same() -> Callable[[Checkpoint, Checkpoint], None]:
    return assert_same


@pytest.fixture
def some_tensors() -> dict[str, Tensor]:
    return {"a": torch.randn(3), "b": torch.randn(2, 2)}
