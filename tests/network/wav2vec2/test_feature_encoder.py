from __future__ import annotations

import pytest
import torch
from torch import Tensor

from duovox.network.wav2vec2 import feature_encoder
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.feature_encoder import FeatureEncoder

every_architecture = pytest.mark.parametrize(
    "architecture", ["base", "large", "padded"], indirect=True
)


@every_architecture
def test_features_have_one_frame_per_hop(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    encoder = FeatureEncoder(architecture, length_aware=True)
    features = encoder(waves, num_samples)
    assert features.shape == (3, architecture.num_frames(8000), architecture.conv_channels[-1])


@every_architecture
def test_an_utterance_gives_the_same_features_alone_and_padded(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    encoder = FeatureEncoder(architecture, length_aware=True)
    together = encoder(waves, num_samples)
    for row, length in enumerate(num_samples.tolist()):
        alone = encoder(waves[row : row + 1, :length], num_samples[row : row + 1])
        torch.testing.assert_close(together[row, : alone.shape[1]], alone[0], atol=1e-5, rtol=1e-5)


@every_architecture
def test_what_lies_in_the_padding_does_not_matter(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    encoder = FeatureEncoder(architecture, length_aware=True)
    is_padding = torch.arange(waves.shape[1]) >= num_samples[:, None]
    noisy = waves + 10 * torch.randn_like(waves) * is_padding
    num_frames = architecture.num_frames(num_samples)
    clean, disturbed = encoder(waves, num_samples), encoder(noisy, num_samples)
    for row, count in enumerate(num_frames.tolist()):
        torch.testing.assert_close(clean[row, :count], disturbed[row, :count])


@pytest.mark.parametrize("architecture", ["base"], indirect=True)
def test_the_published_group_norm_sees_padding(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    encoder = FeatureEncoder(architecture, length_aware=False)
    together = encoder(waves, num_samples)[1, :15]
    alone = encoder(waves[1:2, :5000], num_samples[1:2])[0]
    assert (together - alone).abs().max() > 0.01


def test_a_batch_too_short_for_one_frame_is_refused(architecture: Architecture) -> None:
    encoder = FeatureEncoder(architecture, length_aware=True)
    with pytest.raises(ValueError, match="at least 400 samples to make one frame, got 399"):
        encoder(torch.zeros(1, 399), torch.tensor([399]))


@every_architecture
@pytest.mark.parametrize("piece_frames", [1, 7, 24, 100])
def test_inference_in_pieces_gives_the_same_frames(
    architecture: Architecture,
    waves: Tensor,
    num_samples: Tensor,
    piece_frames: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoder = FeatureEncoder(architecture, length_aware=True)
    monkeypatch.setattr(feature_encoder, "PIECE_FRAMES_CPU", 0)
    monkeypatch.setattr(feature_encoder, "MIN_PIECE_FRAMES", piece_frames)
    whole = encoder(waves, num_samples)
    with torch.inference_mode():
        torch.testing.assert_close(encoder(waves, num_samples), whole, atol=1e-5, rtol=1e-5)
