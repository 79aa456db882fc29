"""Scores in a folder are never mixed with, nor replaced by, those of something else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

METRICS_FILE = "metrics.json"


def check_earlier_results(folder: Path, origin: Mapping[str, Any], *, change: str) -> None:
    """Refuse a folder whose results come from other data or another decoder; the same are renewed.

    Args:
        origin: What the new results come from, as they will tell in metrics.json.
        change: What to give to have them elsewhere.

    Raises:
        ValueError: the results there come from something else.
    """
    path = folder / METRICS_FILE
    if not path.is_file():
        return
    earlier = json.loads(path.read_text(encoding="utf-8"))
    for what, new in json.loads(json.dumps(origin)).items():
        old = earlier.get(what)
        if old != new:
            raise ValueError(f"{folder} holds the results of {_other(old, new)}; {change}")


def _other(old: Any, new: Any) -> str:
    if isinstance(new, dict) and isinstance(old, dict) and old.keys() == new.keys():
        return f"a decoder with another {', '.join(name for name in new if old[name] != new[name])}"
    if isinstance(new, dict) or isinstance(old, dict):
        return "another decoder"
    return f"{old or 'something else'}, not of {new}"
