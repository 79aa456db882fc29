"""Pad waves and tokens into the few large tensors of a batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from duovox.data.stage import Wave


def pad_waves(waves: Sequence[Wave]) -> tuple[Tensor, Tensor]:
    """Return waves (B, S) float32, padded with zeros, and their true lengths (B,) int64."""
    lengths = [len(wave) for wave in waves]
    padded = np.empty((len(waves), max(lengths, default=0)), dtype=np.float32)
    for row, wave in zip(padded, waves, strict=True):
        row[: len(wave)] = wave
        row[len(wave) :] = 0
    return torch.from_numpy(padded), torch.tensor(lengths, dtype=torch.int64)


def pad_tokens(tokens: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return tokens (B, L) int64, padded with the blank 0, and their true numbers (B,) int64."""
    lengths = [len(sequence) for sequence in tokens]
    padded = np.zeros((len(tokens), max(lengths, default=0)), dtype=np.int64)
    for row, sequence in zip(padded, tokens, strict=True):
        row[: len(sequence)] = sequence
    return torch.from_numpy(padded), torch.tensor(lengths, dtype=torch.int64)
