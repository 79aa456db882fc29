"""Lightning's trainer is made as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch.callbacks import EarlyStopping
from torch.distributed.constants import default_pg_timeout

from duovox.run.checkpoint import BestAndLast
from duovox.run.quiet import quieten
from duovox.run.settings import Settings
from duovox.run.stop import StopSignal
from duovox.run.trainer import build_trainer, check_monitors


@pytest.fixture(autouse=True)
def _quiet() -> None:
    quieten()


@pytest.fixture
def mt(settings_of) -> Callable[..., Settings]:
    """Return a function that reads the settings of the multi-task door."""
    return lambda *overrides: settings_of("mt_speech_speaker", *overrides)


def trainer_of(settings: Settings, folder: Path) -> Any:
    return build_trainer(settings, folder, loggers=[], observers=[], stop=StopSignal())


def test_intervals_are_steps_however_many_batches_a_step_has(mt, tmp_path) -> None:
    settings = mt("trainer.accumulate_grad_batches=3", "trainer.val_check_interval=5")
    trainer = trainer_of(settings, tmp_path)
    assert trainer.accumulate_grad_batches == 3
    assert trainer.val_check_interval == 15  # batches
    assert trainer.max_steps == 4


def test_several_gpus_put_up_with_parameters_that_a_step_does_not_use(
    mt, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("duovox.run.trainer.LightningTrainer", dict)  # there may be no GPU here
    strategies = [trainer_of(mt(f"gpus={gpus}"), tmp_path)["strategy"] for gpus in (1, 2)]
    assert strategies[0] == "auto"
    assert strategies[1]._ddp_kwargs == {"find_unused_parameters": True}
    assert strategies[1]._timeout < default_pg_timeout
    pretraining: Any = replace(mt("gpus=2"), ssl="set")
    strategy = trainer_of(pretraining, tmp_path)["strategy"]
    assert strategy._ddp_kwargs == {"find_unused_parameters": False}  # it uses all of them


def test_checkpoints_come_last_so_that_they_hold_what_the_others_decided(mt, tmp_path) -> None:
    callbacks = trainer_of(mt("callbacks=mt_early_stopping"), tmp_path).callbacks
    assert isinstance(callbacks[-1], BestAndLast)
    stops = [(c.monitor, c.patience) for c in callbacks if isinstance(c, EarlyStopping)]
    assert stops == [("val_wer", 4), ("val_loss_speech", 1_000_000), ("val_eer", 4)]


def test_a_number_that_nobody_measures_is_refused_before_training(mt) -> None:
    measured = {"val_wer", "val_loss_speech"}
    check_monitors(mt("callbacks=speech_early_stopping").callbacks, measured)
    with pytest.raises(ValueError, match=r"callbacks\.monitor=val_wer_eer is not measured .*val_l"):
        check_monitors(mt().callbacks, measured)
    both = mt("callbacks=mt_early_stopping", "callbacks.monitor=val_wer").callbacks
    with pytest.raises(ValueError, match=r"early_stopping\[2\]\.monitor=val_eer is not measured"):
        check_monitors(both, measured)
    with pytest.raises(ValueError, match=r"Measured: nothing \(data has no validation set\)"):
        check_monitors(both, set())
    check_monitors(mt("callbacks=none").callbacks, set())
