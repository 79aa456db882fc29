"""What the network has to fill in: where spans lie, and how much they cover."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duovox.data.stage.span_mask import draw_span_mask

CONVENTIONS = ["fairseq", "huggingface", "nano"]


def _coverage(num_frames: int, probability: float, convention: str, **settings) -> float:
    generator = np.random.default_rng(0)
    draw = partial(draw_span_mask, num_frames, probability=probability, convention=convention)
    masks = [draw(length=10, generator=generator, **settings) for _ in range(200)]
    return float(np.mean(masks))


@given(
    num_frames=st.integers(0, 90),
    probability=st.floats(0, 1),
    length=st.integers(1, 12),
    min_spans=st.integers(0, 3),
    convention=st.sampled_from(CONVENTIONS),
    seed=st.integers(0, 1000),
)
def test_a_mask_is_as_long_as_the_utterance_and_made_of_whole_spans(
    num_frames, probability, length, min_spans, convention, seed
) -> None:
    mask = draw_span_mask(
        num_frames,
        probability=probability,
        length=length,
        min_spans=min_spans,
        convention=convention,
        generator=np.random.default_rng(seed),
    )
    assert mask.shape == (num_frames,)
    runs = "".join("x" if masked else " " for masked in mask).split(" ")
    inner = [run for run in runs[:-1] if run]  # the last one may be cut by the end
    assert all(len(run) >= length for run in inner)
    if num_frames >= 2 * length and min_spans:
        assert mask.any()


@pytest.mark.parametrize(
    ("convention", "probability", "covered"),
    [
        ("fairseq", 0.65, 0.49),  # the paper: "approximately 49 %"
        ("fairseq", 0.5, 1 - (1 - 0.05) ** 10),
        ("huggingface", 0.65, 0.49),
        ("nano", 0.5, 0.40),
        ("nano", 0.05, 0.05),
    ],
)
def test_coverage_is_what_the_published_systems_mask(convention, probability, covered) -> None:
    assert _coverage(780, probability, convention) == pytest.approx(covered, abs=0.012)


@pytest.mark.parametrize("num_frames", [780, 250, 49])
@pytest.mark.parametrize("probability", [0.065, 0.5, 0.65])
def test_coverage_agrees_with_transformers(num_frames: int, probability: float) -> None:
    from transformers.models.wav2vec2.modeling_wav2vec2 import _compute_mask_indices

    theirs = np.mean([_compute_mask_indices((1, num_frames), probability, 10) for _ in range(200)])
    ours = _coverage(num_frames, probability, "huggingface", min_spans=0)
    assert ours == pytest.approx(theirs, abs=0.015)


def test_every_inner_frame_is_masked_equally_often() -> None:
    generator = np.random.default_rng(0)
    draw = partial(draw_span_mask, 100, probability=0.5, length=5, generator=generator)
    share = np.mean([draw(convention="huggingface") for _ in range(4000)], axis=0)[5:-5]
    assert share.std() / share.mean() < 0.04


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_short_utterances_are_masked_as_far_as_they_go(convention: str) -> None:
    draw = partial(draw_span_mask, probability=0.65, length=10, convention=convention)
    for num_frames in range(13):
        mask = draw(num_frames, generator=np.random.default_rng(num_frames))
        assert mask.shape == (num_frames,)
    assert draw(12, generator=np.random.default_rng(0)).sum() >= 2


def test_a_probability_of_one_masks_most_and_of_zero_only_what_is_asked_for() -> None:
    assert 0.6 < _coverage(400, 1.0, "fairseq") < 0.7  # 1 - 1 / e: spans overlap
    assert _coverage(400, 0.0, "huggingface", min_spans=0) == 0
    assert _coverage(400, 0.0, "fairseq", min_spans=1) == pytest.approx(10 / 400)


def test_the_generator_decides_the_mask() -> None:
    draw = partial(draw_span_mask, 300, probability=0.65, length=10)
    first, again, other = (draw(generator=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probability": 1.2}, r"probability of masks must lie in \[0, 1\], got 1.2"),
        ({"length": 0}, "length of masked spans must be at least 1, got 0"),
        ({"convention": "hf"}, "must follow one of .'fairseq', 'huggingface', 'nano'., got 'hf'"),
        ({"min_spans": -1}, "min_spans must not be negative, got -1"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict, message: str) -> None:
    settings = {"probability": 0.65, "length": 10, "generator": np.random.default_rng(0)}
    with pytest.raises(ValueError, match=message):
        draw_span_mask(100, **(settings | change))
