"""Padding: zeros behind each row, and nowhere else."""

from __future__ import annotations

import numpy as np
import torch

from duovox.data.source.collate import pad_tokens, pad_waves


def test_waves_are_padded_with_zeros_to_the_longest() -> None:
    waves, num_samples = pad_waves([np.ones(2, np.float32), np.full(3, 2, np.float32)])
    assert waves.tolist() == [[1, 1, 0], [2, 2, 2]]
    assert num_samples.tolist() == [2, 3]
    assert waves.dtype == torch.float32
    assert waves.is_contiguous()
    assert num_samples.dtype == torch.int64


def test_tokens_are_padded_with_the_blank() -> None:
    tokens, num_tokens = pad_tokens([[5], [6, 7, 8], []])
    assert tokens.tolist() == [[5, 0, 0], [6, 7, 8], [0, 0, 0]]
    assert num_tokens.tolist() == [1, 3, 0]
    assert tokens.dtype == num_tokens.dtype == torch.int64


def test_a_batch_may_have_no_tokens_at_all() -> None:
    tokens, num_tokens = pad_tokens([[], []])
    assert tokens.shape == (2, 0)
    assert num_tokens.tolist() == [0, 0]
