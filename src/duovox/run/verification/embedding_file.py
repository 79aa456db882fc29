"""Embeddings of any system, one per utterance, from NumPy's or Kaldi's files."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from duovox.data.listing import listing
from duovox.run.verification import kaldi_vector

_KEY_ARRAYS = ("paths", "keys")


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """U utterances and what a system made of their voices."""

    keys: tuple[str, ...]  # U names or paths, each once
    vectors: NDArray[np.float32]  # (U, E) unit length

    def __len__(self) -> int:
        return len(self.keys)


def is_embedding_file(path: Path) -> bool:
    """Tell embeddings from scores by the first bytes of a file."""
    with path.open("rb") as file:
        start = file.read(4096)
    return path.suffix == ".scp" or start.startswith(b"PK") or kaldi_vector.is_archive(start)


def read_embeddings(path: Path) -> Embeddings:
    """Read a .npz of `duovox embed` (arrays `paths` or `keys`, `embeddings`) or Kaldi's ark or scp.

    Raises:
        ValueError: no such file, another form, repeated keys, vectors of different widths, or
            vectors that are not finite or of length 0 (all are counted, the first ten listed).
    """
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    keys, vectors = _read_npz(path) if zipfile.is_zipfile(path) else kaldi_vector.read(path)
    if len(keys) == 0 or vectors.ndim != 2 or len(keys) != len(vectors):
        raise ValueError(
            f"{path} must hold one vector per key, (U, E), got {len(keys)} keys and an array of "
            f"shape {vectors.shape}"
        )
    if again := [key for key, count in Counter(keys).items() if count > 1]:
        raise ValueError(f"{path} has {len(again)} keys more than once:{listing(again)}")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    _refuse(path, keys, ~np.isfinite(lengths[:, 0]), "are not finite (NaN or infinity)")
    _refuse(path, keys, lengths[:, 0] == 0, "have length 0 and no direction")
    return Embeddings(keys=tuple(keys), vectors=(vectors / lengths).astype(np.float32))


def _read_npz(path: Path) -> tuple[list[str], NDArray[np.float64]]:
    with np.load(path, allow_pickle=False) as arrays:  # object arrays are refused
        names = [name for name in _KEY_ARRAYS if name in arrays.files]
        if not names or "embeddings" not in arrays.files:
            raise ValueError(
                f"{path} must hold the arrays `paths` (or `keys`) and `embeddings`, as duovox "
                f"embed writes them, got {', '.join(arrays.files) or 'none'}"
            )
        keys = [str(key) for key in arrays[names[0]]]
        return keys, arrays["embeddings"].astype(np.float64)


def _refuse(path: Path, keys: Sequence[str], is_bad: NDArray[np.bool_], fault: str) -> None:
    bad = [keys[row] for row in np.flatnonzero(is_bad).tolist()]
    if bad:
        raise ValueError(f"{len(bad)} of {len(keys)} embeddings in {path} {fault}:{listing(bad)}")
