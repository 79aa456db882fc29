"""The contrast against its definition, written out frame by frame."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from duovox.loss.contrastive import Contrast, ContrastiveLoss

NUM_MASKED = (6, 9)


@pytest.fixture
def batch() -> dict[str, Any]:
    """Fifteen masked frames of two utterances; with 4 x 4 codes some targets are the same."""
    codebooks = torch.randn(2, 4, 3)
    codes = torch.randint(4, (15, 2))
    targets = torch.cat([codebooks[0, codes[:, 0]], codebooks[1, codes[:, 1]]], dim=1)
    places = [torch.randint(count - 1, (count, 20)) for count in NUM_MASKED]
    negatives = [drawn + (drawn >= torch.arange(len(drawn))[:, None]) for drawn in places]
    return {
        "contexts": torch.randn(15, 6, requires_grad=True),
        "targets": targets.requires_grad_(),
        "codes": codes,
        "negatives": torch.cat(negatives).int(),
        "num_masked": NUM_MASKED,
    }


def loss_of(batch: dict[str, Any]) -> Contrast:
    sides = batch["contexts"], batch["targets"]
    rest = {name: batch[name] for name in ("codes", "negatives", "num_masked")}
    return ContrastiveLoss()(*sides, **rest)


def loss_frame_by_frame(batch: dict[str, Any]) -> tuple[Tensor, int]:
    total, num_right = torch.zeros(()), 0
    starts = [0] * NUM_MASKED[0] + [NUM_MASKED[0]] * NUM_MASKED[1]
    for frame, start in enumerate(starts):
        others = [start + place for place in batch["negatives"][frame].tolist()]
        is_same = [torch.equal(batch["codes"][frame], batch["codes"][other]) for other in others]
        kept = [other for other, same in zip(others, is_same, strict=True) if not same]
        candidates = batch["targets"][[frame, *kept]]
        cosines = torch.cosine_similarity(batch["contexts"][frame], candidates, dim=1)
        total = total - torch.log_softmax(cosines / 0.1, dim=0)[0]
        num_right += int(bool(kept) and cosines.argmax() == 0)
    return total, num_right


def test_loss_accuracy_and_gradients_follow_the_definition(batch: dict[str, Any]) -> None:
    ours = loss_of(batch)
    expected, num_right = loss_frame_by_frame(batch)
    torch.testing.assert_close(ours.loss, expected)
    assert (ours.num_right, ours.num_masked) == (num_right, 15)
    sides = (batch["contexts"], batch["targets"])
    torch.testing.assert_close(
        torch.autograd.grad(ours.loss, sides), torch.autograd.grad(expected, sides)
    )


def test_utterances_do_not_meet(batch: dict[str, Any]) -> None:
    halves = []
    for rows, count in ((slice(0, 6), 6), (slice(6, 15), 9)):
        part = {name: value[rows] for name, value in batch.items() if name != "num_masked"}
        halves.append(loss_of(part | {"num_masked": (count,)}).loss)
    torch.testing.assert_close(loss_of(batch).loss, halves[0] + halves[1])


def test_an_utterance_without_masked_frames_changes_nothing(batch: dict[str, Any]) -> None:
    with_empty = batch | {"num_masked": (6, 0, 9)}
    torch.testing.assert_close(loss_of(with_empty).loss, loss_of(batch).loss)


def test_like_contexts_leave_the_loss_of_a_guess() -> None:
    targets = torch.eye(8)
    contrast = ContrastiveLoss()(
        torch.ones(8, 8),
        targets,
        codes=torch.arange(8)[:, None],
        negatives=(torch.arange(8)[:, None] + torch.arange(1, 8)) % 8,
        num_masked=[8],
    )
    assert contrast.loss.item() == pytest.approx(8 * math.log(8))
    assert contrast.num_right == 0  # a tie is no hit


def test_collapsed_codes_are_no_success(batch: dict[str, Any]) -> None:
    collapsed = batch | {"codes": torch.zeros(15, 2, dtype=torch.int64)}
    contrast = loss_of(collapsed)
    assert contrast.loss == 0
    assert contrast.num_right == 0
    gradient = torch.autograd.grad(contrast.loss, batch["contexts"])[0]
    assert gradient.eq(0).all()


def test_half_precision_is_compared_in_float32(batch: dict[str, Any]) -> None:
    sides = {name: batch[name].detach().bfloat16() for name in ("contexts", "targets")}
    with torch.autocast("cpu", torch.bfloat16):
        half = loss_of(batch | sides).loss
    exact = loss_of(batch | {name: side.float() for name, side in sides.items()}).loss
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, exact)


def test_nan_in_one_utterance_shows_in_the_loss(batch: dict[str, Any]) -> None:
    contexts = batch["contexts"].detach().clone()
    contexts[7] = math.nan
    assert loss_of(batch | {"contexts": contexts}).loss.isnan()  # the task drops such a step


def test_a_temperature_must_be_above_0() -> None:
    with pytest.raises(ValueError, match="temperature must be above 0, got 0"):
        ContrastiveLoss(temperature=0)
