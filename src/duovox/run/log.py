"""Loggers: metrics.csv always, TensorBoard and W&B by setting, none of which may stop a run."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from duovox.run.curve_file import CurveFile


class CsvLogger(Logger):
    """Write metrics.csv: one row per logged step, sparse cells, readable after every write.

    A resumed run keeps the rows before its checkpoint and writes the later ones again.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = CurveFile(path)
        self._is_failing = False

    @property
    def name(self) -> str:
        """Return what Lightning calls this logger."""
        return "csv"

    @property
    def version(self) -> str:
        """Return nothing: a run folder holds one version."""
        return ""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add the metrics to the row of `step` in the file."""
        assert step is not None
        try:
            self._file.add(step, {name: f"{value:.8g}" for name, value in metrics.items()})
            self._is_failing = False
        except OSError as error:  # a full disk: the rows are kept for the next time
            if not self._is_failing:
                text = f"{self._file.path} can't be written: {error}"
                warnings.warn(f"{text}; its rows are kept until there is space", stacklevel=2)
            self._is_failing = True

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Do nothing: config.yaml holds the settings."""


class ForgivingLogger(Logger):
    """Hand metrics to another logger until it fails; then warn once and go on without it."""

    def __init__(self, logger: Logger) -> None:
        super().__init__()
        self._logger: Logger | None = logger
        self._name = type(logger).__name__

    @property
    def name(self) -> str:
        """Return the other logger's kind."""
        return self._name

    @property
    def version(self) -> str:
        """Return nothing: the run folder is the version."""
        return ""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log, or give the logger up."""
        if self._logger is None:
            return
        try:
            self._logger.log_metrics(dict(metrics), step)
        except Exception as error:
            warnings.warn(f"{self._name} failed and is left out from now on: {error}", stacklevel=2)
            self._logger = None

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Do nothing: the settings were given when the logger was made."""

    def finalize(self, status: str) -> None:
        """Close the other logger."""
        if self._logger is not None:
            self._logger.finalize(status)


def make_loggers(
    folder: Path, config: dict[str, Any], *, use_tensorboard: bool, use_wandb: bool
) -> Sequence[Logger]:
    """Return the loggers of a run; one that can't start is left out with a warning."""
    loggers: list[Logger] = [CsvLogger(folder / "metrics.csv")]
    wanted = [_tensorboard] * use_tensorboard + [_wandb] * use_wandb
    for make in wanted:
        try:
            loggers.append(ForgivingLogger(make(folder, config)))
        except Exception as error:
            warnings.warn(f"{make.__name__.strip('_')} can't start: {error}", stacklevel=2)
    return loggers


def _tensorboard(folder: Path, config: dict[str, Any]) -> Logger:
    from lightning.pytorch.loggers import TensorBoardLogger

    return TensorBoardLogger(folder, name="tensorboard", version="")


def _wandb(folder: Path, config: dict[str, Any]) -> Logger:
    from lightning.pytorch.loggers import WandbLogger

    tags = config.get("tag") or []
    logger = WandbLogger(
        project=config["project_name"],
        name=folder.parent.name,
        id=folder.name,
        save_dir=folder,
        offline=not os.environ.get("WANDB_API_KEY"),
        config=config,
        tags=[tags] if isinstance(tags, str) else list(tags),
        resume="allow",
    )
    _ = logger.experiment  # connect now, where a failure is caught
    return logger
