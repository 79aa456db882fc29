"""What the pre-training network promises, whatever its sizes."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.pretraining import PretrainingNetwork, PretrainingOutput
from duovox.network.wav2vec2.quantizer import ProductQuantizer


def _network(architecture: Architecture, **settings: float) -> PretrainingNetwork:
    backbone = Wav2Vec2Backbone(architecture, length_aware=settings.pop("length_aware", True))
    quantizer = ProductQuantizer(16, num_codebooks=2, num_entries=6, out_dim=8)
    return PretrainingNetwork(backbone, quantizer, similarity_dim=12, **settings)


@pytest.fixture
def network(architecture: Architecture) -> PretrainingNetwork:
    return _network(architecture)


@pytest.fixture
def mask() -> Tensor:
    """Eight masked frames: five of 24, three of 15, none of 1."""
    mask = torch.zeros(3, 24, dtype=torch.bool)
    mask[0, 4:9] = mask[1, 12:15] = True
    return mask


def _run(
    network: PretrainingNetwork, waves: Tensor, num_samples: Tensor, mask: Tensor
) -> PretrainingOutput:
    return network(waves, num_samples, mask, num_masked=int(mask.sum()))


def _total(output: PretrainingOutput) -> Tensor:
    return output.contexts.sum() + output.targets.square().sum() + output.feature_penalty


def test_only_masked_frames_come_out_one_utterance_after_the_other(
    network: PretrainingNetwork, waves: Tensor, num_samples: Tensor, mask: Tensor
) -> None:
    together = _run(network.eval(), waves, num_samples, mask)
    assert together.contexts.shape == together.targets.shape == (8, 12)
    assert together.num_frames.tolist() == [24, 15, 1]
    rows, length = slice(1, 2), int(num_samples[1])
    alone = _run(network, waves[rows, :length], num_samples[rows], mask[rows, :15])
    torch.testing.assert_close(together.contexts[5:], alone.contexts, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(together.targets[5:], alone.targets, atol=1e-5, rtol=1e-4)


def test_gradients_reach_every_parameter(
    network: PretrainingNetwork, waves: Tensor, num_samples: Tensor, mask: Tensor
) -> None:
    _total(_run(network, waves, num_samples, mask)).backward()
    without = [name for name, value in network.named_parameters() if value.grad is None]
    assert without == []
    assert network.backbone.embedding.masking.vector.grad.abs().sum() > 0


def test_contexts_do_not_hear_what_is_masked(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, mask: Tensor
) -> None:
    # A group norm tells each frame a little of all others; a layer norm does not.
    network = _network(replace(architecture, conv_norm="layer")).eval()
    before = _run(network, waves, num_samples, mask)
    waves[0, 3 * 320 + 400 : 9 * 320] *= -3  # what only the masked frames 4 to 8 see
    after = _run(network, waves, num_samples, mask)
    assert torch.equal(before.contexts, after.contexts)
    assert not torch.equal(before.quantized.probabilities, after.quantized.probabilities)


def test_the_gradient_of_the_feature_encoder_is_scaled_and_no_other(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, mask: Tensor
) -> None:
    whole = _network(architecture, feature_gradient_scale=1.0).eval()
    tenth = deepcopy(whole)
    tenth.feature_gradient_scale = 0.1
    for network in (whole, tenth):
        _total(_run(network, waves, num_samples, mask)).backward()
    for (name, full), (_, scaled) in zip(
        whole.named_parameters(), tenth.named_parameters(), strict=True
    ):
        factor = 0.1 if "feature_encoder" in name else 1.0
        if full.grad is not None:  # the choice of entries is fixed in eval
            torch.testing.assert_close(scaled.grad, factor * full.grad)


def test_the_feature_penalty_leaves_padding_out_unless_the_network_counts_it(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, mask: Tensor
) -> None:
    published = _network(architecture, length_aware=False)
    ours = _network(architecture)
    features = ours.backbone.feature_encoder(waves, num_samples)
    true = torch.cat([row[:count] for row, count in zip(features, (24, 15, 1), strict=True)])
    penalty = _run(ours, waves, num_samples, mask).feature_penalty
    torch.testing.assert_close(penalty, true.square().mean())
    features = published.backbone.feature_encoder(waves, num_samples)
    penalty = _run(published, waves, num_samples, mask).feature_penalty
    torch.testing.assert_close(penalty, features.square().mean())


@pytest.mark.parametrize("share", ["all", "one"])
def test_all_or_one_masked_frame_of_one_utterance_are_fine(
    network: PretrainingNetwork, waves: Tensor, num_samples: Tensor, share: str
) -> None:
    mask = torch.ones(1, 24, dtype=torch.bool)
    if share == "one":
        mask[:, 1:] = False
    output = _run(network, waves[:1], num_samples[:1], mask)
    _total(output).backward()
    assert len(output.contexts) == mask.sum()
    assert all(p.grad.isfinite().all() for p in network.parameters())


def test_a_batch_without_masked_frames_is_refused(
    network: PretrainingNetwork, waves: Tensor, num_samples: Tensor, mask: Tensor
) -> None:
    with pytest.raises(ValueError, match="no frame of the batch is masked"):
        _run(network, waves, num_samples, torch.zeros_like(mask))


def test_a_mask_of_another_length_is_refused(
    network: PretrainingNetwork, waves: Tensor, num_samples: Tensor, mask: Tensor
) -> None:
    with pytest.raises(ValueError, match=r"each of the \(3, 24\) frames, got \(3, 23\)"):
        _run(network, waves, num_samples, mask[:, :23])


def test_waves_without_a_frame_are_refused(network: PretrainingNetwork) -> None:
    waves, mask = torch.randn(1, 399), torch.zeros(1, 0, dtype=torch.bool)
    with pytest.raises(ValueError, match="at least 400 samples to make one frame, got 399"):
        _run(network, waves, torch.tensor([399]), mask)


@pytest.mark.parametrize("scale", [0.0, 1.5])
def test_gradient_scales_out_of_range_are_refused(architecture: Architecture, scale: float) -> None:
    with pytest.raises(ValueError, match=rf"factor in \(0, 1\], got {scale}; to keep it still"):
        _network(architecture, feature_gradient_scale=scale)


def test_nothing_is_read_back_from_the_device(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, mask: Tensor
) -> None:
    network = _network(replace(architecture, conv_norm="layer")).to("meta")
    inputs = (tensor.to("meta") for tensor in (waves, num_samples, mask))  # they hold no values:
    output = network(*inputs, num_masked=int(mask.sum()))  # to read one is an error
    assert output.contexts.shape == (8, 12)
