"""What every test shares: fixed seeds, deterministic algorithms, and the way to real speech."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - third-party code draws from the global generator
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def speech_data() -> Path:
    """Return the folder with the real speech corpora, or skip the test."""
    folder = Path(os.environ.get("DUOVOX_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "digits" / "train.csv").is_file():
        pytest.skip(f"no real speech at {folder}: set DUOVOX_TEST_DATA to the folder that holds it")
    return folder
