"""Settings as an entry point reads them, and what training is made of, without a run."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from rich.console import Console

from duovox.loss.weighting.none import NoWeighting
from duovox.progress import console_on
from duovox.run.build import read_settings
from duovox.run.settings import Settings
from duovox.task.multitask import MultiTask
from tests.run.fake_training import Clock

CONFIG = Path(__file__).resolve().parents[2] / "config"


@pytest.fixture
def settings_of(tiny_settings: list[str]) -> Callable[..., Settings]:
    """Return a function that reads a root on the tiny corpus: settings_of("speech", "seed=3")."""

    def read(root: str, *overrides: str) -> Settings:
        with initialize_config_dir(str(CONFIG), version_base="1.3"):
            return read_settings(compose(root, [*tiny_settings, *overrides]))[0]

    return read


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def trainer() -> Any:
    return SimpleNamespace(
        is_global_zero=True,
        max_steps=4,
        global_step=0,
        callback_metrics={},
        world_size=1,
        val_check_interval=1_000,
        accumulate_grad_batches=1,
        num_val_batches=[3, 1],
    )


@pytest.fixture
def module() -> MultiTask:
    module = MultiTask(
        torch.nn.Identity(),
        tasks={},
        weighting=NoWeighting(),
        at_step=lambda step: None,
        make_optimizer=lambda module: None,
        clip_norm=0,
        seed=0,
        max_bad_steps=0,
        log_every_n_steps=1,
    )
    losses = {"train_loss": torch.tensor(9.0), "train_speaker_loss": torch.tensor(1.25)}
    module.curves.add(losses)
    return module


@pytest.fixture
def log() -> Console:
    """Return a console on what is no terminal."""
    return console_on(io.StringIO())
