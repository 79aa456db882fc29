from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from duovox.network.wav2vec2.mask import SpanMasking, Spans, span_mask


def _runs(row: torch.Tensor) -> list[int]:
    """Lengths of the masked runs of a row."""
    return [len(run) for run in "".join("x" if m else " " for m in row.tolist()).split()]


@given(
    lengths=st.lists(st.integers(0, 80), min_size=1, max_size=4),
    probability=st.floats(0, 1),
    span=st.integers(1, 12),
    min_spans=st.integers(0, 3),
    seed=st.integers(0, 1000),
)
def test_spans_are_whole_and_stay_inside_the_row(
    lengths: list[int], probability: float, span: int, min_spans: int, seed: int
) -> None:
    mask = span_mask(
        torch.tensor(lengths),
        80,
        Spans(probability, span),
        min_spans=min_spans,
        generator=torch.Generator().manual_seed(seed),
    )
    for length, row in zip(lengths, mask, strict=True):
        assert not row[length:].any()
        assert all(run >= span for run in _runs(row))
        most = max(math.ceil(probability * length / span), min_spans) * span
        assert row.sum() <= most
        if min_spans and length >= span:
            assert row.sum() >= span


@pytest.mark.parametrize(("probability", "span"), [(0.05, 10), (0.5, 10), (0.65, 10), (0.1, 64)])
def test_coverage_agrees_with_transformers(probability: float, span: int) -> None:
    from transformers.models.wav2vec2.modeling_wav2vec2 import _compute_mask_indices

    lengths = torch.tensor([400, 250]).repeat(200)
    ours = span_mask(lengths, 400, Spans(probability, span), min_spans=2)
    attention_mask = (torch.arange(400) < lengths[:, None]).long()
    theirs = _compute_mask_indices((400, 400), probability, span, attention_mask, min_masks=2)
    for row in (0, 1):
        length = int(lengths[row])
        found = ours[row::2, :length].float().mean().item()
        assert found == pytest.approx(np.mean(theirs[row::2, :length]), rel=0.06)


def test_long_rows_are_covered_as_chance_has_it() -> None:
    mask = span_mask(torch.full((50,), 5000), 5000, Spans(0.65, 10), min_spans=2)
    assert mask.float().mean().item() == pytest.approx(1 - (1 - 0.65 / 10) ** 10, abs=0.003)


def test_every_place_is_masked_about_as_often() -> None:
    mask = span_mask(torch.full((4000,), 60), 60, Spans(0.2, 5), min_spans=0)
    inner = mask[:, 5:-5].float().mean(dim=0)
    assert inner.std() / inner.mean() < 0.08


def test_the_generator_decides_the_mask() -> None:
    lengths = torch.tensor([100, 90])

    def draw(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return span_mask(lengths, 100, Spans(0.5, 10), min_spans=2, generator=generator)

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))


def test_short_rows_get_what_fits() -> None:
    mask = span_mask(torch.tensor([9, 10, 19, 20]), 20, Spans(0.9, 10), min_spans=2)
    assert mask[0].sum() == 0  # shorter than a span
    assert mask[1].sum() == 10
    assert mask[2].sum() == 10  # two spans do not fit side by side
    assert 11 <= mask[3].sum() <= 20


def _masking(*, time_prob: float = 0.0, feature_prob: float = 0.0) -> SpanMasking:
    return SpanMasking(32, time=Spans(time_prob, 2), feature=Spans(feature_prob, 4))


def test_masked_frames_become_the_learned_vector() -> None:
    masking, frames = _masking(time_prob=1.0), torch.randn(1, 50, 32)
    masked = masking(frames, torch.tensor([40]))
    changed = (masked != frames).any(dim=2)[0]
    assert 0 < changed.sum() <= 40
    assert not changed[40:].any()
    assert torch.equal(masked[0, changed], masking.vector.expand(int(changed.sum()), -1))


@pytest.mark.parametrize("min_spans", [0, 1, 4])
def test_short_utterances_get_the_spans_they_are_to_have_at_least(min_spans: int) -> None:
    time, none = Spans(1e-6, 2), Spans(0.0, 4)
    masking = SpanMasking(4, time=time, feature=none, min_time_spans=min_spans).train()
    is_masked = (masking(torch.zeros(3, 40, 4), torch.full((3,), 40)) != 0).any(-1)
    assert all(min_spans < count + 1 <= 2 * min_spans + 1 for count in is_masked.sum(-1).tolist())


def test_masked_channels_are_zero_in_every_frame() -> None:
    is_zero = _masking(feature_prob=0.5)(torch.ones(3, 50, 32), torch.tensor([50, 50, 50])).eq(0)
    assert torch.equal(is_zero.all(dim=1), is_zero.any(dim=1))
    assert is_zero[:, 0].any()
    assert not is_zero[:, 0].all()


def test_a_probability_of_zero_and_eval_leave_the_frames_alone() -> None:
    frames, num_frames = torch.randn(2, 50, 32), torch.tensor([50, 40])
    assert _masking()(frames, num_frames) is frames
    assert _masking(time_prob=1.0, feature_prob=1.0).eval()(frames, num_frames) is frames


@pytest.mark.parametrize("is_training", [True, False])
def test_a_given_mask_takes_the_place_of_drawn_ones(is_training: bool) -> None:
    masking, frames = _masking(time_prob=0.9).train(is_training), torch.randn(2, 50, 32)
    mask = torch.zeros(2, 50, dtype=torch.bool)
    mask[0, 3:6] = True
    masked = masking(frames, torch.tensor([50, 40]), mask)
    assert torch.equal((masked != frames).any(dim=2), mask)
    assert torch.equal(masked[mask], masking.vector.expand(3, -1))


def test_the_vector_is_trained_only_where_it_is_used() -> None:
    assert list(dict(_masking().named_parameters())) == []
    assert list(dict(_masking(time_prob=0.1).named_parameters())) == ["vector"]
    masking = _masking()
    masking.learn()
    assert list(dict(masking.named_parameters())) == ["vector"]
    assert list(masking.state_dict()) == ["vector"]


@pytest.mark.parametrize("setting", ["time_prob", "feature_prob"])
def test_probabilities_outside_0_and_1_are_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=rf"mask_{setting} must lie in \[0, 1\], got 1.5"):
        _masking(**{setting: 1.5})
