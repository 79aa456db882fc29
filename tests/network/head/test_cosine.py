from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from duovox.network.head.cosine import CosineHead


def test_cosines_agree_with_torch() -> None:
    head = CosineHead(8, 5)
    embedding = torch.randn(3, 8)
    expected = F.cosine_similarity(embedding[:, None], head.weight[None], dim=2)
    torch.testing.assert_close(head(embedding), expected)


def test_the_nearest_center_counts() -> None:
    head = CosineHead(8, 5, num_centers=3)
    embedding = torch.randn(4, 8, requires_grad=True)
    centers = head.weight.view(3, 5, 8)
    every = F.cosine_similarity(embedding[:, None, None], centers[None], dim=3)  # (B, C, K)
    expected = every.amax(dim=1)
    cosines = head(embedding)
    torch.testing.assert_close(cosines, expected)
    inputs = (embedding, head.weight)
    found, wanted = (torch.autograd.grad(one.square().sum(), inputs) for one in (cosines, expected))
    torch.testing.assert_close(found, wanted)


def test_centers_that_agree_are_one_center() -> None:
    one, three = CosineHead(8, 5), CosineHead(8, 5, num_centers=3)
    three.load_state_dict({"weight": one.weight.repeat(3, 1)})
    embedding = torch.randn(4, 8)
    torch.testing.assert_close(three(embedding), one(embedding))


def test_neither_length_matters() -> None:
    head = CosineHead(8, 5)
    embedding = torch.randn(3, 8)
    before = head(embedding)
    head.weight.data *= 7
    torch.testing.assert_close(head(embedding * 0.01), before)


def test_cosines_stay_inside_the_open_interval() -> None:
    head = CosineHead(8, 2)
    head.weight.data[1] = -head.weight.data[0]
    cosines = head(head.weight[:1].detach() * 3)
    assert cosines.abs().max() < 1
    torch.testing.assert_close(cosines, torch.tensor([[1.0, -1.0]]))
    assert torch.acos(cosines).isfinite().all()


@pytest.mark.parametrize("embedding", [torch.zeros(1, 8), torch.randn(1, 8)])
def test_gradients_are_finite(embedding: torch.Tensor) -> None:
    head = CosineHead(8, 5)
    embedding.requires_grad_()
    head(embedding).sum().backward()
    assert embedding.grad.isfinite().all()
    assert head.weight.grad.isfinite().all()


def test_autocast_does_not_round_the_cosines() -> None:
    head = CosineHead(8, 5)
    embedding = torch.randn(3, 8)
    with torch.autocast("cpu", torch.bfloat16):
        cosines = head(embedding)
    assert cosines.dtype == torch.float32
    torch.testing.assert_close(cosines, head(embedding))


def test_dropout_acts_in_training_only() -> None:
    head = CosineHead(64, 5, dropout=0.5)
    embedding = torch.randn(3, 64)
    assert not torch.equal(head(embedding), head(embedding))
    head.eval()
    assert torch.equal(head(embedding), head(embedding))


def test_new_directions_have_the_deviation_of_xavier() -> None:
    assert CosineHead(300, 200).weight.std().item() == pytest.approx((2 / 500) ** 0.5, rel=0.02)
