"""Where the memory of a GPU ends, the run says which settings need less."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from duovox.task.speaker import SpeakerTask
from duovox.task.ssl import SslTask


@pytest.fixture
def too_large(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that lets a task's batches end the memory."""

    def fail(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB")

    return lambda task: monkeypatch.setattr(task, "forward", fail)


def test_pretraining_that_runs_out_of_memory_advises_in_its_own_words(
    run_ssl_door, too_large
) -> None:
    too_large(SslTask)
    with pytest.raises(ValueError, match=r"too small for a batch .*9\.00 GiB") as said:
        run_ssl_door("ssl", "train.accumulation=3")
    smaller = "data.pipe.train.max_tokens=15000, train.accumulation=6. Or set network.use_gradient"
    assert smaller in str(said.value)


def test_batches_of_two_tasks_are_halved_together(run_door, too_large) -> None:
    too_large(SpeakerTask)
    sizes = [
        "speech.dataloader.train_max_num_samples=90000",
        "speaker.dataloader.train_batch_size=1",
    ]
    with pytest.raises(ValueError, match="too small for a batch") as said:
        run_door("mt_speech_speaker", *sizes, "network.use_gradient_checkpointing=true")
    halves = "speech.dataloader.train_max_num_samples=45000, speaker.dataloader.train_batch_size=1"
    assert str(said.value).endswith(f"{halves}, trainer.accumulate_grad_batches=2")
