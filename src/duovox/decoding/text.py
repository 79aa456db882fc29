"""From symbols to text: what each symbol of a vocabulary writes."""

from __future__ import annotations

from collections.abc import Sequence

BLANK = 0  # the CTC blank's place in every vocabulary
WORD_BORDER = "|"


def spellings(vocabulary: Sequence[str]) -> list[str]:
    """Return what each symbol writes: a space for the word border, nothing for a special one."""
    return [
        "" if place == BLANK or _is_special(symbol) else symbol.replace(WORD_BORDER, " ")
        for place, symbol in enumerate(vocabulary)
    ]


def check_vocabulary(num_logits: int, vocabulary: Sequence[str]) -> None:
    """Refuse logits of another vocabulary.

    Raises:
        ValueError: there is not one symbol per logit.
    """
    if num_logits != len(vocabulary):
        raise ValueError(
            f"the vocabulary must have one symbol per logit: {num_logits} logits, "
            f"{len(vocabulary)} symbols. Is this the vocabulary the model was trained with?"
        )


def _is_special(symbol: str) -> bool:
    return len(symbol) > 2 and symbol.startswith("<") and symbol.endswith(">")
