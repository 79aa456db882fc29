"""A tree of settings, leaf by leaf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def leaves(node: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting with its place in the tree, "optim.algo.lr"; an empty group is one."""
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", value
