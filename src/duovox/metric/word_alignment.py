"""Words side by side: what was said over what was heard in its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedWord:
    """A reference word over the word heard in its place; either is None where there is none."""

    kind: str  # equal, substitute, delete or insert
    reference: str | None
    hypothesis: str | None


def align(reference: str, hypothesis: str) -> list[AlignedWord]:
    """Return the words of both texts side by side, at the smallest number of errors."""
    return align_all([reference], [hypothesis])[0]


def align_all(references: Sequence[str], hypotheses: Sequence[str]) -> list[list[AlignedWord]]:
    """Return the aligned words of each pair of texts."""
    import jiwer

    output = jiwer.process_words(list(references), list(hypotheses))
    pairs = zip(output.alignments, output.references, output.hypotheses, strict=True)
    return [_side_by_side(*pair) for pair in pairs]


def count_confusions(alignments: Iterable[Sequence[AlignedWord]]) -> Counter[AlignedWord]:
    """Count each substituted, deleted and inserted word; the most frequent ones tell the most."""
    return Counter(word for words in alignments for word in words if word.kind != "equal")


def _side_by_side(
    stretches: Iterable[Any], said: Sequence[str], heard: Sequence[str]
) -> list[AlignedWord]:
    """Return the words of one pair from jiwer's stretches of the same kind."""
    words: list[AlignedWord] = []
    for stretch in stretches:
        above = said[stretch.ref_start_idx : stretch.ref_end_idx]
        below = heard[stretch.hyp_start_idx : stretch.hyp_end_idx]
        words += (
            AlignedWord(kind=stretch.type, reference=word, hypothesis=other)
            for word, other in zip_longest(above, below)  # one is empty, or both are as long
        )
    return words
