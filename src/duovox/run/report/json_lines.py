"""JSON lines: one record per line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file; a last line cut short by a killed run is left out.

    Raises:
        ValueError: any other line is not a JSON object.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    records = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as fault:
            if number == len(lines):  # no newline after it: still being written
                break
            raise ValueError(f"{path}:{number} must be a JSON object: {fault}") from fault
        if not isinstance(record, dict):
            raise ValueError(f"{path}:{number} must be a JSON object, got {line[:80]!r}")
        records.append(record)
    return records
