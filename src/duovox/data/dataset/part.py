"""One of several equal parts of the work on a data set, as `--part 2/8` names it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Part `number` of `count`; it writes every `count`-th shard."""

    number: int  # 1 for the first
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise ValueError(
                f"a part i/n needs 1 <= i <= n, got {self}: the first of eight is --part 1/8"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "2/8".

        Raises:
            ValueError: it has another form, or the number lies outside the parts.
        """
        number, slash, count = text.partition("/")
        if not (slash and number.isdecimal() and count.isdecimal()):
            raise ValueError(f"a part must have the form i/n, such as 2/8, got {text!r}")
        return cls(number=int(number), count=int(count))

    def owns(self, position: int) -> bool:
        """Tell whether this part writes the shard at `position`, counted from 0."""
        return position % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"
