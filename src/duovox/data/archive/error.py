"""The complaint about an archive that is not whole."""

from __future__ import annotations


class ArchiveError(ValueError):
    """An archive, or one member of it, cannot be read; the text is the sentence for a person."""
