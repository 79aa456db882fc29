from __future__ import annotations

import pytest
import torch
from torch import Tensor

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.embedding import Embedding
from duovox.network.wav2vec2.mask import SpanMasking, Spans

NUM_FRAMES = torch.tensor([9, 4])


def _embedding(architecture: Architecture, *, time_prob: float = 0.0) -> Embedding:
    masking = SpanMasking(32, time=Spans(time_prob, 2), feature=Spans(0.0, 2))
    return Embedding(architecture, masking=masking, feat_proj_dropout=0.0, hidden_dropout=0.0)


@pytest.fixture
def features() -> Tensor:
    return torch.randn(2, 9, 16)


def test_padding_does_not_spread_through_the_positions(
    architecture: Architecture, features: Tensor
) -> None:
    embedding = _embedding(architecture)
    together, _ = embedding(features, NUM_FRAMES, None)
    alone, _ = embedding(features[1:, :4], NUM_FRAMES[1:], None)
    torch.testing.assert_close(together[1:, :4], alone, atol=1e-6, rtol=1e-5)


def test_the_class_frame_is_in_front_and_is_never_masked(
    architecture: Architecture, features: Tensor
) -> None:
    embedding = _embedding(architecture, time_prob=1.0)
    embedding.norm = torch.nn.Identity()
    embedding.position = torch.nn.Identity()  # doubles what it is added to
    class_frame = torch.randn(32)
    frames, num_frames = embedding(features, NUM_FRAMES, class_frame)
    assert num_frames.tolist() == [10, 5]
    assert frames.shape == (2, 10, 32)
    torch.testing.assert_close(frames[:, 0], (2 * class_frame).expand(2, -1))
    is_masked = (frames[0, 1:] == 2 * embedding.masking.vector).all(dim=1)
    assert is_masked.any()
