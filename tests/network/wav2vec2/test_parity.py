"""Agreement with transformers' Wav2Vec2Model on the same random weights, layer by layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format import huggingface

LARGE = {
    "conv_bias": True,
    "do_stable_layer_norm": True,
    "feat_extract_norm": "layer",
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_attention_heads": 16,
    "num_hidden_layers": 24,
}
TOLERANCE = 1e-4


@pytest.fixture
def base(speech_data: Path) -> dict[str, Any]:
    path = speech_data / "w2v2_configs" / "hf_wav2vec2-base.json"
    config: dict[str, Any] = json.loads(path.read_text())
    return config


def _model(config: dict[str, Any]) -> nn.Module:
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    model = Wav2Vec2Model(Wav2Vec2Config(**config)).eval()
    for parameter in model.parameters():
        if parameter.ndim == 1:  # biases and norms start from 0 and 1, which would hide a mix-up
            nn.init.normal_(parameter, mean=parameter.mean().item(), std=0.1)
    return model


def _backbone(config: dict[str, Any], model: nn.Module) -> Wav2Vec2Backbone:
    backbone = Wav2Vec2Backbone(huggingface.read_config(config), length_aware=False)
    translated = huggingface.translate(model.state_dict(), backbone.state_dict())
    assert (translated.missing, translated.unexpected) == ([], [])
    backbone.load_state_dict(translated.state)
    return backbone.eval()


def _largest_difference(config: dict[str, Any], num_samples: Tensor) -> float:
    """Compare every layer where there is no padding, and the last one after its norm."""
    max_samples = int(num_samples.max())
    is_sample = torch.arange(max_samples) < num_samples[:, None]
    waves = torch.randn(len(num_samples), max_samples) * is_sample
    model = _model(config)
    with torch.inference_mode():
        theirs = model(waves, attention_mask=is_sample.long(), output_hidden_states=True)
        ours = _backbone(config, model)(waves, num_samples, with_layers=True)
    assert ours.layers is not None
    assert len(ours.layers) == len(theirs.hidden_states) == config["num_hidden_layers"] + 1
    is_frame = torch.arange(ours.frames.shape[1]) < ours.num_frames[:, None]
    pairs = [*zip(ours.layers[:-1], theirs.hidden_states[:-1], strict=True)]
    pairs.append((ours.frames, theirs.last_hidden_state))
    return max((mine - their)[is_frame].abs().max().item() for mine, their in pairs)


LENGTHS = {
    "padded": torch.tensor([16_000, 9_123, 400]),
    "unpadded": torch.tensor([12_000, 12_000]),
}


@pytest.mark.parametrize("lengths", LENGTHS)
def test_three_layers_of_base_agree_in_every_layer(base: dict[str, Any], lengths: str) -> None:
    config = base | {"num_hidden_layers": 3}
    assert _largest_difference(config, LENGTHS[lengths]) < TOLERANCE


@pytest.mark.parametrize("lengths", LENGTHS)
def test_three_layers_of_large_agree_in_every_layer(lengths: str) -> None:
    config = LARGE | {"num_hidden_layers": 3}
    assert _largest_difference(config, LENGTHS[lengths]) < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("lengths", LENGTHS)
def test_all_layers_of_base_agree(base: dict[str, Any], lengths: str) -> None:
    difference = _largest_difference(base, LENGTHS[lengths])
    print(f"base, {lengths}: {difference:.2e}")
    assert difference < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("lengths", LENGTHS)
def test_all_layers_of_large_agree(lengths: str) -> None:
    difference = _largest_difference(LARGE, LENGTHS[lengths])
    print(f"large, {lengths}: {difference:.2e}")
    assert difference < TOLERANCE


def test_gradients_agree_with_transformers(base: dict[str, Any]) -> None:
    config = base | {"num_hidden_layers": 1}
    model = _model(config)
    backbone = _backbone(config, model)
    waves, num_samples = torch.randn(2, 8000), torch.tensor([8000, 8000])
    target = torch.randn(2, 24, 768)
    (model(waves).last_hidden_state * target).sum().backward()
    (backbone(waves, num_samples).frames * target).sum().backward()
    theirs = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    translated = huggingface.translate(theirs, dict(backbone.named_parameters()))
    for name, parameter in backbone.named_parameters():
        reference = translated.state[name]
        difference = (parameter.grad - reference).norm() / reference.norm()
        assert difference < 1e-4, (name, difference)
