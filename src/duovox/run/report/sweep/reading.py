"""Files of runs, which may have been cut off or edited by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import yaml

_FAULTS = (ValueError, TypeError, LookupError, AttributeError, OverflowError, yaml.YAMLError)
T = TypeVar("T")


def parsed(path: Path, parse: Callable[[str], T], *, default: T) -> T:
    """Return what a file says, or the default where there is none.

    Raises:
        ValueError: the file is damaged: it is no text, or not what `parse` understands.
    """
    if not path.is_file():
        return default
    try:
        return parse(path.read_text(encoding="utf-8"))
    except _FAULTS as fault:
        raise ValueError(f"{path} is damaged: {fault}") from fault
