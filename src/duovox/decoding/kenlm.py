"""Load an n-gram language model with KenLM, through flashlight-text."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from duovox.decoding.ngram import MARKS

ARPA, PACKED, BINARY = b"\\data\\", b"\x1f\x8b", b"mmap lm http://kheafield.com"


def check_flashlight() -> None:
    """Refuse to go on without flashlight-text.

    Raises:
        ValueError: it is not installed; for Python 3.13 there is none.
    """
    try:
        import flashlight.lib.text.decoder.kenlm  # noqa: F401
    except ImportError as error:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        cause = "does not exist for" if sys.version_info >= (3, 13) else "is not installed in this"
        raise ValueError(
            f"lm needs the package flashlight-text, which {cause} Python {version}: use Python "
            "3.11 or 3.12 with it, decoder.use_lm=false or decoder=beam"
        ) from error


def check_lm(path: Path) -> None:
    """Look at the first bytes of a language model: a glance that costs nothing.

    Raises:
        ValueError: there is no such file, or it is neither ARPA text, packed or not, nor binary.
    """
    if not path.is_file():
        raise ValueError(
            f"lm must name a language model, and there is no {path}. LibriSpeech's is fetched by "
            "scripts/download/download_librispeech_lm.sh, your own made by `duovox ngram`"
        )
    with path.open("rb") as file:
        start = file.read(64)
    if not start.lstrip().startswith((ARPA, PACKED, BINARY)):
        raise ValueError(
            f"lm must name ARPA text (gzip is fine) or KenLM's binary format, but {path} begins "
            f"with {start[:20]!r}"
        )


def load_lm(path: Path, words: Sequence[str]) -> Any:
    """Return KenLM's model; its words are known by their places in `words`.

    Raises:
        ValueError: the file is damaged, or knows none of the words.
    """
    from flashlight.lib.text.decoder.kenlm import KenLM
    from flashlight.lib.text.dictionary import Dictionary

    check_lm(path)
    unknown = len(words)
    try:
        # The last entry is in no model: it scores as every unknown word does.
        model = KenLM(str(path), Dictionary([*words, "<not in any language model>"]))
    except RuntimeError as error:
        # After a line that says where in KenLM, if any, comes what is wrong, and then much advice.
        reason = str(error).strip().splitlines()[:2][-1].strip()
        raise ValueError(
            f"decoder.lm: {path} is damaged, restore it, or not what KenLM reads: {reason}"
        ) from error
    start = model.start(False)
    chance = model.score(start, unknown)[1]
    known = [place for place in range(unknown) if model.score(start, place)[1] != chance]
    if all(words[place] in MARKS for place in known):
        raise ValueError(
            f"decoder.lm: {path} knows none of the {unknown} words it is asked for, such as "
            f"{words[-1]!r}. It must be of the same language, case and unit (words, or symbols "
            "when decoder.lexicon is null)"
        )
    return model
