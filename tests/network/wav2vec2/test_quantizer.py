"""What the quantiser chooses, and how the choice learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from duovox.network.wav2vec2.quantizer import ProductQuantizer


@pytest.fixture
def quantizer() -> ProductQuantizer:
    return ProductQuantizer(4, num_codebooks=2, num_entries=5, out_dim=6)


def test_eval_takes_the_entry_of_the_largest_logit(quantizer: ProductQuantizer) -> None:
    features = torch.randn(7, 4)
    logits = quantizer.logits(features).unflatten(1, (2, 5))
    quantized = quantizer.eval()(features, temperature=1.0)
    assert torch.equal(quantized.codes, logits.argmax(dim=2))
    for vector, (first, second) in zip(quantized.vectors, quantized.codes, strict=True):
        expected = torch.cat([quantizer.codebooks[0, first], quantizer.codebooks[1, second]])
        assert torch.equal(vector, expected)
    torch.testing.assert_close(quantized.probabilities, logits.softmax(dim=2).mean(dim=0))


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_training_draws_entries_with_their_probabilities(
    quantizer: ProductQuantizer, temperature: float
) -> None:
    quantized = quantizer(torch.ones(20_000, 4) / 4, temperature=temperature)
    for codes, probabilities in zip(quantized.codes.T, quantized.probabilities, strict=True):
        counts = np.bincount(codes.numpy(), minlength=5)
        expected = probabilities.detach().double()
        assert chisquare(counts, 20_000 * expected / expected.sum()).pvalue > 1e-3


def test_training_gives_whole_entries(quantizer: ProductQuantizer) -> None:
    quantized = quantizer(torch.randn(9, 4), temperature=1.0)
    entries = quantizer.codebooks[torch.arange(2), quantized.codes].flatten(1)
    torch.testing.assert_close(quantized.vectors, entries, rtol=0, atol=0)


def test_shares_count_the_chosen_entries(quantizer: ProductQuantizer) -> None:
    quantized = quantizer(torch.randn(8, 4), temperature=1.0)
    for codes, shares in zip(quantized.codes.T, quantized.shares, strict=True):
        assert torch.equal(shares, torch.bincount(codes, minlength=5) / 8)


def test_the_gradient_passes_through_as_that_of_the_softmax(
    quantizer: ProductQuantizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = torch.randn(3, 2, 5)
    monkeypatch.setattr("duovox.network.wav2vec2.quantizer.gumbel_noise", lambda _: noise)
    features, weights = torch.randn(3, 4), torch.randn(3, 6)
    (quantizer(features, temperature=0.7).vectors * weights).sum().backward()
    logits = quantizer.logits(features).unflatten(1, (2, 5))
    soft = ((logits + noise) / 0.7).softmax(dim=2)
    mixed = torch.einsum("mgv,gvd->mgd", soft, quantizer.codebooks.detach()).flatten(1)
    expected = torch.autograd.grad((mixed * weights).sum(), quantizer.logits.weight)[0]
    torch.testing.assert_close(quantizer.logits.weight.grad, expected)


def test_a_draw_of_zero_makes_no_nan(
    quantizer: ProductQuantizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.Tensor, "exponential_", lambda tensor: tensor.zero_())
    quantized = quantizer(torch.randn(3, 4), temperature=0.5)
    quantized.vectors.sum().backward()
    assert quantizer.logits.weight.grad.isfinite().all()


def test_half_precision_chooses_in_float32(quantizer: ProductQuantizer) -> None:
    features = torch.randn(6, 4)
    with torch.autocast("cpu", torch.bfloat16):
        quantized = quantizer(features, temperature=1.0)
    assert quantized.probabilities.dtype == quantized.shares.dtype == torch.float32
    torch.testing.assert_close(quantized.shares.sum(dim=1), torch.ones(2))


@pytest.mark.parametrize("sizes", [{"num_codebooks": 3}, {"num_entries": 0}, {"out_dim": 0}])
def test_sizes_that_do_not_fit_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a multiple of the codebooks, got num_codebooks="):
        ProductQuantizer(4, **{"num_codebooks": 2, "num_entries": 5, "out_dim": 8} | sizes)
