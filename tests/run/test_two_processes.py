"""Two processes train together: on two CPUs here, as on two GPUs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[2]

# A door whose trainer has two CPUs. The second process' clock stands still, so that it never is
# time for a checkpoint there, and each process keeps its weights.
DOOR = """
import os

import hydra
import torch
from lightning.pytorch import Trainer

from duovox.run import checkpoint, trainer
from duovox.run.train import run

RANK = os.environ.get("LOCAL_RANK", "0")
save = checkpoint.BestAndLast.on_train_end


def keep(self, trainer, module):
    torch.save(module.network.state_dict(), f"{TMP}/rank{trainer.global_rank}.pt")
    save(self, trainer, module)


class StoppedClock:
    def monotonic():
        return -1e9


def on_two_cpus(**settings):
    return Trainer(**settings | {"devices": 2, "strategy": "ddp_find_unused_parameters_true"})


trainer.LightningTrainer = on_two_cpus
checkpoint.BestAndLast.on_train_end = keep
if RANK == "1":
    checkpoint.time = StoppedClock
hydra.main(version_base="1.3", config_path=CONFIG, config_name="mt_speech_speaker")(
    lambda config: run(config)
)()
"""


@pytest.mark.slow
def test_two_processes_thaw_a_backbone_save_in_time_and_stay_equal(
    tiny_settings: list[str], tmp_path: Path
) -> None:
    script = tmp_path / "door.py"
    places = f"TMP, CONFIG = {str(tmp_path)!r}, {str(REPOSITORY / 'config')!r}\n"
    script.write_text(places + DOOR)
    settings = [
        *tiny_settings,
        "eval_model=false",
        "resume=false",
        "network.stat_pooling_type=mean",
        "network.wav2vec_initially_frozen=true",
        "network.num_frozen_steps=2",
        "speech.dataloader.num_workers=0",
        "speaker.dataloader.num_workers=0",
        "callbacks.save_every_minutes=1e-6",
        "trainer.max_steps=5",
    ]

    subprocess.run([sys.executable, script, *settings], check=True, cwd=tmp_path, timeout=300)

    (run,) = tmp_path.glob("logs/*/*/*/config.yaml")  # no process put the other's folder aside
    last = torch.load(run.parent / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 5
    one, other = (torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in (0, 1))
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
