"""What every test shares: fixed seeds, deterministic algorithms, and the way to real speech."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parents[1]

# The same examples in every run, and no time limit for one of them: the machine may be busy.
settings.register_profile("duovox", derandomize=True, deadline=None)
settings.load_profile("duovox")


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - third-party code draws from the global generator
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _no_lazy_modules() -> Iterator[None]:
    """Forget speechbrain's lazy modules: hypothesis looks into every module, which loads them."""
    yield
    for name, module in list(sys.modules.items()):
        if type(module).__module__ == "speechbrain.utils.importutils":
            del sys.modules[name]


@pytest.fixture(scope="session")
def speech_data() -> Path:
    """Return the folder with the real speech corpora, or skip the test."""
    folder = Path(os.environ.get("DUOVOX_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "digits" / "train.csv").is_file():
        pytest.skip(f"no real speech at {folder}: set DUOVOX_TEST_DATA to the folder that holds it")
    return folder
