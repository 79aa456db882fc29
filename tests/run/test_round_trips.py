"""Weights travel through every format and back without losing a bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from duovox.network.wav2vec2 import architecture, pretrained
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format import own
from duovox.network.wav2vec2.format.checkpoint import (
    HEAD,
    Checkpoint,
    Quantization,
    make_pretraining_network,
)
from duovox.network.wav2vec2.format.vocabulary import LETTERS
from duovox.run.convert import Conversion, Format, convert

SMALL = replace(
    architecture.base(),
    conv_channels=(8, 12, 12, 12, 16, 16, 16),
    width=64,
    num_layers=2,
    num_heads=1,
    feed_forward_width=48,
    position_kernel=16,
    position_groups=4,
)
SIZES = {
    "small base": SMALL,
    "small large": replace(SMALL, conv_norm="layer", conv_bias=True, pre_norm=True),
    "base": architecture.base(),
    "large": architecture.large(),
}
every_size = pytest.mark.parametrize(
    "size",
    [
        *(name for name in SIZES if name.startswith("small")),
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("base", "large")),
    ],
)
LEGS: tuple[tuple[str, str, Format], ...] = (
    ("ours", "fairseq.pt", "fairseq"),
    ("fairseq.pt", "hf", "huggingface"),
    ("hf", "again", "duovox"),
)
NORMS = ("norm.weight", "norm_att.weight", "norm_ffn.weight", "weight_g")  # these are about 1
CLASSES = {"speech": "Wav2Vec2ForCTC", "pretraining": "Wav2Vec2ForPreTraining"}


def _draw(sizes: Architecture, kind: str) -> Checkpoint:
    backbone = Wav2Vec2Backbone(sizes)
    state = {f"backbone.{name}": tensor for name, tensor in backbone.state_dict().items()}
    quantization = Quantization() if kind == "pretraining" else None
    if quantization is not None:
        state = make_pretraining_network(backbone, quantization).state_dict()
    else:
        state[f"{HEAD}.weight"] = 0.1 * torch.randn(len(LETTERS), sizes.width)
        state[f"{HEAD}.bias"] = torch.randn(len(LETTERS))
    for name, tensor in state.items():
        if tensor.ndim == 1:  # biases and norms start from 0 and 1, which would hide a mix-up
            state[name] = tensor + 0.1 * torch.randn_like(tensor)
    return Checkpoint(
        architecture=sizes,
        state=state,
        normalizes=sizes.conv_bias,
        quantization=quantization,
        vocabulary=LETTERS if kind == "speech" else None,
    )


def _assert_lossless(conversion: Conversion) -> None:
    assert conversion.lost == ()
    assert set(conversion.differences.values()) == {0.0}


@torch.inference_mode()
def _their_frames(folder: Path, kind: str, waves: Tensor) -> Tensor:
    import transformers

    model = getattr(transformers, CLASSES[kind]).from_pretrained(folder).eval()
    frames: Tensor = model.wav2vec2(waves).last_hidden_state
    return frames


@torch.inference_mode()
def _our_frames(source: Path, waves: Tensor) -> Tensor:
    backbone = pretrained.load(source).eval()
    return backbone(waves, torch.tensor([waves.shape[1]])).frames


@every_size
@pytest.mark.parametrize("kind", CLASSES)
def test_ours_to_fairseq_to_hugging_face_to_ours_changes_no_bit(
    size: str, kind: str, tmp_path: Path
) -> None:
    checkpoint = _draw(SIZES[size], kind)
    (tmp_path / "ours").mkdir()
    own.write(checkpoint, tmp_path / "ours")
    waves = torch.randn(1, 8000)
    expected = _our_frames(tmp_path / "ours", waves)
    for source, target, to in LEGS:
        _assert_lossless(convert(tmp_path / source, tmp_path / target, to=to))
        found = pretrained.read(tmp_path / target)
        assert replace(found, state={}) == replace(checkpoint, state={})
        assert all(torch.equal(found.state[name], one) for name, one in checkpoint.state.items())
        assert torch.equal(_our_frames(tmp_path / target, waves), expected)
    theirs = _their_frames(tmp_path / "hf", kind, waves)
    torch.testing.assert_close(theirs, expected, atol=1e-4, rtol=1e-4)


def _nano(sizes: Architecture) -> dict[str, Tensor]:
    """Return random weights as nano names them (FUSED: keys, queries, values)."""
    width, channels = sizes.width, sizes.conv_channels
    shapes: dict[str, tuple[int, ...]] = {
        "masking_vector": (width,),
        "conv_network.conv_layers.0.norm.weight": channels[:1],
        "conv_network.conv_layers.0.norm.bias": channels[:1],
        "rel_pos_layer.conv.bias": (width,),
        "rel_pos_layer.conv.weight_g": (1, 1, sizes.position_kernel),
        "rel_pos_layer.conv.weight_v": (
            width,
            width // sizes.position_groups,
            sizes.position_kernel,
        ),
        "quantization_layer.quantization_choices": (640, 128),
        "quantization_layer.temp": (),
    }
    for n, (before, after) in enumerate(zip((1, *channels), channels, strict=False)):
        shapes[f"conv_network.conv_layers.{n}.conv.weight"] = (after, before, sizes.conv_kernels[n])
    linears = {
        "project_speech_feature": (width, channels[-1]),
        "quantization_layer.classification_layer": (640, channels[-1]),
        "project_quantized_feature": (256, 256),
        "project_context_feature": (256, width),
    }
    norms = {"project_speech_feature_norm": channels[-1], "rel_pos_layer.norm": width}
    for n in range(sizes.num_layers):
        layer, inner = f"transformer_network.{n}", sizes.feed_forward_width
        linears[f"{layer}.attention.attention_projection"] = (3 * width, width)
        linears[f"{layer}.attention.out_projection"] = (width, width)
        linears |= {f"{layer}.ffn.fc1": (inner, width), f"{layer}.ffn.fc2": (width, inner)}
        norms |= {f"{layer}.norm_att": width, f"{layer}.norm_ffn": width}
    for name, shape in linears.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    for name, size in norms.items():
        shapes |= {f"{name}.weight": (size,), f"{name}.bias": (size,)}
    return {
        f"w2v2.{name}": 0.1 * torch.randn(shape) + name.endswith(NORMS)
        for name, shape in shapes.items()
    }


@pytest.mark.parametrize("size", ["small base", pytest.param("base", marks=pytest.mark.slow)])
def test_nano_to_ours_to_fairseq_changes_no_bit(size: str, tmp_path: Path) -> None:
    weights = _nano(SIZES[size])
    torch.save({"network": weights, "current_step": 1}, tmp_path / "nano.ckpt")
    conversion = convert(tmp_path / "nano.ckpt", tmp_path / "ours", to="duovox")
    _assert_lossless(conversion)
    assert conversion.checkpoint.left_out == ("quantization_layer.temp",)
    assert pretrained.read(tmp_path / "ours").architecture == replace(
        SIZES[size], conv_paddings=(3, 1, 1, 1, 1, 0, 0), conv_activation="gelu_tanh"
    )
    conversion = convert(tmp_path / "ours", tmp_path / "fairseq.pt", to="fairseq")
    assert conversion.lost == (
        "conv_paddings=(3, 1, 1, 1, 1, 0, 0)",
        "conv_activation=gelu_tanh",
    )
    assert conversion.differences["contexts"] > 0.001
    exported = torch.load(tmp_path / "fairseq.pt")["model"]
    fused = weights["w2v2.transformer_network.1.attention.attention_projection.weight"]
    for part, expected in zip("kqv", fused.chunk(3), strict=True):
        assert torch.equal(exported[f"encoder.layers.1.self_attn.{part}_proj.weight"], expected)
    pairs = {
        "feature_extractor.conv_layers.0.0.weight": "conv_network.conv_layers.0.conv.weight",
        "feature_extractor.conv_layers.0.2.bias": "conv_network.conv_layers.0.norm.bias",
        "encoder.pos_conv.0.weight_g": "rel_pos_layer.conv.weight_g",
        "encoder.layer_norm.weight": "rel_pos_layer.norm.weight",
        "layer_norm.weight": "project_speech_feature_norm.weight",
        "encoder.layers.0.final_layer_norm.bias": "transformer_network.0.norm_ffn.bias",
        "final_proj.weight": "project_context_feature.weight",
        "mask_emb": "masking_vector",
    }
    assert all(torch.equal(exported[name], weights[f"w2v2.{n}"]) for name, n in pairs.items())
    choices = weights["w2v2.quantization_layer.quantization_choices"]
    assert torch.equal(exported["quantizer.vars"], choices[None])


def test_the_frames_of_nano_are_those_of_transformers_where_it_neither_pads_nor_approximates(
    tmp_path: Path,
) -> None:
    torch.save({"network": _nano(SMALL)}, tmp_path / "nano.ckpt")
    conversion = convert(tmp_path / "nano.ckpt", tmp_path / "hf", to="huggingface")
    assert conversion.lost == ("conv_paddings=(3, 1, 1, 1, 1, 0, 0)",)
    waves = torch.randn(1, 8000)
    theirs = _their_frames(tmp_path / "hf", "pretraining", waves)
    torch.testing.assert_close(theirs, _our_frames(tmp_path / "hf", waves), atol=1e-4, rtol=1e-4)
