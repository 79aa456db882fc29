"""Estimate an n-gram language model from sentences and write it as ARPA text.

The estimate is Witten & Bell's, interpolated: what follows a history in the training text is mixed
with what follows the shorter history, the more so the more different words were seen there. Unlike
Kneser-Ney's discounts it is defined for the smallest texts, such as ten words said one at a time.

    p(w | h) = (count(h w) + kinds(h) p(w | h')) / (count(h) + kinds(h))

where kinds(h) is the number of different words behind h, and h' is h without its first word. Words
never seen share one part among the words that were (`<unk>`).

Source: Witten & Bell 1991, The Zero-Frequency Problem, method C; Chen & Goodman 1998, An Empirical
Study of Smoothing Techniques for Language Modeling, section 2.5.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

MARKS = BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"  # every model has them
ORDERS = range(2, 7)  # what KenLM reads: no model of single words, none of more than six
_NEVER = -99.0  # log10 of zero, as ARPA files write it
Words = tuple[str, ...]


class NgramEstimate:
    """The model of some sentences.

    Args:
        sentences: of words, without the marks of beginning and end.
        order: words of an n-gram, 2 to 6.

    Raises:
        ValueError: the order is another, there is no sentence, or one has a mark among its words.
    """

    def __init__(self, sentences: Iterable[Sequence[str]], *, order: int) -> None:
        if order not in ORDERS:
            raise ValueError(f"order must lie in {ORDERS[0]} to {ORDERS[-1]}, got {order}")
        self.order = order
        self._followers: dict[Words, Counter[str]] = defaultdict(Counter)
        for sentence in sentences:
            self._count((BEGIN, *sentence, END))
        if not self._followers:
            raise ValueError("a language model needs at least one sentence, got none")

    def probability(self, word: str, history: Words = ()) -> float:
        """Return p(word | history); words never seen have that of `<unk>`."""
        followers = self._followers.get(history)
        if not history:
            assert followers is not None
            total, kinds = followers.total(), len(followers)
            return (followers[word] + kinds / (kinds + 1)) / (total + kinds)
        shorter = self.probability(word, history[1:])
        if followers is None:
            return shorter
        return (followers[word] + len(followers) * shorter) / (followers.total() + len(followers))

    def arpa(self) -> Iterator[str]:
        """Yield the lines of the ARPA file."""
        levels = [self._level(length) for length in range(self.order)]
        yield "\\data\\"
        yield from (f"ngram {number}={len(rows)}" for number, rows in enumerate(levels, start=1))
        for number, rows in enumerate(levels, start=1):
            yield f"\n\\{number}-grams:"
            yield from rows
        yield "\n\\end\\"

    def _count(self, sentence: Words) -> None:
        if marks := sorted({*MARKS} & {*sentence[1:-1]}):
            raise ValueError(
                f"{', '.join(marks)} can't be a word: the model itself writes it. Take it out of "
                f"the text: {' '.join(sentence[1:-1])}"
            )
        for end in range(1, len(sentence)):
            for start in range(max(0, end - self.order + 1), end + 1):
                self._followers[sentence[start:end]][sentence[end]] += 1

    def _level(self, length: int) -> list[str]:
        """Return the rows of all n-grams with a history of this length."""
        rows = [
            self._row((*history, word), self.probability(word, history))
            for history, followers in sorted(self._followers.items())
            if len(history) == length
            for word in sorted(followers)
        ]
        if not length:
            rows += [self._row((BEGIN,), 0.0), self._row((UNKNOWN,), self.probability(UNKNOWN))]
        return rows

    def _row(self, words: Words, probability: float) -> str:
        chance = math.log10(probability) if probability else _NEVER
        row = f"{chance:.7f}\t{' '.join(words)}"
        followers = self._followers.get(words)
        if followers is None:
            return row
        return f"{row}\t{math.log10(len(followers) / (followers.total() + len(followers))):.7f}"
