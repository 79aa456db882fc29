"""Forced alignment: which frames say which token of a text that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from duovox.decoding.text import BLANK

_Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSpan:
    """The frames that say one token, without the blanks around it."""

    first_frame: int
    stop_frame: int  # one behind the last
    score: float  # mean probability of the token in these frames


def align(log_probabilities: _Array, tokens: Sequence[int]) -> list[TokenSpan]:
    """Return the frames of each token on the likeliest of all paths that read as `tokens`.

    The path runs through 2 L + 1 states: each token between two blanks. A blank may be passed over
    where its neighbours differ.

    Args:
        log_probabilities: (T, V) natural logarithms of one utterance.
        tokens: L places in the vocabulary, none of them the blank.

    Raises:
        ValueError: there are fewer frames than the tokens need.

    Source: Graves et al. 2006, section 4.1, with the best path in place of the sum over all.
    """
    num_frames = len(log_probabilities)
    num_needed = len(tokens) + sum(first == second for first, second in pairwise(tokens))
    if num_frames < num_needed:
        raise ValueError(
            f"{len(tokens)} tokens need {num_needed} frames to be said, one each and a blank "
            f"between equal neighbours, got {num_frames}"
        )
    if not tokens:
        return []
    symbols = np.full(2 * len(tokens) + 1, BLANK)
    symbols[1::2] = tokens
    path = _best_path(log_probabilities[:, symbols], symbols)  # (T,)
    probabilities = np.exp(log_probabilities[np.arange(num_frames), symbols[path]])  # (T,)
    spans = []
    for state in range(1, len(symbols), 2):
        first, stop = np.searchsorted(path, [state, state + 1])
        score = float(probabilities[first:stop].mean())
        spans.append(TokenSpan(first_frame=int(first), stop_frame=int(stop), score=score))
    return spans


def _best_path(scores: _Array, symbols: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the state of each frame (T,), given the scores of all states (T, S)."""
    num_frames, num_states = scores.shape
    skip_cost = np.where((symbols[2:] != BLANK) & (symbols[2:] != symbols[:-2]), 0, -np.inf)
    best = np.full(num_states, -np.inf)
    best[:2] = scores[0, :2]
    ways = np.full((3, num_states), -np.inf)  # to stay, from one state before, from two before
    steps = np.zeros((num_frames, num_states), np.int8)
    for frame in range(1, num_frames):
        ways[0] = best
        ways[1, 1:] = best[:-1]
        ways[2, 2:] = best[:-2] + skip_cost
        steps[frame] = ways.argmax(axis=0)
        best = ways.max(axis=0) + scores[frame]
    path = np.empty(num_frames, np.int64)
    path[-1] = num_states - 1 if best[-1] >= best[-2] else num_states - 2
    for frame in range(num_frames - 1, 0, -1):
        path[frame - 1] = path[frame] - steps[frame, path[frame]]
    return path
