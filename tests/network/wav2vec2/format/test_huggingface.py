"""Names and configurations of Hugging Face."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from duovox.network.wav2vec2 import architecture as sizes
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.format.huggingface import (
    read_config,
    to_theirs,
    translate,
    write_config,
)

LARGE = {
    "conv_bias": True,
    "do_stable_layer_norm": True,
    "feat_extract_norm": "layer",
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_attention_heads": 16,
    "num_hidden_layers": 24,
}


def test_published_base_configurations_are_read(speech_data: Path) -> None:
    for name in ("hf_wav2vec2-base.json", "hf_wav2vec2-base-960h.json"):
        config = json.loads((speech_data / "w2v2_configs" / name).read_text())
        assert read_config(config) == sizes.base()


def test_an_empty_configuration_means_the_librarys_defaults() -> None:
    from transformers import Wav2Vec2Config

    assert read_config({}) == read_config(Wav2Vec2Config().to_dict()) == sizes.base()


def test_the_published_large_configuration_is_read() -> None:
    assert read_config(LARGE) == sizes.large()


def test_a_configuration_is_read_as_it_was_written(architecture: Architecture) -> None:
    unpadded = replace(architecture, conv_paddings=(0,) * 7)
    written = json.loads(json.dumps(write_config(unpadded)))
    assert read_config(written) == unpadded


@pytest.mark.parametrize(
    ("key", "value"), [("model_type", "hubert"), ("hidden_act", "relu"), ("add_adapter", True)]
)
def test_what_the_backbone_lacks_is_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{key} must be .* for this backbone, got {value!r}"):
        read_config({key: value})


def test_missing_and_unexpected_tensors_are_named() -> None:
    checkpoint = {
        "wav2vec2.encoder.layer_norm.weight": torch.ones(4),
        "wav2vec2.encoder.adapter.weight": torch.ones(4),
        "lm_head.bias": torch.ones(4),
    }
    own = dict.fromkeys(
        ("embedding.norm.weight", "embedding.norm.bias", "embedding.masking.vector"), torch.ones(4)
    )
    translated = translate(checkpoint, own)
    assert list(translated.state) == ["embedding.norm.weight"]
    assert translated.missing == ["encoder.layer_norm.bias"]  # a mask vector may be absent
    assert translated.unexpected == ["encoder.adapter.weight", "lm_head.bias"]


def test_the_backbone_has_a_prefix_beside_a_head_only() -> None:
    backbone = {"backbone.embedding.norm.bias": torch.ones(4)}
    head = {"speech_head.linear.bias": torch.ones(3)}
    assert list(to_theirs(backbone)) == ["encoder.layer_norm.bias"]
    assert list(to_theirs(backbone | head)) == ["wav2vec2.encoder.layer_norm.bias", "lm_head.bias"]
