"""Forced alignment against torchaudio's and against every path there is."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from duovox.decoding.alignment import align


def draw(num_frames: int, num_symbols: int, seed: int = 0) -> np.ndarray:
    logits = torch.randn(num_frames, num_symbols, generator=torch.Generator().manual_seed(seed))
    return torch.log_softmax(2 * logits, dim=-1).numpy()


def collapsed(path: tuple[int, ...]) -> list[int]:
    return [symbol for symbol, _ in itertools.groupby(path) if symbol != 0]


@given(
    tokens=st.lists(st.integers(1, 2), max_size=3),
    num_frames=st.integers(1, 6),
    seed=st.integers(0, 1000),
)
def test_the_path_is_the_likeliest_of_all_that_read_alike(tokens, num_frames, seed) -> None:
    scores = draw(num_frames, 3, seed)
    paths = [
        path for path in itertools.product(range(3), repeat=num_frames) if collapsed(path) == tokens
    ]
    if not paths:
        with pytest.raises(ValueError, match="frames to be said"):
            align(scores, tokens)
        return
    best = max(paths, key=lambda path: scores[range(num_frames), path].sum())
    spans = align(scores, tokens)
    found = [0] * num_frames
    for token, span in zip(tokens, spans, strict=True):
        for frame in range(span.first_frame, span.stop_frame):
            found[frame] = token
    assert tuple(found) == best


@pytest.mark.parametrize("seed", range(5))
def test_spans_are_those_of_torchaudio(seed: int) -> None:
    from torchaudio.functional import forced_align, merge_tokens

    scores = draw(400, 32, seed)
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(1, 32, (120,), generator=generator)
    tokens[50:53] = 7  # equal neighbours need blanks
    path, path_scores = forced_align(torch.from_numpy(scores)[None], tokens[None].int())
    expected = merge_tokens(path[0], path_scores[0].exp())
    found = align(scores, tokens.tolist())
    assert [(span.first_frame, span.stop_frame) for span in found] == [
        (span.start, span.end) for span in expected
    ]
    assert [span.score for span in found] == pytest.approx([span.score for span in expected])


def test_no_tokens_have_no_spans() -> None:
    assert align(draw(5, 3), []) == []


def test_equal_neighbours_need_a_frame_between_them() -> None:
    assert len(align(draw(3, 3), [1, 1])) == 2
    with pytest.raises(ValueError, match=r"2 tokens need 3 frames to be said.*got 2"):
        align(draw(2, 3), [1, 1])


def test_the_score_is_the_mean_probability_of_the_token() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3]], np.float32)
    (span,) = align(np.log(probabilities), [1])
    assert (span.first_frame, span.stop_frame) == (1, 3)
    assert math.isclose(span.score, 0.7, rel_tol=1e-6)
