"""Map a function over things in their order, in this process or in several."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from threading import Thread
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
    """Give a `map` that runs here (0) or in several processes, `chunk` things at once.

    Raises:
        ValueError: a process was killed from outside, mostly for want of memory.
    """
    if num_workers < 1:
        yield map
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(num_workers, context, initializer=_end_with_parent) as pool:
        try:
            yield lambda function, things: pool.map(function, things, chunksize=chunk)
        except BrokenProcessPool:
            raise ValueError(
                f"one of {num_workers} worker processes was killed, mostly for want of memory: "
                "give the same command again with fewer --workers; finished shards are kept"
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # the end need not wait for all the work
            raise


def one_ahead(things: Iterable[Thing]) -> Iterator[Thing]:
    """Yield the same things, each after the one behind it has been taken."""
    waiting: list[Thing] = []
    for thing in things:
        yield from waiting
        waiting = [thing]
    yield from waiting


def _end_with_parent() -> None:
    """End this worker when its parent is gone: waiting workers of a killed run would stay."""
    Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
