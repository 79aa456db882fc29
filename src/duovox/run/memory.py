"""Say what to change where the memory of a GPU is too small for a step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from duovox.run.settings import Settings

_OTHER = ". Or set network.use_gradient_checkpointing=true, which takes time instead"


@contextmanager
def memory_advice(settings: Settings) -> Iterator[None]:
    """Turn the end of a GPU's memory into settings that need half of it and learn the same.

    Raises:
        ValueError: the memory is too small; with the settings to change, and their values.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        smaller = ", ".join(f"{name}={value}" for name, value in _half_batches(settings).items())
        other = "" if settings.network.use_gradient_checkpointing else _OTHER
        raise ValueError(
            f"the memory of the GPU is too small for a batch of this run: {error}\nHalf a batch, "
            f"with as much speech a step: {smaller}{other}"
        ) from error


def _half_batches(settings: Settings) -> dict[str, int]:
    """Return the settings of batches of half the size, and of twice as many a step."""
    sizes: dict[str, int | None] = {}
    accumulation = "trainer.accumulate_grad_batches"
    if settings.speech is not None:
        budget = settings.speech.dataloader.train_max_num_samples
        sizes["speech.dataloader.train_max_num_samples"] = budget
    if settings.speaker is not None and settings.data.batches == "disjoint":
        sizes["speaker.dataloader.train_batch_size"] = settings.speaker.dataloader.train_batch_size
    if settings.ssl is not None:  # which has words of its own
        accumulation, loading = "train.accumulation", settings.ssl.dataloader
        sizes["data.pipe.train.max_tokens"] = loading.train_max_num_samples
        sizes["data.pipe.train.batch_size"] = loading.train_batch_size
    halves = {name: max(1, size // 2) for name, size in sizes.items() if size is not None}
    return halves | {accumulation: 2 * settings.trainer.accumulate_grad_batches}
