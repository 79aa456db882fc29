"""A column of text that stays in Arrow memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow

Integers = NDArray[np.int64]


class Texts(Sequence[str]):
    """A column of text: a sequence of `str` that keeps its bytes in Arrow memory."""

    def __init__(self, array: pyarrow.Array) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return list(self._array[row].to_pylist())
        return str(self._array[int(row)].as_py())

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), 65536):
            yield from self[start : start + 65536]

    def take(self, rows: NDArray[np.integer[Any]]) -> list[str]:
        """Return the text of some rows, in their order."""
        return list(self._array.take(rows).to_pylist())

    def codes(self) -> tuple[Integers, tuple[str, ...]]:
        """Return (N,) codes and the sorted distinct values that they point to."""
        encoded = self._array.dictionary_encode()
        values = np.array(encoded.dictionary.to_pylist(), dtype=object)
        order = np.argsort(values, kind="stable")
        ranks = np.empty(len(values), dtype=np.int64)
        ranks[order] = np.arange(len(values))
        codes = ranks[encoded.indices.to_numpy()] if len(values) else np.empty(0, dtype=np.int64)
        return codes, tuple(values[order])

    def select(self, rows: NDArray[np.integer[Any]]) -> Texts:
        """Return the column of some rows."""
        return Texts(self._array.take(rows))
