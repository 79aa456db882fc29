"""Estimate a language model from texts: what `duovox ngram` does."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path

from duovox.data.atomic import atomic_file
from duovox.data.dataset.index import Index
from duovox.decoding.lexicon import write_lexicon
from duovox.decoding.ngram import NgramEstimate
from duovox.decoding.text import WORD_BORDER


def write_ngram(
    sources: Sequence[Path],
    out: Path,
    *,
    order: int,
    of_symbols: bool = False,
    lexicon: Path | None = None,
) -> tuple[int, int]:
    """Write an ARPA file, packed if its name ends with .gz; return its sentences and words.

    Args:
        sources: Data set folders, whose transcripts are taken, and texts with a sentence per line.
        order: Words or symbols of an n-gram.
        of_symbols: Not of words: it can spell words that it never saw.
        lexicon: A file for the words that were seen.

    Raises:
        ValueError: a source can't be read, or none says anything, or a file can't be written.
    """
    for path in filter(None, (out, lexicon)):
        if path.is_dir():
            raise ValueError(f"{path} is a folder: give the file to write")
        path.parent.mkdir(parents=True, exist_ok=True)
    sentences = [sentence.split() for source in sources for sentence in _sentences(source)]
    sentences = [words for words in sentences if words]
    if not sentences:
        raise ValueError(f"no words in {', '.join(map(str, sources))}: there is nothing to learn")
    units = [list(WORD_BORDER.join(one)) for one in sentences] if of_symbols else sentences
    text = "\n".join(NgramEstimate(units, order=order).arpa()) + "\n"
    with atomic_file(out) as file:
        content = text.encode()
        file.write(gzip.compress(content) if out.suffix == ".gz" else content)
    words = {word for sentence in sentences for word in sentence}
    if lexicon is not None:
        write_lexicon(words, lexicon)
    return len(sentences), len(words)


def _sentences(source: Path) -> Iterable[str]:
    if source.is_dir():
        return [text or "" for text in Index.load([source]).transcript]
    try:
        content = source.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        return content.decode("utf-8").splitlines()
    except (EOFError, ValueError) as error:
        raise ValueError(f"{source} is no text with a sentence per line: {error}") from error
