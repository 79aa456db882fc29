"""A disk that is really full, as far as one process can tell."""

from __future__ import annotations

import json
import resource
from typing import Any

import pytest
import torch

from duovox.task.multitask import MultiTask

TRAIN = "eval_model=false"


def test_a_full_disk_leaves_the_checkpoint_before_and_training_goes_on(
    run_door, monkeypatch
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    step = MultiTask.training_step

    def fill_the_disk_at_step_2(self: MultiTask, batch: Any, number: int) -> Any:
        if self.global_step == 2:  # behind the first validation
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        return step(self, batch, number)

    with monkeypatch.context() as patch:
        patch.setattr(MultiTask, "training_step", fill_the_disk_at_step_2)
        try:
            with (
                pytest.warns(UserWarning, match=r"last\.ckpt can't be saved: .*File too large"),
                pytest.raises(ValueError, match=r"training is over, .*last\.ckpt can't be saved"),
            ):
                run_door("speech", TRAIN)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    run = run_door.run_folder
    checkpoints = run / "checkpoints"
    assert {path.name for path in checkpoints.iterdir()} == {"best.ckpt", "last.ckpt"}
    last = torch.load(checkpoints / "last.ckpt", weights_only=True)
    assert last["global_step"] == 2
    assert len((run / "metrics.csv").read_text().splitlines()) == 1 + 4
    run_door("speech", TRAIN)
    assert json.loads((run / "training.json").read_text())["steps"] == 4
