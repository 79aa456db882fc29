"""Map a function over a stream, in its order, a few things ahead of the one who takes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def map_ahead(
    function: Callable[[Thing], Result], things: Iterable[Thing], *, num_threads: int
) -> Iterator[tuple[Thing, Result]]:
    """Yield each thing with its result; at most a few are in memory, however long the stream is.

    Threads are enough where the work is done in C, outside Python's lock, as audio codecs do it.

    Args:
        num_threads: 0 does the work here, thing by thing.
    """
    if num_threads < 1:
        yield from ((thing, function(thing)) for thing in things)
        return
    waiting: deque[tuple[Thing, Future[Result]]] = deque()
    with ThreadPoolExecutor(num_threads) as pool:
        for thing in things:
            waiting.append((thing, pool.submit(function, thing)))
            if len(waiting) > 4 * num_threads:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()
