"""Early stopping says which value ended training, by which setting."""

from __future__ import annotations

from math import nan
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning.pytorch import callbacks
from lightning.pytorch.trainer.states import TrainerFn

from duovox.run.early_stopping import EarlyStopping
from duovox.run.settings import EarlyStop

RULE = EarlyStop(monitor="val_wer", patience=2, divergence_threshold=0.98)
PLACE = "callbacks.early_stopping[1]"


def validate(stop: callbacks.EarlyStopping, *values: float, first_step: int = 300) -> Any:
    """Show it a value at each of some steps 300 apart; return the trainer."""
    trainer: Any = SimpleNamespace(
        state=SimpleNamespace(fn=TrainerFn.FITTING),
        strategy=SimpleNamespace(reduce_boolean_decision=lambda decision, **_: decision),
        sanity_checking=False,
        fast_dev_run=False,
        should_stop=False,
        current_epoch=0,
    )
    stop._check_on_train_epoch_end = False  # as its setup finds
    for number, value in enumerate(values):
        trainer.global_step = first_step + 300 * number
        trainer.callback_metrics = {"val_wer": torch.tensor(value)}
        stop.on_validation_end(trainer, None)  # type: ignore[arg-type]
    return trainer


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (
            (0.5, 0.3124, 0.32, 0.3124),
            f"val_wer has not improved on 0.3124 (step 600) for 2 validations ({PLACE}.patience)",
        ),
        ((0.5, 0.9981), f"val_wer=0.9981 is above {PLACE}.divergence_threshold=0.98"),
        ((0.5, nan), f"val_wer=nan is not finite ({PLACE})"),
        ((0.5, 0.6, 0.4, 0.6), ""),
    ],
)
def test_the_reason_names_the_value_and_the_setting(values: list[float], reason: str) -> None:
    stop = EarlyStopping(RULE, setting=PLACE)
    trainer = validate(stop, *values)
    assert stop.reason == reason
    assert trainer.should_stop == bool(reason)


def test_one_validation_is_one() -> None:
    stop = EarlyStopping(EarlyStop(monitor="val_wer", patience=1), setting=PLACE)
    validate(stop, 0.5, 0.6)
    assert "for 1 validation (" in stop.reason


def test_a_run_that_was_stopped_ends_when_it_is_resumed() -> None:
    stopped, resumed = (EarlyStopping(RULE, setting=PLACE) for _ in "ab")
    validate(stopped, 0.5, 0.6, 0.6)
    resumed.load_state_dict(stopped.state_dict())
    trainer: Any = SimpleNamespace(should_stop=False)
    resumed.on_train_start(trainer, None)  # type: ignore[arg-type]
    assert trainer.should_stop
    assert resumed.reason == stopped.reason


def test_a_state_that_lightning_has_saved_is_resumed() -> None:
    earlier = callbacks.EarlyStopping("val_wer", patience=2, mode="min")
    validate(earlier, 0.5, 0.6)
    resumed = EarlyStopping(RULE, setting=PLACE)
    assert resumed.state_key == earlier.state_key
    resumed.load_state_dict(earlier.state_dict())
    validate(resumed, 0.7, first_step=900)
    assert resumed.reason == (
        f"val_wer has not improved on 0.5 for 2 validations ({PLACE}.patience)"
    )
