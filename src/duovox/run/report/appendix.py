"""The end of the page: what was left out, and what it takes to repeat the run."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from duovox.run.leaves import leaves
from duovox.run.report.markup import Markup, element, table


def bad_utterances(records: list[dict[str, Any]]) -> Markup:
    """Return how many utterances training skipped, by cause, with an example of each."""
    by_cause: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        by_cause[str(record.get("cause", "unknown"))].append(record)
    rows = []
    for cause, found in sorted(by_cause.items(), key=lambda item: -len(item[1])):
        num_utterances = len({record.get("key") for record in found})
        example = element(
            "span",
            element("code", str(found[0].get("key", ""))),
            f" {found[0].get('detail', '')}",
        )
        rows.append([cause, f"{num_utterances:,}", f"{len(found):,}", example])
    return table(["Cause", "Utterances", "Times skipped", "For example"], rows, class_="bad")


def environment(values: dict[str, Any]) -> Markup:
    """Return versions, device and whatever else was noted, one per row."""
    rows: list[list[str]] = [
        [element("code", name), _text(value)] for name, value in leaves(values)
    ]
    return table(["What", "Value"], rows, class_="environment")


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "unknown" if value is None else str(value)


def folded(title: str, content: Markup) -> Markup:
    """Return content that opens at a click."""
    return element("details", element("summary", title), content)
