from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.transformer import Transformer, TransformerLayer

NUM_FRAMES = torch.tensor([9, 4])


@pytest.fixture
def frames() -> Tensor:
    return torch.randn(2, 9, 32)


def _layer_of_torch(ours: TransformerLayer, architecture: Architecture) -> nn.Module:
    theirs = nn.TransformerEncoderLayer(
        architecture.width,
        architecture.num_heads,
        architecture.feed_forward_width,
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=architecture.pre_norm,
    )
    theirs.self_attn.in_proj_weight.data = ours.attention.query_key_value.weight.data
    theirs.self_attn.in_proj_bias.data = ours.attention.query_key_value.bias.data
    for mine, reference in (
        (ours.attention.output, theirs.self_attn.out_proj),
        (ours.attention_norm, theirs.norm1),
        (ours.feed_forward.inner, theirs.linear1),
        (ours.feed_forward.output, theirs.linear2),
        (ours.feed_forward_norm, theirs.norm2),
    ):
        reference.load_state_dict(mine.state_dict())
    return theirs


def test_a_layer_agrees_with_torchs_own(architecture: Architecture, frames: Tensor) -> None:
    ours = Transformer(architecture)
    for parameter in ours.parameters():
        nn.init.normal_(parameter, std=0.3)
    is_padding = torch.arange(9) >= NUM_FRAMES[:, None]
    expected = frames
    for layer in ours.layers:
        expected = _layer_of_torch(layer, architecture)(expected, src_key_padding_mask=is_padding)
    expected = ours.final_norm(expected).masked_fill(is_padding[..., None], 0.0)
    torch.testing.assert_close(ours(frames, NUM_FRAMES)[-1], expected, atol=1e-5, rtol=1e-5)


def test_layers_are_the_input_and_every_output(architecture: Architecture, frames: Tensor) -> None:
    transformer = Transformer(architecture)
    layers = transformer(frames, NUM_FRAMES, with_layers=True)
    assert len(layers) == architecture.num_layers + 1
    torch.testing.assert_close(layers[0][0], frames[0])
    torch.testing.assert_close(layers[-1], transformer(frames, NUM_FRAMES)[-1])


def test_padding_is_zero_in_every_layer(architecture: Architecture, frames: Tensor) -> None:
    for layer in Transformer(architecture)(frames, NUM_FRAMES, with_layers=True):
        assert layer[1, 4:].eq(0).all()


def test_an_utterance_without_frames_is_finite(architecture: Architecture, frames: Tensor) -> None:
    output = Transformer(architecture)(frames, torch.tensor([9, 0]))[-1]
    assert output.isfinite().all()


def test_dropping_every_layer_leaves_the_input(architecture: Architecture, frames: Tensor) -> None:
    transformer = Transformer(replace(architecture, pre_norm=False), layerdrop=1.0)
    output = transformer(frames, torch.tensor([9, 9]))[-1]
    torch.testing.assert_close(output, frames)
    assert not torch.allclose(transformer.eval()(frames, torch.tensor([9, 9]))[-1], frames)


def test_layers_are_dropped_as_often_as_asked(frames: Tensor, architecture: Architecture) -> None:
    transformer = Transformer(replace(architecture, pre_norm=False, num_layers=1), layerdrop=0.3)
    full = torch.tensor([9, 9])
    dropped = sum(torch.equal(transformer(frames, full)[-1], frames) for _ in range(400))
    assert 80 < dropped < 160  # expected 120, deviation 9


def test_dropped_layers_still_have_gradients(architecture: Architecture, frames: Tensor) -> None:
    transformer = Transformer(architecture, layerdrop=1.0)
    transformer(frames, NUM_FRAMES)[-1].sum().backward()
    assert all(parameter.grad is not None for parameter in transformer.parameters())


def test_checkpointing_changes_no_gradient(architecture: Architecture, frames: Tensor) -> None:
    gradients = []
    for checkpointing in (False, True):
        torch.manual_seed(3)
        transformer = Transformer(
            architecture,
            attention_dropout=0.2,
            activation_dropout=0.2,
            hidden_dropout=0.2,
            layerdrop=0.5,
            gradient_checkpointing=checkpointing,
        )
        transformer(frames, NUM_FRAMES)[-1].square().sum().backward()
        gradients.append([parameter.grad for parameter in transformer.parameters()])
    for without, with_checkpoints in zip(*gradients, strict=True):
        torch.testing.assert_close(without, with_checkpoints)


@pytest.mark.parametrize("dropout", ["attention_dropout", "activation_dropout", "hidden_dropout"])
def test_each_dropout_acts_in_training_only(
    architecture: Architecture, frames: Tensor, dropout: str
) -> None:
    transformer = Transformer(architecture, **{dropout: 0.5})
    first, second = (transformer(frames, NUM_FRAMES)[-1] for _ in range(2))
    assert not torch.allclose(first, second)
    transformer.eval()
    torch.testing.assert_close(
        transformer(frames, NUM_FRAMES)[-1], transformer(frames, NUM_FRAMES)[-1], rtol=0, atol=0
    )


def test_taking_layers_cuts_the_transformer_in_two(
    architecture: Architecture, frames: Tensor
) -> None:
    transformer = Transformer(architecture)
    whole = transformer(frames, NUM_FRAMES)[-1]
    upper = transformer.take_layers_above(1)
    assert (len(transformer.layers), len(upper.layers)) == (1, architecture.num_layers - 1)
    halves = upper(transformer(frames, NUM_FRAMES)[-1], NUM_FRAMES)[-1]
    torch.testing.assert_close(halves, whole, atol=1e-6, rtol=1e-5)
