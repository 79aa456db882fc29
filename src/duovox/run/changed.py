"""Say what differs from the settings with which a run was last started."""

from __future__ import annotations

from pathlib import Path

import yaml

from duovox.run.leaves import leaves


def changed_settings(earlier: Path, present: str) -> list[str]:
    """Return "name: then -> now" for every setting that differs, in the order of the names.

    Args:
        earlier: config.yaml of the run; where there is none, nothing has changed.
        present: what will be its content.
    """
    if not earlier.is_file():
        return []
    texts = (earlier.read_text("utf-8"), present)
    then, now = (dict(leaves(yaml.safe_load(text))) for text in texts)
    return [
        f"{name}: {then.get(name, 'unset')} -> {now.get(name, 'unset')}"
        for name in sorted(then.keys() | now.keys())
        if then.get(name, "unset") != now.get(name, "unset")
    ]
