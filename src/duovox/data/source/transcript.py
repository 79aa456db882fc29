"""What is wrong with transcripts, as far as the index and the vocabulary show it."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Literal

import numpy as np

from duovox.data.dataset.index import Index
from duovox.data.frames import Frames
from duovox.data.source.selection import Mask
from duovox.data.tokenizer import Tokenizer, count_needed_frames

UnknownCharacters = Literal["error", "drop"]


def find_unknown(index: Index, tokenizer: Tokenizer, policy: UnknownCharacters) -> Mask:
    """Return an (N,) mask of transcripts with characters outside the vocabulary.

    Raises:
        ValueError: there are some, and the policy is "error"; the message lists the characters.
    """
    unknown = Counter[str]()
    mask = np.zeros(len(index), dtype=np.bool_)
    for row, transcript in enumerate(index.transcript):
        found = tokenizer.unknown_characters(transcript)
        unknown.update(found)
        mask[row] = bool(found)
    if unknown and policy == "error":
        listed = ", ".join(
            f"{character!r} in {count} of them" for character, count in sorted(unknown.items())
        )
        first = int(np.argmax(mask))
        raise ValueError(
            f"{mask.sum()} of {len(index)} transcripts hold characters that the vocabulary lacks: "
            f"{listed}; the first is {index.key[first]}: {index.transcript[first]!r}. Change the "
            "transcripts, extend the vocabulary, or set unknown_characters=drop"
        )
    return mask


def check_references(index: Index, tokenizer: Tokenizer) -> None:
    """Warn of reference transcripts that no output can match.

    Raises:
        ValueError: there is not one reference word, hence no word error rate.
    """
    if not any(text.strip() for text in index.transcript):
        raise ValueError(
            f"none of the {len(index)} utterances has a transcript, the first is {index.key[0]}: "
            "without reference words there is no word error rate. Choose a set with transcripts"
        )
    odd = [text for text in index.transcript if tokenizer.unknown_characters(text)]
    if odd:
        unknown = sorted(set().union(*map(tokenizer.unknown_characters, odd)))
        warnings.warn(
            f"{len(odd)} of {len(index)} reference transcripts, such as {odd[0]!r}, count as "
            f"errors in part or whole: they hold {unknown}, which are not in the vocabulary"
            f"{tokenizer.case_hint(odd[0])}",
            stacklevel=2,
        )


def find_unlearnable(
    index: Index, tokenizer: Tokenizer, *, fastest: float, frames: Frames
) -> dict[str, Mask]:
    """Return (N,) masks of empty transcripts, and of those that CTC cannot fit into their frames.

    CTC needs a frame for each token and one for the blank between equal neighbours; with fewer its
    loss is infinite. `fastest` is the largest speed factor, which makes the fewest frames.
    """
    num_frames = frames.count((index.num_samples / fastest).astype(np.int64))
    is_empty, is_long = np.zeros((2, len(index)), dtype=np.bool_)
    for row, transcript in enumerate(index.transcript):
        is_empty[row] = not transcript.strip()
        if 2 * len(transcript) > num_frames[row]:  # else there is room whatever the letters
            needed = count_needed_frames(tokenizer.encode_known(transcript))
            is_long[row] = needed > num_frames[row]
    return {"empty transcript": is_empty, "transcript longer than its frames": is_long}
