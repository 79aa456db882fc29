"""A lexicon: the words that may be said, and the symbols that spell each."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from duovox.decoding.text import WORD_BORDER

Spelling = tuple[int, ...]  # symbols of one word, without a border
_SHOWN = 5  # words named in a message


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """Words as the language model writes them, each with its spellings in the vocabulary."""

    words: tuple[str, ...]  # each once
    spellings: tuple[tuple[Spelling, ...], ...]  # of each word; a word may have several


def read_lexicon(path: Path, vocabulary: Sequence[str]) -> Lexicon:
    """Read a lexicon, plain or packed with gzip.

    Each line is a word, alone or followed by its symbols: `HELLO` or `HELLO H E L L O |`. A border
    at the end is the same as none. A word in the other case than the vocabulary is spelt in the
    vocabulary's. Words that the vocabulary can't spell are left out, with a warning.

    Raises:
        ValueError: the file is missing or damaged, or the vocabulary can spell no word.
    """
    symbols = {symbol: place for place, symbol in enumerate(vocabulary)}
    found: dict[str, list[Spelling]] = {}
    unknown: list[str] = []
    for line in _lines(path):
        word, *letters = line.split()
        spelling = _spelling(letters or list(word), symbols)
        if spelling is None:
            unknown.append(word)
        elif spelling not in (known := found.setdefault(word, [])):
            known.append(spelling)
    _tell(path, unknown, num_known=len(found))
    return Lexicon(words=tuple(found), spellings=tuple(map(tuple, found.values())))


def write_lexicon(words: Iterable[str], path: Path) -> None:
    """Write `WORD W O R D |` for each word, sorted, each once."""
    lines = (f"{word} {' '.join(word)} {WORD_BORDER}\n" for word in sorted(set(words)))
    path.write_text("".join(lines), encoding="utf-8")


def _lines(path: Path) -> list[str]:
    """Return the lines that hold something."""
    if not path.is_file():
        raise ValueError(f"there is no lexicon {path}: change decoder.lexicon")
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        lines = content.decode("utf-8").splitlines()
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"decoder.lexicon: {path} is damaged or no text: {error}") from error
    return [line for line in lines if line.strip()]


def _spelling(letters: Sequence[str], symbols: dict[str, int]) -> Spelling | None:
    """Return the symbols of a word, or None where one is not in the vocabulary."""
    letters = letters[:-1] if letters[-1] == WORD_BORDER and len(letters) > 1 else letters
    spelling = [symbols.get(one, symbols.get(one.swapcase())) for one in letters]
    is_spelt = None not in spelling and symbols.get(WORD_BORDER) not in spelling
    return tuple(one for one in spelling if one is not None) if is_spelt else None


def _tell(path: Path, unknown: Sequence[str], *, num_known: int) -> None:
    if not num_known:
        example = f", such as {unknown[0]!r}" if unknown else ""
        raise ValueError(
            f"decoder.lexicon: the vocabulary can spell none of the {len(unknown)} words of "
            f"{path}{example}. Are the lexicon and the model of the same language and alphabet?"
        )
    if unknown:
        named = ", ".join(unknown[:_SHOWN]) + (", ..." if len(unknown) > _SHOWN else "")
        warnings.warn(
            f"{len(unknown)} of {len(unknown) + num_known} words of {path} have characters outside "
            f"the vocabulary and can't be recognised: {named}",
            stacklevel=3,
        )
