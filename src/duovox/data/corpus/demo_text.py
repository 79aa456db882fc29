"""What the demo corpus says: digit strings, and short sentences from a small grammar."""

from __future__ import annotations

import numpy as np

_DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")
_SENTENCE = (
    ("BRING", "FIND", "PAINT"),
    ("THE", "MY"),
    ("RED", "SMALL", "OLD"),
    ("BOX", "HOUSE", "GARDEN", "TABLE"),
    ("NOW", "TODAY", "AGAIN"),
)
_NUM_DIGITS = (2, 5)
_DIGITS_SHARE = 1 / 3
_WORD_KEPT = 0.7  # probability of an adjective, and of a last word


def make_text(random: np.random.Generator) -> str:
    """Return an upper-case transcript: two to five digits, or a sentence of three to five words."""
    if random.random() < _DIGITS_SHARE:
        return " ".join(random.choice(_DIGITS, random.integers(*_NUM_DIGITS, endpoint=True)))
    verb, article, adjective, noun, time = (str(random.choice(words)) for words in _SENTENCE)
    words = [verb, article, noun]
    if random.random() < _WORD_KEPT:
        words.insert(2, adjective)
    if random.random() < _WORD_KEPT:
        words.append(time)
    return " ".join(words)
