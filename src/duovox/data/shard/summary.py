"""One tar file in a line: what tells whether it is still whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardSummary:
    """One tar file of a data set."""

    name: str
    size: int  # bytes
    sha256: str
    num_utterances: int


def checksum(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
