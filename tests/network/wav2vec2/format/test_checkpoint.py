"""A checkpoint holds the whole network that its sizes describe, or says what it lacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.format.checkpoint import Checkpoint, collect


@pytest.fixture
def checkpoint(make_checkpoint: Callable[[str], Checkpoint]) -> Checkpoint:
    return make_checkpoint("backbone")


def _collect(
    tensors: dict[str, Tensor], architecture: Architecture
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    return collect(
        tensors,
        None,
        source="a.pt",
        architecture=architecture,
        quantization=None,
        vocabulary_size=None,
    )


def test_what_has_no_place_is_named(checkpoint: Checkpoint) -> None:
    tensors = checkpoint.backbone_state() | {"speaker_head.weight": torch.ones(1)}
    state, left_out = _collect(tensors, checkpoint.architecture)
    assert left_out == ("speaker_head.weight",)
    assert state.keys() == checkpoint.state.keys()


def test_a_missing_tensor_is_named(checkpoint: Checkpoint) -> None:
    tensors = checkpoint.backbone_state()
    del tensors["embedding.projection.bias"]
    message = r"a\.pt does not hold the network .* missing: embedding\.projection\.bias\."
    with pytest.raises(ValueError, match=message):
        _collect(tensors, checkpoint.architecture)


def test_a_checkpoint_of_another_size_is_told_with_both_sizes(checkpoint: Checkpoint) -> None:
    wide = replace(checkpoint.architecture, width=64)
    with pytest.raises(ValueError, match=r"of another shape: .* and \d+ more") as caught:
        _collect(checkpoint.backbone_state(), wide)
    message = "embedding.projection.weight is (32, 16), the network wants (64, 16)"
    assert message in str(caught.value)
    assert "take both from the same place" in str(caught.value)


def test_more_layers_than_there_are_is_missing_tensors(checkpoint: Checkpoint) -> None:
    deep = replace(checkpoint.architecture, num_layers=3)
    with pytest.raises(ValueError, match=r"missing: transformer\.layers\.2\."):
        _collect(checkpoint.backbone_state(), deep)


def test_an_absent_mask_vector_is_drawn_always_alike(checkpoint: Checkpoint) -> None:
    tensors = checkpoint.backbone_state()
    del tensors["embedding.masking.vector"]
    first, second = (_collect(tensors, checkpoint.architecture)[0] for _ in range(2))
    vector = first["backbone.embedding.masking.vector"]
    assert torch.equal(vector, second["backbone.embedding.masking.vector"])
    assert 0 <= vector.min() < 0.2 < 0.8 < vector.max() < 1
