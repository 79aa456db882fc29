"""What the backbone promises, whatever its sizes; agreement with others is in test_parity.py."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone

NOISY = {
    "feat_proj_dropout": 0.1,
    "hidden_dropout": 0.1,
    "attention_dropout": 0.1,
    "activation_dropout": 0.1,
    "layerdrop": 0.3,
    "mask_time_prob": 0.5,
    "mask_feature_prob": 0.3,
}


def test_an_utterance_gives_the_same_frames_alone_and_padded(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    backbone = Wav2Vec2Backbone(architecture).eval()
    together = backbone(waves, num_samples, with_layers=True)
    assert together.num_frames.tolist() == [24, 15, 1]
    for row, (length, count) in enumerate(zip(num_samples, together.num_frames, strict=True)):
        alone = backbone(
            waves[row : row + 1, :length], num_samples[row : row + 1], with_layers=True
        )
        for padded, single in zip(together.layers, alone.layers, strict=True):
            torch.testing.assert_close(padded[row, :count], single[0], atol=1e-5, rtol=1e-5)


def test_frames_are_zero_at_padding(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    encoded = Wav2Vec2Backbone(architecture)(waves, num_samples, with_layers=True)
    for layer in (encoded.frames, *encoded.layers):
        assert all(layer[row, count:].eq(0).all() for row, count in enumerate(encoded.num_frames))


def test_eval_is_free_of_chance(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    backbone = Wav2Vec2Backbone(architecture, **NOISY).eval()
    first, second = (backbone(waves, num_samples).frames for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("setting", list(NOISY))
def test_every_kind_of_noise_acts_in_training(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, setting: str
) -> None:
    backbone = Wav2Vec2Backbone(architecture, **{setting: 0.8})
    outputs = [backbone(waves, num_samples).frames for _ in range(8)]
    assert any(not torch.equal(outputs[0], output) for output in outputs[1:])


def test_training_without_noise_is_free_of_chance(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    backbone = Wav2Vec2Backbone(architecture)
    first, second = (backbone(waves, num_samples).frames for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("settings", [{}, NOISY, {**NOISY, "gradient_checkpointing": True}])
def test_gradients_reach_every_parameter(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, settings: dict[str, float]
) -> None:
    backbone = Wav2Vec2Backbone(architecture, **settings)
    backbone(waves, num_samples).frames.square().sum().backward()
    without = [name for name, value in backbone.named_parameters() if value.grad is None]
    assert without == []
    assert all(value.grad.isfinite().all() for value in backbone.parameters())


def test_a_frozen_feature_encoder_gets_no_gradient(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    backbone = Wav2Vec2Backbone(architecture, freeze_feature_encoder=True)
    waves.requires_grad_()
    backbone(waves, num_samples).frames.square().sum().backward()
    assert waves.grad is None  # nothing was recorded below the projection
    for name, value in backbone.named_parameters():
        is_frozen = name.startswith("feature_encoder.")
        assert (value.grad is None, value.requires_grad) == (is_frozen, not is_frozen), name


def test_backbones_with_and_without_masks_exchange_checkpoints(architecture: Architecture) -> None:
    without, with_masks = (Wav2Vec2Backbone(architecture, mask_time_prob=p) for p in (0.0, 0.1))
    without.load_state_dict(with_masks.state_dict())
    with_masks.load_state_dict(without.state_dict())


def test_a_class_frame_comes_back_as_frame_0(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    backbone = Wav2Vec2Backbone(architecture)
    plain = backbone(waves, num_samples)
    encoded = backbone(waves, num_samples, class_frame=torch.ones(32), with_layers=True)
    assert encoded.num_frames.tolist() == [25, 16, 2]
    assert encoded.frames.shape == (3, 25, 32)
    assert not torch.allclose(encoded.frames[0, 1:], plain.frames[0])  # it is attended to
    front = backbone(waves, num_samples, class_frame=torch.zeros(32)).frames[:, 0]
    assert not torch.allclose(encoded.frames[:, 0], front)


def test_a_class_frame_is_padding_invariant_too(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    backbone = Wav2Vec2Backbone(architecture)
    together = backbone(waves, num_samples, class_frame=torch.ones(32)).frames[1, :16]
    alone = backbone(waves[1:2, :5000], num_samples[1:2], class_frame=torch.ones(32)).frames[0]
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_bfloat16_autocast_stays_near_float32(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    backbone = Wav2Vec2Backbone(architecture)
    exact = backbone(waves, num_samples).frames
    with torch.autocast("cpu", torch.bfloat16):
        rounded = backbone(waves, num_samples).frames
        rounded.float().square().sum().backward()
    assert (rounded - exact).norm() / exact.norm() < 0.03
    assert all(value.grad.isfinite().all() for value in backbone.parameters())


def test_a_backbone_turned_to_bfloat16_stays_near_float32(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    backbone = Wav2Vec2Backbone(architecture)
    exact = backbone(waves, num_samples).frames
    rounded = backbone.bfloat16()(waves, num_samples, class_frame=None).frames
    assert rounded.dtype == torch.bfloat16
    assert (rounded - exact).norm() / exact.norm() < 0.03


@pytest.mark.slow
@pytest.mark.parametrize("is_training", [True, False], ids=["train", "eval"])
def test_the_backbone_compiles_into_one_graph(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, is_training: bool
) -> None:
    """A graph break, or a number asked from the device (`.item()`), would raise here."""
    backbone = Wav2Vec2Backbone(architecture, **NOISY).train(is_training)
    compiled = torch.compile(backbone, fullgraph=True, backend="aot_eager", dynamic=False)
    if is_training:
        compiled(waves, num_samples).frames.sum().backward()
    else:
        with torch.no_grad():
            found, expected = (run(waves, num_samples).frames for run in (compiled, backbone))
        torch.testing.assert_close(found, expected)


def test_the_published_networks_have_their_published_size() -> None:
    from duovox.network.wav2vec2 import architecture as presets

    with torch.device("meta"):
        base, large = (Wav2Vec2Backbone(preset()) for preset in (presets.base, presets.large))
    counts = [sum(p.numel() for p in b.state_dict().values()) for b in (base, large)]
    assert counts == [94_371_712, 315_438_720]


def test_sizes_may_be_changed_one_by_one(waves: Tensor, num_samples: Tensor) -> None:
    from duovox.network.wav2vec2 import architecture as presets

    sizes = replace(presets.tiny(), num_layers=1, width=64, position_kernel=7)
    assert Wav2Vec2Backbone(sizes)(waves, num_samples).frames.shape == (3, 24, 64)
