"""The angular margin against speechbrain's, and where its gradient could break."""

from __future__ import annotations

import math

import pytest
import torch

from duovox.loss.aam_softmax import AamSoftmaxLoss


def unit_cosines(num_utterances: int, num_speakers: int) -> torch.Tensor:
    embeddings = torch.nn.functional.normalize(torch.randn(num_utterances, 8), dim=-1)
    speakers = torch.nn.functional.normalize(torch.randn(num_speakers, 8), dim=-1)
    return embeddings @ speakers.T


@pytest.mark.parametrize(("margin", "scale"), [(0.2, 30.0), (0.5, 64.0), (1.0, 10.0), (0.0, 30.0)])
def test_value_and_gradient_equal_speechbrain(margin: float, scale: float) -> None:
    from speechbrain.nnet.losses import AdditiveAngularMargin, LogSoftmaxWrapper

    theirs = LogSoftmaxWrapper(AdditiveAngularMargin(margin=margin, scale=scale))
    cosines, speaker_ids = unit_cosines(200, 11), torch.randint(0, 11, (200,))
    own, other = cosines.clone().requires_grad_(), cosines.clone().requires_grad_()
    loss = AamSoftmaxLoss(margin_rad=margin, scale=scale)(own, speaker_ids)
    expected = theirs(other[:, None], speaker_ids[:, None])
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(own.grad, other.grad, atol=1e-6, rtol=1e-4)


def test_a_hand_worked_value() -> None:
    cosines = torch.tensor([[0.5, 0.0]])
    own = math.cos(math.acos(0.5) + 0.2)
    expected = math.log(1 + math.exp(10 * (0.0 - own)))
    loss = AamSoftmaxLoss(margin_rad=0.2, scale=10.0)(cosines, torch.tensor([0]))
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_the_loss_rises_with_the_angle_also_beyond_the_fallback() -> None:
    angles = torch.linspace(0.01, math.pi - 0.01, 500)
    own_and_rival = torch.stack([angles.cos(), torch.zeros(500)], dim=1)
    loss = AamSoftmaxLoss(margin_rad=0.5, scale=1.0)
    losses = torch.stack([loss(row[None], torch.tensor([0])) for row in own_and_rival])
    assert (losses.diff() > 0).all()


def rewritten(
    cosines: torch.Tensor, speaker_ids: torch.Tensor, *, margin: float, k: int, penalty: float
) -> torch.Tensor:
    """Return the loss through angles, class by class, for autograd to go back through."""
    angles = cosines.acos()
    is_own = torch.nn.functional.one_hot(speaker_ids, cosines.shape[1]).bool()
    closest = cosines.masked_fill(is_own, -9).topk(k, dim=1).indices
    is_close = torch.zeros_like(is_own).scatter(1, closest, True)
    widened = torch.where(
        angles < math.pi - margin, (angles + margin).cos(), cosines - margin * math.sin(margin)
    )
    narrowed = torch.where(
        angles > penalty, (angles - penalty).cos(), cosines + penalty * math.sin(penalty)
    )
    logits = torch.where(is_own, widened, torch.where(is_close, narrowed, cosines))
    return torch.nn.functional.cross_entropy(30 * logits, speaker_ids)


@pytest.mark.parametrize("num_speakers", [4, 11])
@pytest.mark.parametrize(("k", "penalty"), [(1, 0.06), (3, 0.06), (3, 0.9), (3, 0.0)])
def test_the_closest_wrong_speakers_are_penalised(
    k: int, penalty: float, num_speakers: int
) -> None:
    cosines, speaker_ids = unit_cosines(200, num_speakers), torch.randint(0, num_speakers, (200,))
    own, other = (cosines.double().requires_grad_() for _ in range(2))
    loss = AamSoftmaxLoss(inter_top_k=k, inter_top_k_penalty_rad=penalty)(own, speaker_ids)
    expected = rewritten(other, speaker_ids, margin=0.2, k=k, penalty=penalty)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(own.grad, other.grad, atol=1e-6, rtol=1e-3)


def test_without_a_penalty_the_closest_count_as_ever() -> None:
    cosines, speaker_ids = unit_cosines(20, 7), torch.arange(20) % 7
    plain = AamSoftmaxLoss()(cosines, speaker_ids)
    loss = AamSoftmaxLoss(inter_top_k=3, inter_top_k_penalty_rad=0.0)(cosines, speaker_ids)
    torch.testing.assert_close(loss, plain)
    assert AamSoftmaxLoss(inter_top_k=3)(cosines, speaker_ids) > plain


def test_there_must_be_more_classes_than_closest_ones() -> None:
    with pytest.raises(ValueError, match="below the number of classes, 3, got 3"):
        AamSoftmaxLoss(inter_top_k=3)(torch.zeros(2, 3), torch.tensor([0, 1]))


def test_the_margin_grows_to_its_size() -> None:
    loss = AamSoftmaxLoss(margin_rad=0.4, warmup_steps=3)
    margins = []
    for step in (0, 1, 2, 3, 4, 900):
        loss.at_step(step)
        margins.append(loss.margin_now_rad)
    assert margins == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    cosines, speaker_ids = unit_cosines(5, 7), torch.arange(5)
    loss.at_step(1)
    expected = AamSoftmaxLoss(margin_rad=0.2)(cosines, speaker_ids)
    torch.testing.assert_close(loss(cosines, speaker_ids), expected)


@pytest.mark.parametrize("cosine", [1.0, -1.0, 1.0000001])
def test_the_gradient_is_finite_at_the_ends(cosine: float) -> None:
    cosines = torch.tensor([[cosine, 0.9], [0.2, cosine]], requires_grad=True)
    AamSoftmaxLoss(inter_top_k=1)(cosines, torch.tensor([0, 0])).backward()
    assert cosines.grad is not None
    assert cosines.grad.isfinite().all()


def test_half_precision_cosines_are_widened_in_float32() -> None:
    cosines, speaker_ids = unit_cosines(5, 7).bfloat16(), torch.arange(5)
    loss = AamSoftmaxLoss()(cosines, speaker_ids)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, AamSoftmaxLoss()(cosines.float(), speaker_ids))


def test_the_gradient_has_the_type_of_the_cosines_and_follows_the_loss_weight() -> None:
    cosines, speaker_ids = unit_cosines(5, 7).bfloat16().requires_grad_(), torch.arange(5)
    (gradient,) = torch.autograd.grad(AamSoftmaxLoss()(cosines, speaker_ids), cosines)
    (third,) = torch.autograd.grad(AamSoftmaxLoss()(cosines, speaker_ids) / 3, cosines)
    assert gradient.dtype == torch.bfloat16
    torch.testing.assert_close(third.float(), gradient.float() / 3, rtol=1e-2, atol=1e-4)


def test_the_cosines_are_left_as_they_are() -> None:
    cosines = unit_cosines(4, 6)
    before = cosines.clone()
    AamSoftmaxLoss()(cosines, torch.arange(4))
    assert torch.equal(cosines, before)


@pytest.mark.parametrize(
    "settings",
    [
        {"margin_rad": -0.1},
        {"margin_rad": 3.2},
        {"scale": 0.0},
        {"inter_top_k_penalty_rad": 3.2},
    ],
)
def test_a_meaningless_setting_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must (lie in|be above).*optim\.loss\.aam_"):
        AamSoftmaxLoss(**settings)
