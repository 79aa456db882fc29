"""The triplet loss against one triplet at a time."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize

from duovox.loss.triplet import TripletLoss


def one_by_one(embeddings: torch.Tensor, speakers: list[int], margin: float) -> torch.Tensor:
    """Return the mean over anchors of torch's loss on the worst triplet, found by trying all."""
    judge = torch.nn.TripletMarginLoss(margin=margin)
    unit, losses = normalize(embeddings, dim=1), []
    for anchor, speaker in enumerate(speakers):
        triplets = [
            judge(unit[[anchor]], unit[[own]], unit[[other]])
            for own, owner in enumerate(speakers)
            for other, stranger in enumerate(speakers)
            if own != anchor and owner == speaker and stranger != speaker
        ]
        if triplets:
            losses.append(torch.stack(triplets).max())
    return torch.stack(losses).mean()


@pytest.mark.parametrize("margin", [0.3, 1.0])
def test_value_and_gradient_are_those_of_the_worst_triplet_of_each_anchor(margin: float) -> None:
    speakers = [0, 0, 0, 1, 1, 2, 3, 3]  # 2 has no other utterance
    own = torch.randn(8, 5).requires_grad_()
    other = own.detach().clone().requires_grad_()
    loss = TripletLoss(margin=margin)(own, torch.tensor(speakers))
    expected = one_by_one(other, speakers, margin)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(own.grad, other.grad)


def test_speakers_at_right_angles_have_no_loss_and_a_crowd_has_the_margin() -> None:
    speakers = torch.tensor([0, 0, 1, 1])
    apart = torch.eye(2).repeat_interleave(2, dim=0) * torch.tensor([[1.0], [9.0], [2.0], [3.0]])
    assert TripletLoss()(apart, speakers).item() == 0
    assert TripletLoss()(torch.ones(4, 2), speakers).item() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("speakers", [[0, 1, 2, 3], [7, 7, 7, 7]])
def test_a_batch_without_triplets_has_no_loss_and_a_finite_gradient(speakers: list[int]) -> None:
    embeddings = torch.randn(4, 3, requires_grad=True)
    loss = TripletLoss()(embeddings, torch.tensor(speakers))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(embeddings.grad, torch.zeros(4, 3))


def test_equal_embeddings_have_a_finite_gradient() -> None:
    embeddings = torch.ones(4, 3, requires_grad=True)
    TripletLoss()(embeddings, torch.tensor([0, 0, 1, 1])).backward()
    assert embeddings.grad.isfinite().all()


def test_a_margin_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"above 0, got 0 \(optim\.loss\.triplet_margin\)"):
        TripletLoss(margin=0)
