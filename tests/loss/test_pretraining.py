"""The penalties beside the contrast, in the conventions of the published systems."""

from __future__ import annotations

import math

import pytest
import torch

from duovox.loss.contrastive import Contrast
from duovox.loss.pretraining import PretrainingLoss, PretrainingLosses, perplexity

NUM_MASKED = 3000


def _losses(probabilities: torch.Tensor, **settings: object) -> PretrainingLosses:
    contrast = Contrast(
        loss=torch.tensor(5000.0), num_right=torch.tensor(750), num_masked=NUM_MASKED
    )
    return PretrainingLoss(**settings)(
        contrast, probabilities=probabilities, feature_penalty=torch.tensor(0.02)
    )


def _collapsed() -> torch.Tensor:
    return torch.eye(2, 320)  # each codebook uses one of its entries


def test_perplexity_counts_the_entries_in_use() -> None:
    even = torch.full((320,), 1 / 320)
    quarter = torch.cat([torch.full((80,), 1 / 80), torch.zeros(240)])
    one = torch.eye(320)[5]
    found = perplexity(torch.stack([even, quarter, one]), epsilon=0.0)
    torch.testing.assert_close(found, torch.tensor([320.0, 80.0, 1.0]))


@pytest.mark.parametrize("epsilon", [0.0, 1e-7])
def test_entries_of_probability_0_have_a_gradient(epsilon: float) -> None:
    probabilities = _collapsed().requires_grad_()
    perplexity(probabilities, epsilon).sum().backward()
    assert probabilities.grad.isfinite().all()


def test_codebooks_that_are_used_evenly_cost_nothing() -> None:
    losses = _losses(torch.full((2, 320), 1 / 320))
    assert losses.diversity.item() == pytest.approx(0, abs=0.1)  # of 3000; epsilon's doing


# (settings, diversity and feature penalty of collapsed codebooks, total)
CONVENTIONS = {
    "fairseq": ({}, 3000 * 638 / 640, 3000 * 0.02),
    "huggingface": ({"feature_penalty_weight": 0.0}, 3000 * 638 / 640, 3000 * 0.02),
    "nano": ({"diversity_share": False, "scale_penalties": False}, 638, 0.02),
}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_penalties_follow_the_convention(convention: str) -> None:
    settings, diversity, penalty = CONVENTIONS[convention]
    losses = _losses(_collapsed(), **settings)
    assert losses.diversity.item() == pytest.approx(diversity, rel=1e-5)
    assert losses.feature_penalty.item() == pytest.approx(penalty, rel=1e-5)
    weight = 0 if convention == "huggingface" else 10
    total = 5000 + 0.1 * diversity + weight * penalty
    assert losses.total.item() == pytest.approx(total, rel=1e-5)
    assert losses.contrastive == 5000
    assert losses.accuracy == 0.25


def test_a_penalty_of_weight_0_takes_no_way_back() -> None:
    penalty = torch.tensor(math.nan, requires_grad=True)
    contrast = Contrast(
        loss=torch.ones((), requires_grad=True), num_right=torch.tensor(0), num_masked=1
    )
    loss = PretrainingLoss(feature_penalty_weight=0.0)
    losses = loss(contrast, probabilities=_collapsed(), feature_penalty=penalty)
    losses.total.backward()
    assert penalty.grad is None
    assert losses.total.isfinite()


@pytest.mark.parametrize(
    "setting", ["diversity_weight", "diversity_epsilon", "feature_penalty_weight"]
)
def test_negative_weights_are_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=f"{setting} must not be negative, got -1"):
        PretrainingLoss(**{setting: -1.0})
