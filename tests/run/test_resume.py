"""A run that stops anywhere and is started again ends as if nothing had happened.

In this process, with an exception in place of a signal; `test_train` kills a real one.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import eq
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from duovox.run.checkpoint import BestAndLast
from duovox.run.training_data import TrainingData


class PowerFailureError(Exception):
    """What no line of ours expects."""


@contextmanager
def power_failure(monkeypatch: pytest.MonkeyPatch, hook: str, step: int) -> Iterator[None]:
    """Let training end abruptly when the checkpoints have done their part at `step`."""
    original = getattr(BestAndLast, hook)

    def fail(self: BestAndLast, trainer: Any, *rest: Any) -> None:
        original(self, trainer, *rest)
        if trainer.global_step >= step and not trainer.fit_loop._should_accumulate():
            raise PowerFailureError

    with monkeypatch.context() as patch:
        patch.setattr(BestAndLast, hook, fail)
        with pytest.raises(PowerFailureError):
            yield


def last(run: Path) -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    return checkpoint


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def leaves(node: Any, place: str = "") -> dict[str, Any]:
    """Return the tensors and plain values of a tree by their place in it."""
    if isinstance(node, dict | list):
        items = node.items() if isinstance(node, dict) else enumerate(node)
        return {k: v for key, one in items for k, v in leaves(one, f"{place}/{key}").items()}
    return {place: node}


def differences(one: Path, other: Path) -> set[str]:
    """Return what differs, to the bit, between the checkpoints and the curves of two runs."""
    here, there = ({**leaves(last(run)), **leaves(rows(run), "/curves")} for run in (one, other))
    equal = {
        name
        for name in here.keys() & there.keys()
        if (torch.equal if isinstance(here[name], torch.Tensor) else eq)(here[name], there[name])
    }
    different = (here.keys() | there.keys()) - equal
    own = ("TrainingProgress", "memory_gb")  # seconds and bytes differ
    return {name for name in different if not any(part in name for part in own)}


OFTEN = ["callbacks.save_every_minutes=0", "eval_model=false", "trainer.max_steps=8"]
NOISY = [
    "network/regularisation=wav2vec2_default_asr",
    "speech.pipeline.speeds=[0.9,1.0,1.1]",
    "speaker.dataloader.train_batch_size=8",
    "optim.loss.scale_method=dwa",
    "trainer.accumulate_grad_batches=2",
    "trainer.val_check_interval=3",
    "trainer.log_every_n_steps=2",
]
SURGERY = [
    *NOISY,
    "optim.loss.scale_method=uncertainty",
    "optim.loss.gradient_method=pcgrad",
    "optim.loss.log_task_gradients=true",
    "network.use_gradient_checkpointing=true",
]
GRADNORM = [*NOISY, "optim.loss.scale_method=gradnorm", "optim.loss.log_task_gradients=true"]
PLATEAU = [
    "optim/schedule=reduce_on_plateau",
    "optim.schedule.patience=0",
    "trainer.val_check_interval=2",
    "optim.algo.lr=1e-9",  # no progress
]
STOPPING = [
    "callbacks.early_stopping=[{monitor:val_eer,patience:3,divergence_threshold:null}]",
    "trainer.val_check_interval=1",
    "optim.algo.lr=1e-9",
]
PRETRAINING = [
    "network/regularisation=ssl",
    "network.ssl_cfg.gumbel_temperature_factor=0.9",
    "data.pipe.train.crop_audio_frames=5500",
    "data.pipe.train.num_workers=2",
    "train.accumulation=2",
    "train.val_interval=3",
    "train.log_interval=2",
]
CASES = {
    "between two validations": ("mt_speech_speaker", NOISY, "on_train_batch_end", 4),
    "before a validation": ("mt_speech_speaker", NOISY, "on_train_batch_end", 5),
    "after a validation": ("mt_speech_speaker", NOISY, "on_validation_end", 6),
    "pcgrad of uncertain tasks": ("mt_speech_speaker", SURGERY, "on_train_batch_end", 4),
    "gradnorm": ("mt_speech_speaker", GRADNORM, "on_train_batch_end", 5),
    "speech with a plateau": ("speech", PLATEAU, "on_validation_end", 4),
    "speech, one step after a plateau": ("speech", PLATEAU, "on_train_batch_end", 5),
    "speaker with early stopping": ("speaker", STOPPING, "on_validation_end", 2),
    "pre-training between two validations": ("ssl", PRETRAINING, "on_train_batch_end", 5),
    "pre-training after a validation": ("ssl", PRETRAINING, "on_validation_end", 6),
}


@pytest.fixture(scope="module")
def undisturbed(make_door, make_ssl_door, tmp_path_factory) -> Callable[..., Path]:
    """Return a function that trains without a stop, once for the same settings."""
    runs: dict[tuple[str, ...], Path] = {}

    def train(*arguments: str) -> Path:
        if arguments not in runs:
            make = make_ssl_door if arguments[0] == "ssl" else make_door
            door = make(tmp_path_factory.mktemp("undisturbed"))
            door(*arguments)
            runs[arguments] = door.run_folder
        return runs[arguments]

    return train


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # two workers, on one core
@pytest.mark.parametrize("case", CASES)
def test_a_run_stopped(case, run_door, run_ssl_door, undisturbed, monkeypatch) -> None:
    name, overrides, hook, step = CASES[case]
    door = run_ssl_door if name == "ssl" else run_door
    expected = undisturbed(name, *OFTEN, *overrides)
    with power_failure(monkeypatch, hook, step):
        door(name, *OFTEN, *overrides)
    stopped_at = last(door.run_folder)["global_step"]
    assert 0 < stopped_at < last(expected)["global_step"]
    door(name, *OFTEN, *overrides)
    assert not differences(expected, door.run_folder)


def test_a_run_goes_on_in_other_circumstances_and_tells_them(
    run_door, undisturbed, monkeypatch, capsys
) -> None:
    name, overrides, hook, step = CASES["between two validations"]
    expected = undisturbed(name, *OFTEN, *overrides)
    with power_failure(monkeypatch, hook, step):
        run_door(name, *OFTEN, *overrides)
    assert "changed" not in capsys.readouterr().out
    elsewhere = [
        "callbacks.save_every_minutes=1",
        "trainer.log_every_n_steps=3",
        "optim.loss.log_task_gradients=true",
        "speech.dataloader.num_workers=1",
        "speech.dataloader.val_batch_size=5",
        "speaker.dataloader.test_batch_size=3",
        f"data_folder={run_door.overrides[0].partition('=')[2]}/",
    ]
    run_door(name, *OFTEN, *overrides, *elsewhere)
    said = capsys.readouterr().out
    assert "changed since this run was last started: speech.dataloader.num_workers: 0 -> 1" in said
    assert said.count("changed since") >= len(elsewhere)  # the folder is part of other settings
    different = differences(expected, run_door.run_folder)
    assert not [place for place in different if place.startswith(("/state_dict", "/optimizer"))]
    config = yaml.safe_load((run_door.run_folder / "config.yaml").read_text())
    assert config["trainer"]["log_every_n_steps"] == 3
    assert config["speech"]["dataloader"]["val_batch_size"] == 5


def test_the_comparison_notices_a_stream_that_starts_over(
    run_door, undisturbed, monkeypatch
) -> None:
    name, overrides, hook, step = CASES["after a validation"]
    expected = undisturbed(name, *OFTEN, *overrides)
    with power_failure(monkeypatch, hook, step):
        run_door(name, *OFTEN, *overrides)
    monkeypatch.setattr(TrainingData, "load_state_dict", lambda self, state_dict: None)
    run_door(name, *OFTEN, *overrides)
    different = differences(expected, run_door.run_folder)
    assert any(name.startswith("/state_dict/network") for name in different)


def test_an_early_stop_is_final(run_door, undisturbed) -> None:
    arguments = ("speaker", *OFTEN, *STOPPING)
    run_door(*arguments)
    stopped = last(run_door.run_folder)
    assert stopped["global_step"] == 4  # the first validation and three without progress
    run_door(*arguments)
    assert last(run_door.run_folder)["global_step"] == 4


@pytest.mark.parametrize("hook", ["on_validation_end", "on_train_end"])
def test_an_early_stop_that_is_interrupted_is_final(
    run_door, undisturbed, monkeypatch, hook: str
) -> None:
    arguments = ("speaker", *OFTEN, *STOPPING)
    expected = undisturbed(*arguments)
    original = getattr(BestAndLast, hook)

    def fail(self: BestAndLast, trainer: Any, *rest: Any) -> None:
        original(self, trainer, *rest)
        if trainer.should_stop:
            raise PowerFailureError

    with monkeypatch.context() as patch:
        patch.setattr(BestAndLast, hook, fail)
        with pytest.raises(PowerFailureError):
            run_door(*arguments)
    run_door(*arguments)
    different = differences(expected, run_door.run_folder)
    # Lightning counts the one epoch as completed only where its loop has been left.
    assert not [place for place in different if not place.startswith(("/epoch", "/loops"))]
    reasons = [
        json.loads((run / "training.json").read_text())["reason"]
        for run in (expected, run_door.run_folder)
    ]
    assert reasons[0] == reasons[1]
    assert "for 3 validations (callbacks.early_stopping[0].patience)" in reasons[0]


def test_steps_behind_the_last_validation_are_kept(run_door) -> None:
    arguments = ("speech", "eval_model=false", "trainer.max_steps=3")  # validates after step 2
    run_door(*arguments)
    assert last(run_door.run_folder)["global_step"] == 3
    training = json.loads((run_door.run_folder / "training.json").read_text())
    assert training["steps"] == 3


def test_a_run_shorter_than_its_validation_interval_can_be_scored(run_door) -> None:
    objective = run_door("speech", "trainer.max_steps=1", "trainer.val_check_interval=9")
    assert objective is not None


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def test_a_damaged_checkpoint_is_left_for_the_one_before(
    run_door, undisturbed, monkeypatch
) -> None:
    name, overrides, hook, step = CASES["speech, one step after a plateau"]
    expected = undisturbed(name, *OFTEN, *overrides)
    with power_failure(monkeypatch, hook, step):
        run_door(name, *OFTEN, *overrides)
    cut_short(run_door.run_folder / "checkpoints" / "last.ckpt")
    with pytest.warns(UserWarning, match=r"last\.ckpt is damaged.*: going on from previous\.ckpt"):
        run_door(name, *OFTEN, *overrides)
    assert not differences(expected, run_door.run_folder)


def test_where_all_checkpoints_are_damaged_a_run_says_so(run_door, monkeypatch) -> None:
    with power_failure(monkeypatch, "on_train_batch_end", 3):
        run_door("speech", "eval_model=false", "callbacks.save_every_minutes=0")
    for path in (run_door.run_folder / "checkpoints").iterdir():
        cut_short(path)
    with pytest.raises(ValueError, match=r"last\.ckpt is damaged.*resume=false"):
        run_door("speech", "eval_model=false")
