"""Training steps on a network of a few weights: tasks whose losses are known, and one epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import Logger
from torch import Tensor, nn

from duovox.batch import NetworkOutput, TrainingBatch
from duovox.loss.weighting.none import NoWeighting
from duovox.task.multitask import MultiTask

LR = 0.1


@dataclass
class Square:
    """A task whose loss is the mean square of what it hears; a test may bend it."""

    name: str
    bend: Callable[[Tensor], Tensor] = lambda loss: loss

    def forward(self, network: nn.Module, batch: Any) -> tuple[NetworkOutput, Tensor]:
        output = network(batch.waves, batch.num_samples, task=self.name)
        return output, self.loss(output, batch)

    def loss(self, output: NetworkOutput, batch: Any) -> Tensor:
        heard = output.token_logits if self.name == "speech" else output.speaker_logits[:, :1]
        return self.bend(heard.square().mean())

    def glance(self, batch: Any, output: NetworkOutput) -> dict[str, float]:
        return {f"glance_{self.name}": float(len(batch))}


@dataclass
class Curves(Logger):
    """Keep what is logged."""

    rows: dict[int, dict[str, float]] = field(default_factory=dict)
    name = version = "curves"

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self.rows.setdefault(step or 0, {}).update(metrics)

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        pass


def make_module(network: nn.Module, *tasks: Square, lr: float = LR, **changes: Any) -> MultiTask:
    """Return a module that follows plain gradients; by default of a speech and a speaker task."""
    settings: dict[str, Any] = {
        "weighting": NoWeighting(),
        "at_step": lambda step: None,
        "make_optimizer": lambda module: torch.optim.SGD(module.parameters(), lr=lr),
        "clip_norm": 0.0,
        "seed": 1,
        "max_bad_steps": 3,
        "log_every_n_steps": 1,
    }
    by_name: Any = {task.name: task for task in tasks or (Square("speech"), Square("speaker"))}
    return MultiTask(network, tasks=by_name, **settings | changes)


def fit(module: MultiTask, batches: Sequence[TrainingBatch], **settings: Any) -> Curves:
    """Train on one batch per entry of the list."""
    curves = Curves()
    Trainer(
        accelerator="cpu",
        max_epochs=1,
        log_every_n_steps=1,
        logger=curves,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **settings,
    ).fit(module, torch.utils.data.DataLoader(batches, batch_size=None))  # type: ignore[arg-type]
    return curves
