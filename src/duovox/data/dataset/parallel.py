"""Map a function over things in their order, in this process or in several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Protocol, TypeVar

Thing = TypeVar("Thing")
Result = TypeVar("Result")


class Mapper(Protocol):
    """What `map` does."""

    def __call__(
        self, function: Callable[[Thing], Result], things: Iterable[Thing], /
    ) -> Iterable[Result]:
        """Apply `function` to each thing; the results come in the order of the things."""


@contextmanager
def mapping(num_workers: int, *, chunk: int = 1) -> Iterator[Mapper]:
    """Give a `map` that runs here (0) or in several processes, `chunk` things at once."""
    if num_workers < 1:
        yield map
        return
    with ProcessPoolExecutor(num_workers, mp_context=get_context("spawn")) as pool:
        yield lambda function, things: pool.map(function, things, chunksize=chunk)
