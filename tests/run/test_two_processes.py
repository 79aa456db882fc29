"""Two processes train together: on two CPUs here, as on two GPUs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[2]

# A door whose trainer has two CPUs. The second process' clock stands still, so that it never is
# time for a checkpoint there, and each process keeps its weights.
DOOR = """
import os
import signal

import hydra
import torch
from lightning.pytorch import Trainer

from duovox.run import checkpoint, trainer
from duovox.run.train import run
from duovox.task.multitask import MultiTask

RANK = os.environ.get("LOCAL_RANK", "0")
save = checkpoint.BestAndLast.on_train_end
step = MultiTask.training_step


def keep(self, trainer, module):
    torch.save(module.state_dict(), f"{TMP}/rank{trainer.global_rank}.pt")
    save(self, trainer, module)


def tell_at_step_2(self, batch, number):
    if self.global_step == 2 and os.environ.get("TOLD") == RANK:
        os.kill(os.getpid(), signal.SIGTERM)
    return step(self, batch, number)


class StoppedClock:
    def monotonic():
        return -1e9


def on_two_cpus(**settings):
    return Trainer(**settings | {"devices": 2, "strategy": "ddp_find_unused_parameters_true"})


trainer.LightningTrainer = on_two_cpus
checkpoint.BestAndLast.on_train_end = keep
MultiTask.training_step = tell_at_step_2
if RANK == "1":
    checkpoint.time = StoppedClock
hydra.main(version_base="1.3", config_path=CONFIG, config_name="mt_speech_speaker")(
    lambda config: run(config)
)()
"""


@pytest.fixture
def train(tiny_settings: list[str], tmp_path: Path) -> Callable[..., int]:
    """Return a function that trains in a folder of its own and returns the exit code."""

    def run(name: str, *overrides: str, told: str = "") -> int:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        script = folder / "door.py"
        places = f"TMP, CONFIG = {str(folder)!r}, {str(REPOSITORY / 'config')!r}\n"
        script.write_text(places + DOOR)
        settings = [
            *tiny_settings,
            f"log_folder={folder / 'logs'}",
            "eval_model=false",
            "network.stat_pooling_type=mean",
            "network.wav2vec_initially_frozen=true",
            "network.num_frozen_steps=2",
            "speech.dataloader.num_workers=0",
            "speaker.dataloader.num_workers=0",
            "trainer.max_steps=5",
            *overrides,
        ]
        command = [sys.executable, script, *settings]
        environment = os.environ | {"TOLD": told}
        return subprocess.run(command, cwd=folder, env=environment, timeout=300).returncode

    return run


def last_step(folder: Path) -> int:
    (config,) = folder.glob("logs/*/*/*/config.yaml")  # no process put the other's folder aside
    last = torch.load(config.parent / "checkpoints" / "last.ckpt", weights_only=True)
    step: int = last["global_step"]
    return step


def weights(folder: Path) -> list[dict[str, torch.Tensor]]:
    """Return the weights of each process when it had trained."""
    return [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]


def differences(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> list[str]:
    return [name for name in one if not torch.equal(one[name], other[name])]


@pytest.mark.slow
def test_two_processes_thaw_a_backbone_save_in_time_and_stay_equal(train, tmp_path: Path) -> None:
    assert train("a", "resume=false", "callbacks.save_every_minutes=1e-6") == 0
    assert last_step(tmp_path / "a") == 5
    assert differences(*weights(tmp_path / "a")) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weighting", "method"), [("uncertainty", "pcgrad"), ("gradnorm", "null"), ("random", "mgda")]
)
def test_two_processes_agree_on_weights_and_on_one_gradient(
    train, tmp_path: Path, weighting: str, method: str
) -> None:
    chosen = [f"optim.loss.scale_method={weighting}", f"optim.loss.gradient_method={method}"]
    assert train("a", *chosen, "optim.loss.log_task_gradients=true") == 0
    assert last_step(tmp_path / "a") == 5
    assert differences(*weights(tmp_path / "a")) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "chosen",
    [
        ["data.batches=joint"],
        ["data.batches=joint", "optim.loss.gradient_method=cagrad"],
        ["network.use_data_source_head=true"],
        [
            "network.use_data_source_head=true",
            "network.speaker_head_layer=1",
            "optim.loss.gradient_method=pcgrad",
        ],
    ],
    ids=" ".join,
)
def test_two_processes_agree_on_joint_batches_and_on_the_data_source(
    train, tmp_path: Path, chosen: list[str]
) -> None:
    assert train("a", *chosen) == 0
    assert last_step(tmp_path / "a") == 5
    assert differences(*weights(tmp_path / "a")) == []


@pytest.mark.slow
@pytest.mark.parametrize("told", ["0", "1"])
def test_when_one_process_is_told_to_stop_both_do_and_go_on_from_there(
    train, tmp_path: Path, told: str
) -> None:
    assert train("undisturbed") == 0
    assert train("stopped", told=told) == 143
    assert last_step(tmp_path / "stopped") == 3
    assert train("stopped") == 0
    expected, found = weights(tmp_path / "undisturbed"), weights(tmp_path / "stopped")
    assert differences(expected[0], found[0]) == differences(expected[1], found[1]) == []
