"""Word and character error rates over a whole corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class WordErrorRate:
    """(substitutions + deletions + insertions) / words of all references together."""

    wer: float  # a fraction; may exceed 1
    substitutions: int
    deletions: int
    insertions: int
    num_words: int  # of the references


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterErrorRate:
    """(substitutions + deletions + insertions) / characters of all references together."""

    cer: float  # a fraction; may exceed 1
    substitutions: int
    deletions: int
    insertions: int
    num_characters: int  # of the references, spaces between words included


@dataclass(frozen=True, slots=True, kw_only=True)
class EditCounts:
    """The edits that turn each of N references into its hypothesis."""

    substitutions: NDArray[np.int64]  # (N,)
    deletions: NDArray[np.int64]  # (N,)
    insertions: NDArray[np.int64]  # (N,)
    num_units: NDArray[np.int64]  # (N,) words or characters of the reference

    @property
    def errors(self) -> NDArray[np.int64]:
        """All edits of each utterance (N,)."""
        return self.substitutions + self.deletions + self.insertions


def word_error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> WordErrorRate:
    """Return the corpus' word error rate, which is not the mean over its utterances.

    Words are what white space separates; case and punctuation count. Without a single reference
    word the insertions are divided by 1.

    Args:
        references: what was said.
        hypotheses: what was recognised, in the same order.
    """
    edits = count_word_edits(references, hypotheses)
    return WordErrorRate(
        wer=error_rate(edits), num_words=int(edits.num_units.sum()), **_sums(edits)
    )


def character_error_rate(
    references: Sequence[str], hypotheses: Sequence[str]
) -> CharacterErrorRate:
    """Return the corpus' character error rate; runs of white space count as one character."""
    edits = count_character_edits(references, hypotheses)
    return CharacterErrorRate(
        cer=error_rate(edits), num_characters=int(edits.num_units.sum()), **_sums(edits)
    )


def count_word_edits(references: Sequence[str], hypotheses: Sequence[str]) -> EditCounts:
    """Align the words of each pair and count the edits per utterance."""
    import jiwer

    return _count_edits(jiwer.process_words, references, hypotheses)


def count_character_edits(references: Sequence[str], hypotheses: Sequence[str]) -> EditCounts:
    """Align the characters of each pair and count the edits per utterance."""
    import jiwer

    return _count_edits(jiwer.process_characters, references, hypotheses)


def error_rate(edits: EditCounts) -> float:
    """Return all edits / all reference units, or / 1 when there are no reference units."""
    return int(edits.errors.sum()) / max(int(edits.num_units.sum()), 1)


def _count_edits(align: Any, references: Sequence[str], hypotheses: Sequence[str]) -> EditCounts:
    """Count with one of jiwer's aligners."""
    if len(references) != len(hypotheses) or not references:
        raise ValueError(
            "every reference needs one hypothesis and there must be at least one pair, got "
            f"{len(references)} references and {len(hypotheses)} hypotheses"
        )
    output = align(_single_spaced(references), _single_spaced(hypotheses))
    counts = np.array([_tally(chunks) for chunks in output.alignments], np.int64)  # (N, 3)
    return EditCounts(
        substitutions=counts[:, 0],
        deletions=counts[:, 1],
        insertions=counts[:, 2],
        num_units=np.array([len(units) for units in output.references], np.int64),
    )


def _tally(chunks: Sequence[Any]) -> tuple[int, int, int]:
    """Return one utterance's substitutions, deletions and insertions from its aligned chunks."""
    sizes = {"equal": 0, "substitute": 0, "delete": 0, "insert": 0}  # jiwer's names
    for chunk in chunks:
        reference_span = chunk.ref_end_idx - chunk.ref_start_idx  # 0 for an insertion
        sizes[chunk.type] += reference_span or chunk.hyp_end_idx - chunk.hyp_start_idx
    return sizes["substitute"], sizes["delete"], sizes["insert"]


def _single_spaced(texts: Sequence[str]) -> list[str]:
    return [" ".join(text.split()) for text in texts]


def _sums(edits: EditCounts) -> dict[str, int]:
    return {
        "substitutions": int(edits.substitutions.sum()),
        "deletions": int(edits.deletions.sum()),
        "insertions": int(edits.insertions.sum()),
    }
