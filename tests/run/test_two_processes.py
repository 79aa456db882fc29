"""Two processes train together: on two CPUs here, as on two GPUs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[2]

# A door whose trainer has two CPUs, or one. The second process' clock stands still, so that it
# never is time for a checkpoint there. Each process keeps its weights, and the losses that it
# heard; what is done to one of them at its third batch is told by the environment.
DOOR = """
import os
import signal
from collections import defaultdict

import hydra
import torch
from lightning.pytorch import Trainer

from duovox.run import checkpoint, trainer
from duovox.run.distributed import several_processes
from duovox.run.door import at_the_door
from duovox.run.train import run
from duovox.task.multitask import MultiTask
from duovox.task.speaker import SpeakerTask
from duovox.task.speech import SpeechTask

RANK = os.environ.get("LOCAL_RANK", "0")
LOSSES = defaultdict(list)
save = checkpoint.BestAndLast.on_train_end
step = MultiTask.training_step


def keep(self, trainer, module):
    torch.save(module.state_dict(), f"{TMP}/rank{trainer.global_rank}.pt")
    torch.save(dict(LOSSES), f"{TMP}/losses{trainer.global_rank}.pt")
    save(self, trainer, module)


def signal_at_step_2(self, batch, number):
    if self.global_step == 2 and os.environ.get("SIGNALLED") == RANK:
        os.kill(os.getpid(), signal.Signals[os.environ["SIGNAL"]])
    return step(self, batch, number)


def hear(task, name):
    forward = task.forward

    def listen(self, network, batch):
        output, loss = forward(self, network, batch)
        if network.training:
            LOSSES[name].append(loss.item())
            if os.environ.get("SPOILT") == RANK and len(LOSSES[name]) == 3:
                loss = loss * float("nan")
        return output, loss

    task.forward = listen


class StoppedClock:
    def monotonic():
        return -1e9


def on_cpus(**settings):
    return Trainer(**settings | {"devices": 2, "strategy": several_processes(has_unused=True)})


hear(SpeechTask, "speech")
hear(SpeakerTask, "speaker")
if os.environ.get("ALONE") is None:
    trainer.LightningTrainer = on_cpus
checkpoint.BestAndLast.on_train_end = keep
MultiTask.training_step = signal_at_step_2
if RANK == "1":
    checkpoint.time = StoppedClock
with at_the_door(__file__, "mt_speech_speaker"):
    hydra.main(version_base="1.3", config_path=CONFIG, config_name="mt_speech_speaker")(
        lambda config: run(config)
    )()
"""


Train = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def train(tiny_settings: list[str], tmp_path: Path) -> Train:
    """Return a function that trains in a folder of its own; by name, what the door is told."""

    def run(name: str, *overrides: str, **told: str) -> subprocess.CompletedProcess[str]:
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
            "speech.dataloader.num_workers=0",
            "speaker.dataloader.num_workers=0",
            "trainer.max_steps=5",
            *overrides,
        ]
        command = [sys.executable, str(script), *settings]
        return subprocess.run(
            command, cwd=folder, env=os.environ | told, timeout=300, capture_output=True, text=True
        )

    return run


def last_step(folder: Path) -> int:
    (config,) = folder.glob("logs/*/*/*/config.yaml")  # no process put the other's folder aside
    last = torch.load(config.parent / "checkpoints" / "last.ckpt", weights_only=True)
    step: int = last["global_step"]
    return step


def reason(folder: Path) -> str:
    (path,) = folder.glob("logs/*/*/*/training.json")
    text: str = json.loads(path.read_text())["reason"]
    return text


def weights(folder: Path) -> list[dict[str, torch.Tensor]]:
    """Return the weights of each process when it had trained."""
    return [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]


def differences(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> list[str]:
    return [name for name in one if not torch.equal(one[name], other[name])]


def losses(folder: Path) -> list[dict[str, list[float]]]:
    """Return the losses that each process heard, by task."""
    paths = sorted(folder.glob("losses*.pt"))
    return [torch.load(path, weights_only=True) for path in paths]


THAWING = ["network.wav2vec_initially_frozen=true", "network.num_frozen_steps=2"]


@pytest.mark.slow
def test_two_processes_thaw_a_backbone_save_in_time_and_stay_equal(train, tmp_path: Path) -> None:
    assert not train("a", *THAWING, "resume=false", "callbacks.save_every_minutes=1e-6").returncode
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
    assert not train("a", *THAWING, *chosen, "optim.loss.log_task_gradients=true").returncode
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
    assert not train("a", *chosen).returncode
    assert last_step(tmp_path / "a") == 5
    assert differences(*weights(tmp_path / "a")) == []


@pytest.mark.slow
def test_two_processes_hear_what_one_hears_with_twice_the_accumulation(
    train, tmp_path: Path
) -> None:
    plain = ["network/regularisation=wav2vec2_none", "optim.algo.lr=1e-2"]
    assert not train("two", *plain).returncode
    assert not train("one", *plain, "trainer.accumulate_grad_batches=2", ALONE="1").returncode
    first, second = losses(tmp_path / "two")
    (alone,) = losses(tmp_path / "one")
    for task, heard in alone.items():
        both = [loss for pair in zip(first[task], second[task], strict=True) for loss in pair]
        assert both == pytest.approx(heard, rel=1e-4)
    here, there = (torch.load(tmp_path / name / "rank0.pt") for name in ("one", "two"))
    torch.testing.assert_close(here, there, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_layers_that_one_process_skips_or_no_process_needs_are_no_error(
    train, tmp_path: Path
) -> None:
    branched = ["network.use_multi_branch_encoder=true", "network.num_shared_transformers=1"]
    skipping = [
        "network/regularisation=wav2vec2_default_asr",
        "network.regularisation.layerdrop=0.5",
    ]
    ran = train("a", *branched, *skipping)
    assert ran.returncode == 0, ran.stderr
    assert differences(*weights(tmp_path / "a")) == []


@pytest.mark.slow
@pytest.mark.parametrize("method", ["null", "pcgrad"])
def test_a_loss_of_one_process_that_is_no_number_drops_the_step_of_both(
    train, tmp_path: Path, method: str
) -> None:
    """The averages of dwa are those of both processes."""
    dwa = ["optim.loss.scale_method=dwa", f"optim.loss.gradient_method={method}"]
    ran = train("a", *dwa, SPOILT="1")
    assert ran.returncode == 0, ran.stderr
    states = weights(tmp_path / "a")
    assert differences(*states) == []
    for row, task in enumerate(("speech", "speaker")):
        heard = torch.tensor([one[task] for one in losses(tmp_path / "a")]).mean(dim=0)
        good = torch.cat([heard[:2], heard[3:]])  # newest first in the history
        torch.testing.assert_close(states[0]["weighting.history"][row, :4], good.flip(0))
    (lines,) = (path.read_text() for path in (tmp_path / "a").glob("logs/*/*/*/bad_steps.jsonl"))
    assert lines.count('"step": 3, "not_finite": "loss"') == 4  # each names what it heard


@pytest.mark.slow
@pytest.mark.parametrize("killed", ["0", "1"])
def test_when_one_process_is_killed_the_other_says_so_and_leaves(train, killed: str) -> None:
    ran = train("a", SIGNALLED=killed, SIGNAL="SIGKILL")
    assert ran.returncode != 0
    ours, lightnings = "another process of this run has ended", "Child process with PID"
    assert ours in ran.stderr or (killed == "1" and lightnings in ran.stderr)  # who is faster


@pytest.mark.slow
@pytest.mark.parametrize("told", ["0", "1"])
def test_when_one_process_is_told_to_stop_both_do_and_go_on_from_there(
    train, tmp_path: Path, told: str
) -> None:
    assert train("undisturbed", *THAWING).returncode == 0
    assert train("stopped", *THAWING, SIGNALLED=told, SIGNAL="SIGTERM").returncode == 143
    assert last_step(tmp_path / "stopped") == 3
    cause = "SIGTERM" if told == "0" else "a signal to another of its processes"
    assert reason(tmp_path / "stopped") == (
        f"training stopped after step 3 of 5 by {cause}; the same command resumes"
    )
    assert train("stopped", *THAWING).returncode == 0
    expected, found = weights(tmp_path / "undisturbed"), weights(tmp_path / "stopped")
    assert differences(expected[0], found[0]) == differences(expected[1], found[1]) == []
