"""Random weights are the softmax of what torch's seeded generator draws."""

from __future__ import annotations

import torch

from duovox.loss.weighting.random import RandomWeighting

LOSSES = {"speech": torch.tensor(3.0), "speaker": torch.tensor(1.5)}


def draw(seed: int) -> list[float]:
    torch.manual_seed(seed)
    return [weight.item() for weight in RandomWeighting()(LOSSES).values()]


def test_weights_are_a_softmax_of_normal_draws() -> None:
    torch.manual_seed(7)
    expected = torch.softmax(torch.randn(2), dim=0)
    assert draw(7) == expected.tolist()


def test_the_seed_of_the_step_decides() -> None:
    assert draw(1) == draw(1) != draw(2)


def test_every_batch_draws_anew_and_no_task_is_preferred() -> None:
    weighting = RandomWeighting()
    shares = torch.stack([weighting(LOSSES)["speech"] for _ in range(4_000)])
    assert len(shares.unique()) > 3_900
    # The logit of a share is the difference of two standard normal draws.
    logits = shares.logit()
    assert abs(logits.mean()) < 0.1
    assert abs(logits.std() - 2**0.5) < 0.1
