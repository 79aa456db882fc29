"""Scores of trial lists against torch's cosine similarity."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from duovox.metric.cosine_score import TRIALS_PER_BLOCK, rows_of, score_trials

KEYS = [f"speaker/session/{number:03d}" for number in range(50)]


def test_scores_equal_torch_over_several_blocks() -> None:
    embeddings = torch.randn(50, 8) * 7
    generator = np.random.default_rng(0)
    enroll, test = generator.integers(50, size=(2, 2 * TRIALS_PER_BLOCK + 3))
    scores = score_trials(
        embeddings, KEYS, enroll=[KEYS[row] for row in enroll], test=[KEYS[row] for row in test]
    )
    expected = torch.cosine_similarity(embeddings[enroll], embeddings[test])
    torch.testing.assert_close(scores, expected)


def test_an_embedding_of_length_zero_scores_zero() -> None:
    embeddings = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    scores = score_trials(embeddings, ["a", "b"], enroll=["a", "b"], test=["b", "b"])
    torch.testing.assert_close(scores, torch.tensor([0.0, 1.0]))


def test_half_precision_embeddings_are_scored_in_float32() -> None:
    scores = score_trials(torch.randn(2, 4).half(), ["a", "b"], enroll=["a"], test=["b"])
    assert scores.dtype == torch.float32


def test_an_empty_list_has_no_scores() -> None:
    assert len(score_trials(torch.randn(2, 4), ["a", "b"], enroll=[], test=[])) == 0


def test_missing_utterances_are_named() -> None:
    with pytest.raises(ValueError, match=r"2 utterances of the trial list .*: x, y\. Is this"):
        rows_of(["a", "y", "x", "y"], ["a", "b"])


def test_a_long_list_of_missing_utterances_is_cut() -> None:
    with pytest.raises(ValueError, match=r"^50 utterances .*019, \.\.\. Is this|\.\.\.\. Is this"):
        rows_of(KEYS, ["a"])
