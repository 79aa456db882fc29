"""Each door goes on to the bit: killed, stopped or requeued, within an epoch and at its border.

Two workers, steps of two batches, and everything that draws numbers drawing them. In this process,
or where it is killed, in one of its own; `test_train` starts and kills a real command.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from duovox.run.checkpoint import BestAndLast

REGULAR = ["network/regularisation=wav2vec2_default_asr", "trainer.accumulate_grad_batches=2"]
REGULAR += ["trainer.val_check_interval=4"]
SPEECH = ["speech.pipeline.speeds=[0.9,1.0,1.1]", "speech.dataloader.train_max_num_samples=40000"]
SPEAKER = ["speaker.dataloader.train_batch_size=6"]
PIPE = ["data.pipe.train.num_workers=2", "train.accumulation=2", "train.val_interval=4"]
DOORS = {
    "speech": [*REGULAR, *SPEECH, "speech.dataloader.num_workers=2"],
    "speaker": [*REGULAR, *SPEAKER, "speaker.dataloader.num_workers=2"],
    "mt_speech_speaker": [
        *(*REGULAR, *SPEECH, *SPEAKER, "optim.loss.scale_method=dwa"),
        *("speech.dataloader.num_workers=1", "speaker.dataloader.num_workers=1"),
    ],
    "ssl": [*PIPE, "network/regularisation=ssl", "data.pipe.train.crop_audio_frames=5500"],
    "ft_asr": [*PIPE, "data.pipe.train.max_tokens=40_000"],
}
ALL = ["eval_model=false", "callbacks.save_every_minutes=0", "trainer.max_steps=9"]
LEAVING = {signal.SIGTERM: 143, signal.SIGUSR2: 0}  # the latter: submitit queues the job again

# Not forked from here: what other tests have left running in this process is not for a child.
FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload(["duovox.run.train"])


@dataclass(frozen=True)
class Training:
    """Training through one of the doors: training(folder) returns the run's folder."""

    make: Callable[[Path], Any]
    name: str
    settings: list[str]

    def __call__(self, folder: Path) -> Path:
        door = self.make(folder)
        door(self.name, *self.settings)
        found: Path = door.run_folder
        return found


@pytest.fixture(scope="module", params=DOORS)
def train(request, make_door, make_ssl_door, make_ft_door, pretrained_run) -> Training:
    """Return training through one of the doors."""
    name: str = request.param
    make = {"ssl": make_ssl_door, "ft_asr": make_ft_door}.get(name, make_door)
    settings = [*ALL, *DOORS[name]]
    settings += [f"load_from_ckpt={pretrained_run}"] if name == "ft_asr" else []
    return Training(make, name, settings)


@pytest.fixture(scope="module")
def expected(train: Training, tmp_path_factory) -> dict[str, Any]:
    """Return what a run holds in the end when nobody disturbs it."""
    return last(train(tmp_path_factory.mktemp("undisturbed")))


def last(run: Path) -> dict[str, Any]:
    checkpoint = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    return {
        "weights": checkpoint["state_dict"],
        "moments": checkpoint["optimizer_states"][0]["state"],
    }


def is_there(trainer: Any, place: str) -> bool:
    """Tell whether a step ends here, behind the first epoch, and at the border of one or within."""
    num_heard = trainer.fit_loop.epoch_loop.batch_progress.total.ready
    per_epoch = next(iter(trainer.datamodule._sources.values())).num_batches
    is_border = num_heard % per_epoch == 0
    return num_heard % 2 == 0 and num_heard >= per_epoch and is_border == (place == "border")


def disturb(monkeypatch: pytest.MonkeyPatch, number: int, place: str) -> None:
    """Let the run that comes next get a signal at a place; a kill comes behind the checkpoint."""
    original = BestAndLast.on_train_batch_end

    def end(self: BestAndLast, trainer: Any, *rest: Any) -> None:
        is_kill = number == signal.SIGKILL
        if is_there(trainer, place) and not is_kill:
            os.kill(os.getpid(), number)
        original(self, trainer, *rest)
        if is_there(trainer, place) and is_kill:
            os.killpg(os.getpid(), number)

    monkeypatch.setattr(BestAndLast, "on_train_batch_end", end)


def train_until_killed(door: Any, name: str, settings: list[str], place: str) -> None:
    """Train in this process, and kill it with its workers."""
    os.setsid()
    disturb(pytest.MonkeyPatch(), signal.SIGKILL, place)
    door(name, *settings)


def kill(train: Training, folder: Path, place: str) -> int | None:
    """Train in a process of its own; return the signal that ended it."""
    words = (train.make(folder), train.name, train.settings, place)
    process = FRESH.Process(target=train_until_killed, args=words)
    process.start()
    process.join()
    return None if process.exitcode is None else -process.exitcode


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # two workers, on one core
@pytest.mark.parametrize("place", ["within an epoch", "border"])
@pytest.mark.parametrize("number", [signal.SIGKILL, *LEAVING], ids=lambda number: number.name)
def test_a_disturbed_run_ends_as_an_undisturbed_one(
    train: Training, expected: dict[str, Any], tmp_path: Path, monkeypatch, number: int, place: str
) -> None:
    def requeue(told: int, frame: object) -> None:
        raise SystemExit(0)

    before = signal.signal(signal.SIGUSR2, requeue)
    try:
        with monkeypatch.context() as patch:
            if number == signal.SIGKILL:
                assert kill(train, tmp_path, place) == number
            else:
                disturb(patch, number, place)
                with pytest.raises(SystemExit) as left:
                    train(tmp_path)
                assert left.value.code == LEAVING[signal.Signals(number)]
        (checkpoint,) = tmp_path.glob("*/*/*/checkpoints/last.ckpt")
        assert 0 < torch.load(checkpoint, weights_only=True)["global_step"] < 9
        found = last(train(tmp_path))
    finally:
        signal.signal(signal.SIGUSR2, before)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
