"""The one kind of complaint that this room makes about audio."""

from __future__ import annotations

from typing import Literal

Cause = Literal[
    "missing",
    "undecodable",
    "cut short",
    "no samples",
    "not finite",
    "out of range",
    "wrong length",
    "no such channel",
]


class AudioError(ValueError):
    """Something is wrong with an audio file or with the stretch that was asked of it.

    `cause` is for counting; the text is the sentence for a person. Whoever knows the key adds it.
    """

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail

    def __str__(self) -> str:
        return self.detail
