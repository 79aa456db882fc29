"""Transcripts, and the characters that they may hold."""

from __future__ import annotations

import json
from importlib.resources import files

VOCABULARY_FILE = "character_vocabulary.json"


def parse_transcripts(content: bytes, place: str) -> dict[str, str]:
    """Return utterance -> transcript from the lines `19-198-0000 NORTHANGER ABBEY`.

    Raises:
        ValueError: the file is no UTF-8, or an utterance comes twice.
    """
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{place} is no text: {error}") from None
    transcripts: dict[str, str] = {}
    for line in lines:
        name, _, text = line.strip().partition(" ")
        if name in transcripts:
            raise ValueError(f"{place} has two transcripts of {name}")
        if name:
            transcripts[name] = text.strip()
    return transcripts


def vocabulary() -> frozenset[str]:
    """Return the characters of all official transcripts: A to Z, the apostrophe, the space."""
    content = files(__package__).joinpath(VOCABULARY_FILE).read_text(encoding="utf-8")
    return frozenset(json.loads(content))


def unknown_characters(transcript: str, known: frozenset[str]) -> list[str]:
    """Return the characters of a transcript that are not known, sorted."""
    return sorted(set(transcript) - known)
