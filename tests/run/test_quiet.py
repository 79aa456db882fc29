"""Only what is no news is kept from the user."""

from __future__ import annotations

import logging
import warnings

import pytest

from duovox.run.quiet import quieten


@pytest.fixture(autouse=True)
def _loud_again():
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    with warnings.catch_warnings():
        yield
    logger.setLevel(level)


@pytest.mark.parametrize(
    "message",
    [
        "The `srun` command is available on your system but is not used.",
        "Checkpoint directory /tmp/a exists and is not empty.",
        "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and",
        "The 'train_dataloader' does not have many workers which may be a bottleneck.",
    ],
)
def test_what_is_no_news_is_not_said(message: str) -> None:
    quieten()
    warnings.warn(message, stacklevel=1)  # an error, were it not ignored


def test_what_is_news_is_still_said() -> None:
    quieten()
    with pytest.warns(UserWarning, match="the disk is full"):
        warnings.warn("the disk is full", stacklevel=1)


def test_lightning_keeps_its_tips_to_itself_but_not_its_warnings() -> None:
    quieten()
    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    assert not logger.isEnabledFor(logging.INFO)
    assert logger.isEnabledFor(logging.WARNING)
