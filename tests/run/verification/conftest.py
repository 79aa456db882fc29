"""Trials between four speakers, and what two systems think of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from duovox.data.trial.score_list import Key

UTTERANCES = [f"id{speaker}/video{take}/0000{take}" for speaker in range(6) for take in range(4)]
KEYS: list[Key] = list(itertools.combinations(UTTERANCES, 2))
IS_TARGET = np.array([enroll[:3] == test[:3] for enroll, test in KEYS])


@pytest.fixture
def vectors() -> NDArray[np.float32]:
    """Return (U, E) embeddings in which speakers lie near each other, but not by much."""
    generator = np.random.default_rng(0)
    speakers = generator.standard_normal((6, 5)).repeat(4, axis=0)
    return (speakers + 0.9 * generator.standard_normal((24, 5))).astype(np.float32)


@pytest.fixture
def trial_list(tmp_path: Path) -> Path:
    """Return a list in VoxCeleb's form of all pairs, with the extensions that it has there."""
    path = tmp_path / "pairs.txt"
    rows = zip(KEYS, IS_TARGET, strict=True)
    path.write_text("".join(f"{int(label)} {a}.wav {b}.wav\n" for (a, b), label in rows))
    return path


@pytest.fixture
def embedding_file(vectors: NDArray[np.float32], tmp_path: Path) -> Path:
    """Return a .npz as `duovox embed` writes it."""
    path = tmp_path / "voices.npz"
    paths = np.array([f"/corpora/vox/{key}.wav" for key in UTTERANCES])
    np.savez(path, paths=paths, embeddings=vectors)
    return path


@pytest.fixture
def score_file(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes wespeaker's form of a system's scores, in a mixed order."""

    def write(name: str, *, seed: int, half: int | None = None, label: bool = True) -> Path:
        generator = np.random.default_rng(seed)
        scores = 0.5 * IS_TARGET + generator.normal(0, 0.3, len(KEYS))
        lines = []
        for row in generator.permutation(len(KEYS)):
            kind = (" target" if IS_TARGET[row] else " nontarget") if label else ""
            if half is None or row % 2 == half:
                lines.append(f"{' '.join(KEYS[row])} {scores[row]:.6f}{kind}\n")
        path = tmp_path / name
        path.write_text("".join(lines))
        return path

    return write
