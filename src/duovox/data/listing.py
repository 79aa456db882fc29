"""List things in an error message: the first ten, and how many more there are."""

from __future__ import annotations

from collections.abc import Sequence

_NUM_LISTED = 10


def listing(things: Sequence[object]) -> str:
    """Return one line per thing, each on a line of its own, and the number of those left out."""
    lines = [f"\n  {thing}" for thing in things[:_NUM_LISTED]]
    if len(things) > _NUM_LISTED:
        lines.append(f"\n  and {len(things) - _NUM_LISTED} more")
    return "".join(lines)
