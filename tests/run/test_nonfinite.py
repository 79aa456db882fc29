"""Numbers that are none, through the door: what is dropped is named, and the rest stays finite."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.plugins import MixedPrecision

from duovox.batch import NetworkOutput
from duovox.run import precision
from duovox.task.speaker import SpeakerTask
from duovox.task.speech import SpeechTask

SETTINGS = ["eval_model=false", "optim.algo.lr=1e-3"]
INITIAL = ["optim.algo.lr=1e-20", "trainer.max_steps=1", "experiment_name=initial"]


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that bends the loss of a task's batches of the given numbers, from 1 on."""

    def bend(task: Any, bent: Callable[[torch.Tensor], torch.Tensor], *numbers: int) -> None:
        original, count = task.forward, [0]

        def forward(self: Any, network: Any, batch: Any) -> tuple[NetworkOutput, torch.Tensor]:
            output, loss = original(self, network, batch)
            count[0] += network.training
            return output, bent(loss) if network.training and count[0] in numbers else loss

        monkeypatch.setattr(task, "forward", forward)

    return bend


def state_of(run: Path) -> dict[str, torch.Tensor]:
    checkpoint = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    state: dict[str, torch.Tensor] = checkpoint["state_dict"]
    return state


def moved(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> set[str]:
    """Return the parts of the network that differ."""
    names = {name for name in first if not torch.allclose(first[name], second[name], atol=1e-8)}
    return {name.split(".")[1] for name in names}


def bad_steps(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "bad_steps.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("task", "name", "learns"),
    [
        (SpeakerTask, "speaker", {"backbone", "speech_head"}),
        (SpeechTask, "speech", {"backbone", "speaker_head"}),
    ],
)
def test_one_task_s_bad_loss_leaves_the_other_learning(
    run_door, spoil, task, name: str, learns: set[str]
) -> None:
    run_door("mt_speech_speaker", *SETTINGS, *INITIAL)
    initial = state_of(run_door.run_folder)
    spoil(task, lambda loss: loss * math.nan, 1)
    run_door("mt_speech_speaker", *SETTINGS, "trainer.max_steps=1", "experiment_name=bad")
    (run,) = run_door.log_folder.glob("*/bad/[!.]*")
    state = state_of(run)
    assert moved(initial, state) == learns
    assert all(torch.isfinite(tensor).all() for tensor in state.values())
    (row,) = bad_steps(run)
    assert (row["step"], row["task"], row["not_finite"]) == (1, name, "loss")
    assert len(row["keys"]) == (36 if name == "speech" else 32)


def steep(loss: torch.Tensor) -> torch.Tensor:
    """Return a finite loss whose gradient is not."""
    return loss + (loss - loss.detach()).abs().sqrt()


def test_bad_gradients_drop_the_step_and_training_goes_on(run_door, spoil) -> None:
    spoil(SpeakerTask, steep, 2)
    run_door("mt_speech_speaker", *SETTINGS)
    assert all(torch.isfinite(tensor).all() for tensor in state_of(run_door.run_folder).values())
    rows = bad_steps(run_door.run_folder)
    assert [(row["step"], row["task"], row["not_finite"]) for row in rows] == [
        (2, "speech", "gradient"),
        (2, "speaker", "gradient"),
    ]


@pytest.mark.parametrize("bent", [steep, lambda loss: loss * math.inf], ids=["gradient", "loss"])
def test_too_many_bad_steps_in_a_row_stop_the_run_with_advice(run_door, spoil, bent) -> None:
    spoil(SpeechTask, bent, 2, 3, 4)
    with pytest.raises(ValueError, match="3 steps in a row had a loss or gradient") as said:
        run_door("speech", *SETTINGS, "callbacks.max_bad_steps=2")
    for advice in ("max_bad_steps=2", "optim.algo.lr", "gradient_clip_val", "bad_steps.jsonl"):
        assert advice in str(said.value)
    assert [row["step"] for row in bad_steps(run_door.run_folder)] == [2, 3]


def test_half_precision_looks_for_its_loss_scale_without_a_bad_step(run_door, monkeypatch) -> None:
    """Its scaler stands in for that of a GPU; the scale at first makes any gradient overflow."""
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, backoff_factor=2.0**-125)
    half = MixedPrecision("16-mixed", "cpu", scaler=scaler)

    monkeypatch.setattr(precision, "_plugin", lambda used, device: half)
    run_door("speech", *SETTINGS, "callbacks.max_bad_steps=0")
    run = run_door.run_folder
    assert scaler.get_scale() == 4.0
    assert not (run / "bad_steps.jsonl").exists()
    checkpoint = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == 4
    steps = {float(state["step"]) for state in checkpoint["optimizer_states"][0]["state"].values()}
    assert steps == {3.0}  # the first step was skipped
