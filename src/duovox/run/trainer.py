"""Make Lightning's trainer with the callbacks that the settings ask for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch import Trainer as LightningTrainer
from lightning.pytorch.loggers import Logger
from lightning.pytorch.strategies import DDPStrategy

from duovox.run.checkpoint import BestAndLast
from duovox.run.collapse import CollapseStop
from duovox.run.distributed import several_processes
from duovox.run.early_stopping import EarlyStopping
from duovox.run.faults import FaultLog
from duovox.run.gradient_variance import GradientVariance
from duovox.run.memory_curve import MemoryCurve
from duovox.run.settings import Callbacks, Settings
from duovox.run.stop import StopSignal
from duovox.run.validation_delay import ValidationDelay


def build_trainer(
    settings: Settings,
    folder: Path,
    *,
    loggers: Sequence[Logger],
    observers: Sequence[Callback],
    stop: StopSignal,
) -> LightningTrainer:
    """Return Lightning's trainer.

    Args:
        observers: callbacks that come before all others. Checkpoints come last, so that they hold
            what the others have decided.
    """
    trainer = settings.trainer
    return LightningTrainer(
        **machine_options(settings),
        max_steps=trainer.stop_at_step or trainer.max_steps,
        val_check_interval=trainer.val_check_interval * trainer.accumulate_grad_batches,
        check_val_every_n_epoch=None,  # validation counts batches: the stream has no end
        num_sanity_val_steps=0,  # data is checked before; half a trial list has no EER
        logger=list(loggers),
        callbacks=[*observers, *_callbacks(settings, folder, stop)],
        enable_checkpointing=True,
    )


def machine_options(settings: Settings) -> dict[str, Any]:
    """Return the arguments of Lightning's trainer that say on what and how steps are computed."""
    trainer = settings.trainer
    return {
        "accelerator": "gpu" if settings.gpus else "cpu",
        "devices": max(1, settings.gpus),
        "strategy": _strategy(settings),
        "accumulate_grad_batches": trainer.accumulate_grad_batches,
        "deterministic": trainer.deterministic,
        "use_distributed_sampler": False,  # the plan shares batches out
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }


def check_monitors(settings: Callbacks, measured: Collection[str]) -> None:
    """Refuse to watch a number that no validation measures, before the first step is made."""
    watched = {"callbacks.monitor": settings.monitor}
    watched |= {
        f"callbacks.early_stopping[{number}].monitor": stop.monitor
        for number, stop in enumerate(settings.early_stopping)
    }
    for setting, name in watched.items():
        if name is not None and name not in measured:
            raise ValueError(
                f"{setting}={name} is not measured in this run. "
                f"Measured: {', '.join(sorted(measured)) or 'nothing (data has no validation set)'}"
            )


def _callbacks(settings: Settings, folder: Path, stop: StopSignal) -> list[Callback]:
    chosen, objective = settings.callbacks, settings.network.ssl_cfg
    watchers: list[Callback] = [
        EarlyStopping(rule, setting=f"callbacks.early_stopping[{number}]")
        for number, rule in enumerate(chosen.early_stopping)
    ]
    if chosen.collapse is not None and objective is not None:
        watchers.append(CollapseStop(chosen.collapse, num_entries=objective.num_entries))
    if settings.trainer.val_delay:
        watchers.append(ValidationDelay(settings.trainer.val_delay))
    if chosen.gradient_variance_steps:
        watchers.append(GradientVariance(chosen.gradient_variance_steps))
    faults = FaultLog(folder, share=chosen.bad_utterance_share, count=chosen.bad_utterance_count)
    checkpoints = BestAndLast(
        folder / "checkpoints",
        monitor=chosen.monitor,
        save_every_minutes=chosen.save_every_minutes,
        stop=stop,
        keep_progress=chosen.keep_progress,
    )
    return [faults, MemoryCurve(), *watchers, checkpoints]


def _strategy(settings: Settings) -> str | DDPStrategy:
    """Let processes look for unused parameters where there may be some.

    A frozen backbone, and a task of several whose loss is not finite, leave parameters without
    gradients; pre-training has neither.
    """
    if settings.gpus <= 1:
        return "auto"
    return several_processes(has_unused=settings.ssl is None)
