"""Say what differs from the settings with which a run was last started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def changed_settings(earlier: Path, present: str) -> list[str]:
    """Return "name: then -> now" for every setting that differs, in the order of the names.

    Args:
        earlier: config.yaml of the run; where there is none, nothing has changed.
        present: what will be its content.
    """
    if not earlier.is_file():
        return []
    then, now = (_flat(yaml.safe_load(text)) for text in (earlier.read_text("utf-8"), present))
    return [
        f"{name}: {then.get(name, 'unset')} -> {now.get(name, 'unset')}"
        for name in sorted(then.keys() | now.keys())
        if then.get(name, "unset") != now.get(name, "unset")
    ]


def _flat(group: dict[str, Any], place: str = "") -> dict[str, Any]:
    """Return the settings of a tree by their full names; empty groups are values."""
    settings: dict[str, Any] = {}
    for key, value in group.items():
        is_group = isinstance(value, dict) and value
        settings |= _flat(value, f"{place}{key}.") if is_group else {f"{place}{key}": value}
    return settings
