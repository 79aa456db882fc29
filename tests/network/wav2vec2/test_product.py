from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from duovox.network.wav2vec2.product import Linear, is_float32_on_cpu, product


@pytest.mark.parametrize("activation", ["none", "gelu"])
@pytest.mark.parametrize("has_bias", [True, False])
def test_inference_and_training_agree_with_torch(activation: str, has_bias: bool) -> None:
    vectors, weight = torch.randn(2, 7, 20), torch.randn(30, 20)
    bias = torch.randn(30) if has_bias else None
    expected = F.linear(vectors, weight, bias)
    expected = F.gelu(expected) if activation == "gelu" else expected
    for mode in (torch.no_grad, torch.inference_mode, torch.enable_grad):
        with mode():
            found = product(vectors, weight, bias, activation=activation)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_overlapping_and_strided_vectors_are_taken_as_they_are() -> None:
    windows, weight = torch.randn(1, 101).unfold(1, 10, 5), torch.randn(4, 10)
    with torch.inference_mode():
        torch.testing.assert_close(product(windows, weight, None), windows @ weight.T)


def test_a_linear_layer_has_the_parameters_of_torchs_own() -> None:
    ours, theirs = Linear(5, 3, activation="gelu"), torch.nn.Linear(5, 3)
    theirs.load_state_dict(ours.state_dict())
    vectors = torch.randn(2, 5)
    torch.testing.assert_close(ours(vectors), F.gelu(theirs(vectors)))


def test_autocast_and_other_types_go_torchs_way() -> None:
    vectors = torch.randn(2, 5)
    assert is_float32_on_cpu(vectors)
    assert not is_float32_on_cpu(vectors.bfloat16())
    with torch.autocast("cpu", torch.bfloat16), torch.inference_mode():
        assert not is_float32_on_cpu(vectors)
        assert Linear(5, 3)(vectors).dtype == torch.bfloat16
