"""The precision of training: as set, or the fastest that this machine computes."""

from __future__ import annotations

import time
import warnings
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.plugins import MixedPrecision, Precision
from rich.console import Console
from torch import Tensor

from duovox.network.wav2vec2.format import own
from duovox.run.settings import Settings

Name = Literal["16", "bf16", "32"]
_STATE = "precision"  # in a checkpoint, and in training.json
_WORTH_IT = 1.5  # times float32's speed: less is lost again in conversions
_HOPELESS = 1 / 5  # of float32's speed: no need to measure again
_SIZE, _NUM_TRIALS = 1024, 5
_TIMED = (torch.float32, torch.bfloat16)


class TrainingPrecision(Callback):
    """Choose the precision when training begins, and keep it when training resumes.

    Among processes that train together the first decides for all: their clocks differ. The choice
    is part of every checkpoint.

    Args:
        setting: trainer.precision.
        earlier: the precision of the checkpoint that training resumes from; None for a new run.

    Attributes:
        used: "16", "bf16" or "32", once training has begun.

    Raises:
        ValueError: the machine lacks the precision of the checkpoint, and none is given.
    """

    def __init__(self, setting: str, *, is_cpu: bool, earlier: Name | None = None) -> None:
        self.setting = setting
        self.is_cpu = is_cpu
        self.earlier = earlier
        self.used: Name | None = None

    @property
    def state_key(self) -> str:
        """Return the name of this callback's state in a checkpoint."""
        return _STATE

    def state_dict(self) -> dict[str, Any]:
        """Return the choice."""
        return {_STATE: self.used}

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Choose, and let Lightning compute in that precision from now on."""
        choice = self._choose() if trainer.is_global_zero else (None, "")
        used, text = trainer.strategy.broadcast(choice)
        if used is None:
            raise ValueError(text)
        self.used = used
        trainer.strategy.precision_plugin = _plugin(used, trainer.strategy.root_device.type)
        if trainer.is_global_zero:
            Console(soft_wrap=True, markup=False, highlight=False).print(text)

    def _choose(self) -> tuple[Name | None, str]:
        """Return a precision and the line to print, or None and what is wrong."""
        if self.is_cpu and self.setting == "16":
            warnings.warn(
                "trainer.precision=16 needs a GPU; on a CPU it means trainer.precision=auto",
                stacklevel=2,
            )
        elif self.setting != "auto":
            return cast(Name, self.setting), f"precision: {self.setting} (trainer.precision)"
        if self.earlier is None:
            used = fitting_precision(is_cpu=self.is_cpu)
            return used, f"precision: {used} ({_reason(used, is_cpu=self.is_cpu)})"
        if is_available(self.earlier, is_cpu=self.is_cpu):
            return self.earlier, f"precision: {self.earlier} (as this run began)"
        return None, (
            f"this run was trained in {self.earlier} so far, chosen by trainer.precision="
            f"{self.setting}, and this machine does not compute it at a useful speed "
            f"({self._lack}). Resume it on a machine like the first, or resume it here in float32: "
            "trainer.precision=32"
        )

    @property
    def _lack(self) -> str:
        if self.earlier == "16":
            return "16 needs a GPU"
        return _reason("32", is_cpu=self.is_cpu)


def training_precision(settings: Settings, last: Path | None = None) -> TrainingPrecision:
    """Return the callback for a run and the checkpoint that it resumes from, if any."""
    setting, is_cpu = str(settings.trainer.precision), settings.gpus == 0
    earlier: Name | None = None
    if last is not None:
        earlier = precision_of(last) or unstated_precision(setting, is_cpu=is_cpu)
    return TrainingPrecision(setting, is_cpu=is_cpu, earlier=earlier)


def precision_of(checkpoint: Path) -> Name | None:
    """Return the precision that a checkpoint was trained in; None: it does not state it.

    Raises:
        ValueError: the checkpoint is damaged.
    """
    callbacks = own.content_of(checkpoint).get("callbacks", {})
    used: Name | None = callbacks.get(_STATE, {}).get(_STATE)
    return used


def unstated_precision(setting: object, *, is_cpu: bool) -> Name:
    """Return the precision of earlier versions, whose checkpoints do not state it.

    They had no `auto`: where that resumes one of theirs, its setting was bf16.
    """
    return "16" if str(setting) == "16" and not is_cpu else "bf16"


def fitting_precision(*, is_cpu: bool) -> Name:
    """Return the fastest precision of this machine: bf16 where it is faster than float32.

    Of GPUs, those without bf16 take 16.
    """
    if is_cpu:
        return "bf16" if bf16_speed() >= _WORTH_IT else "32"
    return "bf16" if _gpu_has_bf16() else "16"


def is_available(precision: Name, *, is_cpu: bool) -> bool:
    """Return whether this machine computes in a precision, and not slower than in float32."""
    if precision == "32":
        return True
    if precision == "16":
        return not is_cpu
    return bf16_speed() >= 1 if is_cpu else _gpu_has_bf16()


@cache
def bf16_speed() -> float:
    """Return how fast this processor multiplies matrices in bf16, as a multiple of float32's speed.

    0 where oneDNN does not support it. That it does is not enough: it also emulates bf16, at a
    fraction of the speed. So a product of 1024 x 1024 is timed, the best of five in each precision.
    """
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return 0.0
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return 0.0
    matrices = {dtype: torch.ones(_SIZE, _SIZE, dtype=dtype) for dtype in _TIMED}
    best = dict.fromkeys(_TIMED, float("inf"))
    with torch.inference_mode():
        for matrix in matrices.values():
            _ = matrix[:64, :64] @ matrix[:64, :64]  # what is done once
        for _ in range(_NUM_TRIALS):
            for dtype, matrix in matrices.items():
                best[dtype] = min(best[dtype], _seconds_of_square(matrix))
            if best[torch.bfloat16] * _HOPELESS > best[torch.float32]:
                break
    return best[torch.float32] / best[torch.bfloat16]


def _seconds_of_square(matrix: Tensor) -> float:
    start = time.perf_counter()
    _ = matrix @ matrix
    return time.perf_counter() - start


def _gpu_has_bf16() -> bool:
    return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)


def _reason(used: Name, *, is_cpu: bool) -> str:
    if not is_cpu:
        return "this GPU has bf16" if used == "bf16" else "this GPU has no bf16"
    speed = bf16_speed()
    if speed == 0:
        return "this processor has no bf16"
    return f"products in bf16 run at {speed:.2g} times the speed of float32 on this processor"


def _plugin(used: Name, device: str) -> Precision:
    if used == "32":
        return Precision()
    return MixedPrecision("16-mixed" if used == "16" else "bf16-mixed", device)
