"""Look for a learning rate: train a little with ever higher ones and see where the loss falls.

Source: Smith 2017, "Cyclical learning rates for training neural networks", section 3.3; here the
rate grows by equal ratios.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from functools import partial
from io import StringIO
from math import inf, isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule
from lightning.pytorch import Trainer as LightningTrainer

from duovox.data.atomic import write_whole
from duovox.run.environment import is_main_process
from duovox.run.faults import FaultLog
from duovox.run.finished import RATES_FILE
from duovox.run.precision import training_precision
from duovox.run.progress import TrainingProgress
from duovox.run.settings import Settings
from duovox.run.stop import StopSignal
from duovox.run.trainer import machine_options
from duovox.run.training import build_optimizer
from duovox.run.training_data import TrainingData
from duovox.task.multitask import MultiTask

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from duovox.run.report.canvas import Ink

LOWEST, HIGHEST = 1e-8, 1.0
WORST = 3.0  # times the smallest smoothed loss: there the sweep ends
PLOT_NAME = "lr_range"
_SMOOTHED_SHARE = 1 / 20  # of the sweep's steps, which an average reaches over


class RateSweep(Callback):
    """Give each step a higher rate than the last and note its loss.

    A step of which a task was dropped counts as not finite: what is left is no longer comparable.

    Args:
        rates: one for each step.
        accumulation: batches of a step.
        stop: told to listen again once Lightning has taken the signals.
    """

    def __init__(self, rates: Sequence[float], *, accumulation: int, stop: StopSignal) -> None:
        self.rates = rates
        self.accumulation = accumulation
        self.stop = stop
        self.losses: list[float] = []
        self._average = Smoothing(len(rates))
        self._heard: list[float] = []  # since the last step

    def on_train_start(self, trainer: LightningTrainer, pl_module: LightningModule) -> None:
        """Let a signal end the run at once: there is nothing to save."""
        self.stop.listen()

    def on_train_batch_start(
        self, trainer: LightningTrainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the rate of this step."""
        for group in trainer.optimizers[0].param_groups:
            group["lr"] = self.rates[len(self.losses)]

    def on_train_batch_end(
        self,
        trainer: LightningTrainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Note the loss of a finished step and end the sweep where it is lost."""
        assert isinstance(pl_module, MultiTask)
        is_whole = bool(outputs) and not pl_module.dropped_tasks
        self._heard.append(float(outputs["loss"]) if is_whole else nan)
        if len(self._heard) < self.accumulation:
            return
        # Lightning has divided each by their number.
        loss = torch.tensor(sum(self._heard), device=pl_module.device)
        self._heard.clear()
        self.losses.append(float(trainer.strategy.reduce(loss, reduce_op="mean")))
        self._average.add(self.losses[-1])
        trainer.should_stop = self._average.is_lost


class Smoothing:
    """An exponential moving average over a twentieth of a sweep, unbiased from its first value."""

    def __init__(self, num_steps: int) -> None:
        self._keep = max(0.0, 1 - 1 / (num_steps * _SMOOTHED_SHARE))
        self._total = self._weight = 0.0
        self._smallest = inf
        self.is_lost = False  # the average is not finite, or far above its smallest

    def add(self, loss: float) -> float:
        """Return the average with one more loss."""
        self._total = self._keep * self._total + (1 - self._keep) * loss
        self._weight = self._keep * self._weight + (1 - self._keep)
        smoothed = self._total / self._weight
        self._smallest = min(self._smallest, smoothed)
        self.is_lost = not isfinite(smoothed) or smoothed > WORST * self._smallest
        return smoothed


def rates_of(num_steps: int) -> list[float]:
    """Return the rates of a sweep, in equal ratios from the lowest to the highest."""
    return [float(rate) for rate in np.geomspace(LOWEST, HIGHEST, num_steps)]


def suggested_rate(
    rates: Sequence[float], smoothed: Sequence[float], *, span: int = 1
) -> float | None:
    """Return the rate at which the smoothed loss falls steepest, by the logarithm of the rate.

    Args:
        span: steps to either side which a slope is taken over; what is smoothed is still noisy
            from one step to the next.

    Returns:
        None where it never falls.
    """
    num_finite = next((n for n, loss in enumerate(smoothed) if not isfinite(loss)), len(smoothed))
    if num_finite <= 2 * span:
        return None
    losses, logs = np.array(smoothed[:num_finite]), np.log(rates[:num_finite])
    reach = 2 * span
    slopes = (losses[reach:] - losses[:-reach]) / (logs[reach:] - logs[:-reach])
    steepest = int(slopes.argmin())
    return rates[span + steepest] if slopes[steepest] < 0 else None


def sweep_rates(
    settings: Settings, module: MultiTask, data: TrainingData, *, folder: Path, stop: StopSignal
) -> float | None:
    """Train through the rates, write lr_range.csv and lr_range.png, return the suggested rate."""
    limit, accumulation = settings.callbacks, settings.trainer.accumulate_grad_batches
    faults = FaultLog(folder, share=limit.bad_utterance_share, count=limit.bad_utterance_count)
    rates = rates_of(settings.lr_range_iterations)
    sweep = RateSweep(rates, accumulation=accumulation, stop=stop)
    module.make_optimizer = partial(build_optimizer, settings.optim.algo)
    module.max_bad_steps = sys.maxsize  # the sweep ends by itself
    trainer = LightningTrainer(
        **machine_options(settings),
        max_steps=len(rates),
        limit_val_batches=0,
        logger=False,
        callbacks=[training_precision(settings), TrainingProgress(), faults, sweep],
        enable_checkpointing=False,
    )
    trainer.fit(module, datamodule=data)
    average = Smoothing(len(rates))
    smoothed = [average.add(loss) for loss in sweep.losses]
    span = max(1, round(len(rates) * _SMOOTHED_SHARE))  # the first are averages of too few
    rate = suggested_rate(rates[span : len(smoothed)], smoothed[span:], span=span)
    if is_main_process():
        _write(folder, rates=rates, losses=sweep.losses, smoothed=smoothed, suggested=rate)
    return rate


def tell(rate: float | None, folder: Path) -> str:
    """Say what a sweep has found."""
    found = "the loss never fell" if rate is None else f"suggested: optim.algo.lr={rate:.2g}"
    return f"learning-rate range test: {found}; see {folder / PLOT_NAME}.png and {RATES_FILE}"


def _write(
    folder: Path,
    *,
    rates: Sequence[float],
    losses: Sequence[float],
    smoothed: Sequence[float],
    suggested: float | None,
) -> None:
    from duovox.run.report.canvas import LIGHT, Plot, render

    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["step", "learning_rate", "loss"])
    rows.writerows(zip(range(1, len(losses) + 1), rates, losses, strict=False))
    write_whole(folder / RATES_FILE, text.getvalue())
    plot = Plot(
        name=PLOT_NAME,
        title="Learning-rate range test",
        note="Faint: loss of each step. Bold: moving average. Dashed: the suggested rate.",
        draw=partial(
            _draw, rates=rates[: len(losses)], losses=losses, smoothed=smoothed, at=suggested
        ),
    )
    (folder / f"{PLOT_NAME}.png").write_bytes(render(plot, LIGHT))


def _draw(
    axes: Axes,
    ink: Ink,
    *,
    rates: Sequence[float],
    losses: Sequence[float],
    smoothed: Sequence[float],
    at: float | None,
) -> None:
    axes.plot(rates, losses, color=ink.speech, linewidth=0.8, alpha=0.3)
    axes.plot(rates, smoothed, color=ink.speech, linewidth=1.8)
    if at is not None:
        axes.axvline(at, color=ink.others[0], linestyle="--", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("Learning rate")
    axes.set_ylabel("Loss")
