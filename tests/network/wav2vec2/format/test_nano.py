"""nano's checkpoints run as its network did, made here of torch's own layers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format import nano
from duovox.network.wav2vec2.format.checkpoint import Checkpoint, Quantization
from duovox.network.wav2vec2.format.vocabulary import NANO_LETTERS

WIDTH, CHANNELS = 128, 16
KERNELS, STRIDES, PADDINGS = (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2), (3, 1, 1, 1, 1, 0, 0)


class ConvLayer(nn.Module):
    def __init__(self, number: int) -> None:
        super().__init__()
        channels, shape = 1 if number == 0 else CHANNELS, (KERNELS, STRIDES, PADDINGS)
        self.conv = nn.Conv1d(channels, CHANNELS, *(one[number] for one in shape), bias=False)
        self.norm = nn.GroupNorm(CHANNELS, CHANNELS) if number == 0 else None

    def forward(self, frames: Tensor) -> Tensor:
        frames = self.conv(frames)
        return F.gelu(frames if self.norm is None else self.norm(frames), approximate="tanh")


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention_projection = nn.Linear(WIDTH, 3 * WIDTH)
        self.out_projection = nn.Linear(WIDTH, WIDTH)

    def forward(self, frames: Tensor) -> Tensor:
        parts = self.attention_projection(frames).chunk(3, dim=-1)
        key, query, value = (part.unflatten(-1, (2, 64)).transpose(1, 2) for part in parts)
        weights = (query @ key.transpose(2, 3) / 8).softmax(dim=-1)
        return self.out_projection((weights @ value).transpose(1, 2).flatten(2))


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = Attention()
        self.norm_att, self.norm_ffn = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.ffn = nn.ModuleDict({"fc1": nn.Linear(WIDTH, 48), "fc2": nn.Linear(48, WIDTH)})

    def forward(self, frames: Tensor) -> Tensor:
        frames = self.norm_att(frames + self.attention(frames))
        return self.norm_ffn(frames + self.ffn["fc2"](F.gelu(self.ffn["fc1"](frames))))


class Nano(nn.Module):
    """The network, with its parameters' names."""

    def __init__(self) -> None:
        super().__init__()
        self.masking_vector = nn.Parameter(torch.rand(WIDTH))
        self.conv_network = nn.ModuleDict({"conv_layers": nn.ModuleList(map(ConvLayer, range(7)))})
        self.project_speech_feature_norm = nn.LayerNorm(CHANNELS)
        self.project_speech_feature = nn.Linear(CHANNELS, WIDTH)
        position = nn.Conv1d(WIDTH, WIDTH, 16, padding=8, groups=4)
        position = nn.utils.parametrizations.weight_norm(position, dim=2)
        self.rel_pos_layer = nn.ModuleDict({"conv": position, "norm": nn.LayerNorm(WIDTH)})
        self.transformer_network = nn.ModuleList(Layer() for _ in range(2))

    def forward(self, waves: Tensor) -> Tensor:
        frames = waves[:, None]
        for layer in self.conv_network["conv_layers"]:
            frames = layer(frames)
        frames = self.project_speech_feature_norm(frames.transpose(1, 2))
        frames = self.project_speech_feature(frames)
        positions = self.rel_pos_layer["conv"](frames.transpose(1, 2))[..., :-1].transpose(1, 2)
        frames = self.rel_pos_layer["norm"](frames + F.gelu(positions, approximate="tanh"))
        for layer in self.transformer_network:
            frames = layer(frames)
        return frames


@pytest.fixture
def network() -> Nano:
    network = Nano().eval()
    for parameter in network.parameters():
        if parameter.ndim == 1:  # biases and norms start from 0 and 1, which would hide a mix-up
            nn.init.normal_(parameter, mean=parameter.mean().item(), std=0.1)
    return network


@pytest.fixture
def content(network: Nano) -> dict[str, Any]:
    """Return what a checkpoint holds, in the spelling of the torch of its time."""
    names = {"parametrizations.weight.original0": "weight_g"}
    names["parametrizations.weight.original1"] = "weight_v"
    state = {}
    for name, tensor in network.state_dict().items():
        for new, old in names.items():
            name = name.replace(new, old)
        state[f"w2v2.{name}"] = tensor
    return {"network": state, "current_step": 400_000, "validation_history": []}


def _add_pretraining(content: dict[str, Any]) -> None:
    content["network"] |= {
        "w2v2.quantization_layer.classification_layer.weight": torch.randn(10, CHANNELS),
        "w2v2.quantization_layer.classification_layer.bias": torch.randn(10),
        "w2v2.quantization_layer.quantization_choices": torch.randn(10, 3),
        "w2v2.quantization_layer.temp": torch.tensor(0.5),
        "w2v2.project_quantized_feature.weight": torch.randn(7, 6),
        "w2v2.project_quantized_feature.bias": torch.randn(7),
        "w2v2.project_context_feature.weight": torch.randn(7, WIDTH),
        "w2v2.project_context_feature.bias": torch.randn(7),
    }


def _backbone(checkpoint: Checkpoint) -> Wav2Vec2Backbone:
    backbone = Wav2Vec2Backbone(checkpoint.architecture)
    backbone.load_state_dict(checkpoint.backbone_state())
    return backbone.eval()


@torch.inference_mode()
def test_frames_are_those_of_the_network_itself(network: Nano, content: dict[str, Any]) -> None:
    checkpoint = nano.read(content, source="a.ckpt")
    waves = torch.randn(2, 16_000)
    found = _backbone(checkpoint)(waves, torch.tensor([16_000, 16_000]))
    assert found.num_frames.tolist() == [50, 50]  # 49 without padding
    torch.testing.assert_close(found.frames, network(waves), atol=1e-5, rtol=1e-5)
    assert not checkpoint.normalizes
    assert checkpoint.left_out == ()


def test_keys_queries_and_values_find_their_places(content: dict[str, Any]) -> None:
    name = "w2v2.transformer_network.1.attention.attention_projection.bias"
    content["network"][name] = torch.tensor([1.0, 2.0, 3.0]).repeat_interleave(WIDTH)
    state = nano.read(content, source="a.ckpt").state
    fused = state["backbone.transformer.layers.1.attention.query_key_value.bias"]
    query, key, value = (part.unique().tolist() for part in fused.chunk(3))
    assert (key, query, value) == ([1.0], [2.0], [3.0])


@pytest.mark.parametrize("prefix", ["w2v2.", ""])
def test_the_parts_of_pre_training_are_read(content: dict[str, Any], prefix: str) -> None:
    _add_pretraining(content)
    tensors = {n.replace("w2v2.", prefix): t for n, t in content["network"].items()}
    checkpoint = nano.read({"network": tensors}, source="a.ckpt")
    sizes = Quantization(num_codebooks=2, num_entries=5, out_dim=6, similarity_dim=7)
    assert checkpoint.quantization == sizes
    assert checkpoint.left_out == ("quantization_layer.temp",)
    choices = tensors[f"{prefix}quantization_layer.quantization_choices"]
    assert torch.equal(checkpoint.state["quantizer.codebooks"].flatten(0, 1), choices)
    for ours, theirs in (("context", "context"), ("target", "quantized")):
        expected = tensors[f"{prefix}project_{theirs}_feature.weight"]
        assert torch.equal(checkpoint.state[f"{ours}_projection.weight"], expected)


def test_the_one_linear_layer_beside_the_backbone_is_the_ctc_head(content: dict[str, Any]) -> None:
    head = {"weight": torch.randn(32, WIDTH), "bias": torch.randn(32)}
    content["network"] |= {f"classifier.{name}": tensor for name, tensor in head.items()}
    checkpoint = nano.read(content, source="a.ckpt")
    assert checkpoint.vocabulary == NANO_LETTERS
    for name, tensor in head.items():
        assert torch.equal(checkpoint.state[f"speech_head.linear.{name}"], tensor)


def test_norms_without_a_bias_get_one_of_zeros(network: Nano, content: dict[str, Any]) -> None:
    for module in network.modules():
        if isinstance(module, nn.LayerNorm):
            nn.init.zeros_(module.bias)
    gone = [name for name in content["network"] if name.endswith(("norm_att.bias", "norm.bias"))]
    for name in gone:
        if "conv_layers" not in name:
            del content["network"][name]
    waves = torch.randn(1, 4000)
    with torch.inference_mode():
        found = _backbone(nano.read(content, source="a.ckpt"))(waves, torch.tensor([4000]))
        torch.testing.assert_close(found.frames, network(waves), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("rel_pos_layer.conv.weight_v", r"a\.ckpt lacks rel_pos_layer\.conv\.weight_v, without"),
        ("transformer_network.0.ffn.fc2.bias", r"missing: transformer_network\.0\.ffn\.fc2\.bias"),
        (
            "transformer_network.1.attention.attention_projection.bias",
            r"missing: transformer_network\.1\.attention\.query\.bias",
        ),
    ],
)
def test_a_missing_tensor_is_named(content: dict[str, Any], gone: str, message: str) -> None:
    del content["network"][f"w2v2.{gone}"]
    with pytest.raises(ValueError, match=message):
        nano.read(content, source="a.ckpt")


def test_tensors_of_two_sizes_are_told(content: dict[str, Any]) -> None:
    content["network"]["w2v2.masking_vector"] = torch.zeros(WIDTH + 1)
    with pytest.raises(ValueError, match=r"masking_vector is \(129,\), the network wants \(128,\)"):
        nano.read(content, source="a.ckpt")
