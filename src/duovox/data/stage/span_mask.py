"""Choose the frames that pre-training hides: spans of an utterance, as the published systems do.

All draw distinct starts, evenly, and mask `length` frames from each; spans overlap, so they cover
less than `probability` of the utterance. The conventions differ in how many starts there are, and
where. For an utterance of T frames, probability p, length L, and u even in [0, 1):

| convention | spans | starts below | covers at p = 0.65, L = 10 |
|---|---|---|---|
| fairseq (the paper's own code) | floor(p T / L + u) | T - L | 49 % |
| huggingface | the same, but they must fit side by side | T - L + 1 | 49 % |
| nano (batch-size study) | ceil(p (T - L) / L) | T - L | 48 %; 40 % at its p = 0.5 |

Utterances of a batch may have different numbers of masked frames, so none are unmasked or masked
one by one to make them equal, as fairseq and SpeechBrain do.

Source: Baevski et al. 2020, "wav2vec 2.0", section 3.1; Vaessen & van Leeuwen 2024, "The effect of
batch size on contrastive self-supervised speech representation learning".
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Convention = Literal["fairseq", "huggingface", "nano"]


def draw_span_mask(
    num_frames: int,
    *,
    probability: float,
    length: int,
    generator: np.random.Generator,
    convention: Convention = "fairseq",
    min_spans: int = 2,
) -> NDArray[np.bool_]:
    """Return (T,) bool, True inside masked spans, for an utterance of T = `num_frames` frames.

    Args:
        probability: Masked frames per frame if spans did not overlap.
        length: Frames of a span.
        min_spans: At least so many, if they find room: 2 in fairseq, 0 in Hugging Face's
            pre-training, 1 in nano.

    Raises:
        ValueError: a setting out of range.
    """
    _check(probability, length, convention, min_spans)
    wanted = int(probability * num_frames / length + generator.random())
    if convention == "fairseq":
        num_spans = max(wanted, min_spans)
        num_starts = max(num_frames - length, num_spans + 1)  # short ones get starts all the same
    elif convention == "huggingface":
        num_starts = max(num_frames - length + 1, 0)
        num_spans = min(max(wanted, min_spans), num_frames // length, num_starts)
    else:
        num_starts = max(num_frames - length, length)
        num_spans = min(max(math.ceil(probability * num_starts / length), min_spans), num_starts)
    starts = generator.choice(num_starts, num_spans, replace=False, shuffle=False)
    mask = np.zeros(num_starts + length, dtype=np.bool_)
    mask[starts[:, None] + np.arange(length)] = True
    return mask[:num_frames]


def _check(probability: float, length: int, convention: str, min_spans: int) -> None:
    if not 0 <= probability <= 1:
        raise ValueError(f"the probability of masks must lie in [0, 1], got {probability}")
    if length < 1:
        raise ValueError(f"the length of masked spans must be at least 1, got {length}")
    if convention not in get_args(Convention):
        raise ValueError(f"masks must follow one of {get_args(Convention)}, got {convention!r}")
    if min_spans < 0:
        raise ValueError(f"min_spans must not be negative, got {min_spans}")
