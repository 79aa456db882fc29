from __future__ import annotations

import torch

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.huggingface import names_of, translate


def test_query_key_and_value_are_joined_in_this_order() -> None:
    key = "transformer.layers.0.attention.query_key_value.bias"
    parts = {name: torch.full((2,), float(n)) for n, name in enumerate(names_of(key))}
    assert list(parts) == [f"encoder.layers.0.attention.{p}_proj.bias" for p in "qkv"]
    assert translate(parts, [key]).state[key].tolist() == [0, 0, 1, 1, 2, 2]


def test_every_tensor_of_a_backbone_has_a_name_of_its_own(architecture: Architecture) -> None:
    names = [n for key in Wav2Vec2Backbone(architecture).state_dict() for n in names_of(key)]
    assert len(set(names)) == len(names)


def test_missing_and_unexpected_tensors_are_named() -> None:
    checkpoint = {
        "wav2vec2.encoder.layer_norm.weight": torch.ones(4),
        "wav2vec2.encoder.adapter.weight": torch.ones(4),
        "lm_head.bias": torch.ones(4),
    }
    translated = translate(
        checkpoint, ["embedding.norm.weight", "embedding.norm.bias", "embedding.masking.vector"]
    )
    assert list(translated.state) == ["embedding.norm.weight"]
    assert translated.missing == ["encoder.layer_norm.bias"]  # a mask vector may be absent
    assert translated.unexpected == ["encoder.adapter.weight", "lm_head.bias"]
