"""Rules for the values of settings, beside their types.

A settings record declares `max_steps: Annotated[int, at_least(1)]`, and `read` refuses a 0 by its
name: "trainer.max_steps must be at least 1, got 0".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any


@dataclass(frozen=True)
class Rule:
    """What a value must do, in words and as a test. NaN keeps no rule of numbers."""

    text: str  # follows "must"
    is_kept: Callable[[Any], bool]

    def check(self, value: Any, path: str) -> None:
        """Raise a ValueError that names the setting at `path`, unless its value keeps the rule."""
        if not self.is_kept(value):
            raise ValueError(f"{path} must {self.text}, got {value!r}")


def at_least(lowest: float) -> Rule:
    """Make the rule for numbers from `lowest` on."""
    return Rule(f"be at least {lowest}", lambda value: value >= lowest)


def above(bound: float) -> Rule:
    """Make the rule for numbers greater than `bound`."""
    return Rule(f"be above {bound}", lambda value: value > bound)


def between(lowest: float, highest: float) -> Rule:
    """Make the rule for numbers from `lowest` to `highest`, both included."""
    return Rule(f"lie in [{lowest}, {highest}]", lambda value: lowest <= value <= highest)


def distinct(fewest: int) -> Rule:
    """Make the rule for lists of at least `fewest` entries, none of which comes twice."""
    return Rule(
        f"list at least {fewest} {'entry' if fewest == 1 else 'entries'}, each once",
        lambda values: fewest <= len(values) == len(set(values)),
    )


def named_as_files() -> Rule:
    """Make the rule for mappings whose names become names of files."""
    return Rule(
        "have names of letters, digits, `_`, `-` and `.` alone, for files are called by them",
        lambda values: all(re.fullmatch(r"[\w-][\w.-]*", str(name)) for name in values),
    )


Count = Annotated[int, at_least(0)]
Positive = Annotated[int, at_least(1)]
Amount = Annotated[float, at_least(0)]
Share = Annotated[float, between(0, 1)]
