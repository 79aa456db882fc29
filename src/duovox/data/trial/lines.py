"""The lines of a text file of trials, with or without scores."""

from __future__ import annotations

from pathlib import Path

LABELS = {"1": True, "0": False, "target": True, "nontarget": False}  # of VoxCeleb, of Kaldi


def numbered_words(path: Path, *, what: str, of: str) -> list[tuple[int, list[str]]]:
    """Return the words of each line that has some, with the number of the line.

    Args:
        what: the kind of file, for messages: "trial list".
        of: what its lines hold: "trials".

    Raises:
        ValueError: no such file, no UTF-8 text, or no line with words.
    """
    if not path.is_file():
        raise ValueError(f"there is no {what} {path}")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no UTF-8 text, as a {what} must be: {error}") from None
    numbered = [(number, line.split()) for number, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise ValueError(f"{path} holds no {of}")
    return numbered
