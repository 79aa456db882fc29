"""Settings as a door reads them, without a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from duovox.run.build import read_settings
from duovox.run.settings import Settings

CONFIG = Path(__file__).resolve().parents[2] / "config"


@pytest.fixture
def settings_of(tiny_settings: list[str]) -> Callable[..., Settings]:
    """Return a function that reads a root on the tiny corpus: settings_of("speech", "seed=3")."""

    def read(root: str, *overrides: str) -> Settings:
        with initialize_config_dir(str(CONFIG), version_base="1.3"):
            return read_settings(compose(root, [*tiny_settings, *overrides]))[0]

    return read
