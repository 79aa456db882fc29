"""Count what training computes: network FLOPs per second of audio, times seconds of audio."""

from __future__ import annotations

from typing import Any, cast

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from torch import Tensor, nn

from duovox.batch import SAMPLE_RATE, JointBatch, TrainingBatch
from duovox.network.assemble import SpeechSpeakerNetwork, Task
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.flops import feature_encoder_flops, transformer_flops
from duovox.task.multitask import MultiTask

_WITH_BACKWARD = 3  # the backward pass computes two products for each of the forward pass


class TrainingFlops(Callback):
    """Count the floating-point operations of the backbone in training.

    True samples count, without padding, so the number tells recipes apart and not machines or
    batch plans. The backward pass counts for parts that learn. Heads and poolings, about a
    hundredth, and the quantiser of pre-training are left out.

    Attributes:
        total: operations so far, of all processes; None where a run began before they were counted.
    """

    def __init__(self) -> None:
        self.total: float | None = None
        self._is_restored = False

    def state_dict(self) -> dict[str, Any]:
        """Return the count so far."""
        return {"flops": self.total}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Count on from there."""
        self.total, self._is_restored = state_dict["flops"], True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to count where training begins, and print what a second of audio costs."""
        if trainer.global_step == 0 and not self._is_restored:
            self.total = 0.0
        if trainer.is_global_zero:
            assert isinstance(pl_module, MultiTask)
            network = pl_module.network
            costs = ", ".join(
                f"{task} {flops_per_second(network, task):.3g}" for task in pl_module.tasks
            )
            _print(f"network FLOPs by second of audio, forward: {costs}")

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the count."""
        if trainer.is_global_zero and self.total is not None:
            _print(f"training FLOPs: {self.total:.3g}")

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: TrainingBatch,
        batch_idx: int,
    ) -> None:
        """Count the batch."""
        if self.total is None:
            return
        assert isinstance(pl_module, MultiTask)
        self.total += trainer.world_size * batch_flops(pl_module.network, batch)


def _print(text: str) -> None:
    Console(soft_wrap=True, markup=False, highlight=False).print(text)


def batch_flops(network: nn.Module, batch: TrainingBatch) -> float:
    """Return the operations of a batch, forward and backward."""
    if isinstance(batch, JointBatch):
        passes = [("both", batch.speech.num_samples)]
    else:
        passes = [(task, part.num_samples) for task, part in batch.by_task.items()]
    return sum(
        float(flops.sum()) * (_WITH_BACKWARD if _learns(part) else 1)
        for task, num_samples in passes
        for part, flops in _parts(network, task, num_samples.cpu())
    )


def flops_per_second(network: nn.Module, task: str, *, seconds: float = 5.0) -> float:
    """Return the operations of one forward pass by second of audio, of utterances of `seconds`."""
    num_samples = torch.tensor([round(seconds * SAMPLE_RATE)])
    return sum(float(flops) for _, flops in _parts(network, task, num_samples)) / seconds


def _parts(network: nn.Module, task: str, num_samples: Tensor) -> list[tuple[nn.Module, Tensor]]:
    """Return the parts of the backbone with their operations (B,), forward."""
    backbone = network.get_submodule("backbone")
    assert isinstance(backbone, Wav2Vec2Backbone)
    sizes = backbone.architecture
    num_layers = sizes.num_layers
    if isinstance(network, SpeechSpeakerNetwork):
        num_layers = network.num_layers(cast(Task, task))
    return [
        (backbone.feature_encoder, feature_encoder_flops(sizes, num_samples)),
        (backbone.transformer, transformer_flops(sizes, num_samples, num_layers=num_layers)),
    ]


def _learns(part: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in part.parameters())
