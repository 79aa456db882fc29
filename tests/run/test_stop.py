"""A run that is told to stop saves the step in hand, leaves with the signal's code, and goes on."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from duovox.run.checkpoint import BestAndLast
from duovox.run.evaluate import EvaluationSet
from duovox.run.stop import Stopped, StopSignal
from duovox.task.multitask import MultiTask

SPEECH = (
    "speech",
    "eval_model=false",
    "speech.dataloader.train_max_num_samples=40000",
    "trainer.accumulate_grad_batches=2",
    "trainer.max_steps=6",
    "trainer.val_check_interval=3",
)


def last(run: Path) -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    return checkpoint


def ending(run: Path) -> dict[str, Any]:
    """Return how training ended, as training.json has it."""
    training: dict[str, Any] = json.loads((run / "training.json").read_text())
    return {key: training[key] for key in ("steps", "ended", "reason", "complete")}


@pytest.fixture(autouse=True)
def _hangups_are_not_ignored() -> Iterator[None]:
    """The tests may run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(scope="module")
def undisturbed(make_door: Callable[[Path], Any], tmp_path_factory) -> dict[str, torch.Tensor]:
    """Return the weights of a run that nobody told to stop."""
    door = make_door(tmp_path_factory.mktemp("undisturbed"))
    door(*SPEECH)
    weights: dict[str, torch.Tensor] = last(door.run_folder)["state_dict"]
    return weights


def tell(monkeypatch: pytest.MonkeyPatch, kind: Any, hook: str, *signals: int, call: int) -> None:
    """Send signals to this process when `hook` is called for the n-th time from here on."""
    original = getattr(kind, hook)
    calls = iter(range(1, 1000))

    def send(self: Any, *arguments: Any, **settings: Any) -> Any:
        if next(calls) == call:
            for number in signals:
                os.kill(os.getpid(), number)
        return original(self, *arguments, **settings)

    monkeypatch.setattr(kind, hook, send)


@pytest.mark.parametrize(
    ("hook", "call", "step", "name"),
    [
        ("training_step", 1, 1, "SIGTERM"),  # the first of the two batches of a step
        ("training_step", 4, 2, "SIGINT"),
        ("on_before_optimizer_step", 3, 3, "SIGTERM"),  # a validation follows, and is finished
        ("validation_step", 1, 3, "SIGINT"),
        ("training_step", 6, 3, "SIGHUP"),
        ("training_step", 12, 6, "SIGTERM"),  # the last one
    ],
)
def test_a_run_that_is_told_to_stop_goes_on_as_if_it_had_not_been(
    run_door, undisturbed, monkeypatch, hook: str, call: int, step: int, name: str
) -> None:
    number = signal.Signals[name]
    with monkeypatch.context() as patch:
        tell(patch, MultiTask, hook, number, call=call)
        with pytest.raises(Stopped) as stopped:
            run_door(*SPEECH)
    assert stopped.value.code == {"SIGTERM": 143, "SIGINT": 130, "SIGHUP": 129}[name]
    of = " of 6" if step < 6 else ""
    sentence = f"training stopped after step {step}{of} by {name}; the same command resumes"
    assert stopped.value.sentence == sentence
    assert last(run_door.run_folder)["global_step"] == step
    found = ending(run_door.run_folder)
    assert found == {"steps": step, "ended": "signal", "reason": sentence, "complete": False}
    run_door(*SPEECH)
    assert ending(run_door.run_folder)["ended"] == "max_steps"
    weights = last(run_door.run_folder)["state_dict"]
    assert [key for key in undisturbed if not torch.equal(undisturbed[key], weights[key])] == []


def test_a_second_order_stops_at_once(run_door, monkeypatch) -> None:
    monkeypatch.setattr("duovox.run.stop._ECHO_SECONDS", 0.0)
    tell(monkeypatch, MultiTask, "training_step", signal.SIGINT, signal.SIGINT, call=3)
    with pytest.raises(Stopped) as stopped:
        run_door(*SPEECH)
    assert stopped.value.sentence == "stopped at once by SIGINT; the same command resumes"
    assert ending(run_door.run_folder)["reason"] == stopped.value.sentence
    assert not list(run_door.log_folder.rglob("last.ckpt"))


def test_an_echo_of_a_signal_is_no_second_order(run_door, monkeypatch) -> None:
    tell(monkeypatch, MultiTask, "training_step", signal.SIGTERM, signal.SIGTERM, call=3)
    with pytest.raises(Stopped, match="143"):
        run_door(*SPEECH)
    assert last(run_door.run_folder)["global_step"] == 2


def test_before_and_behind_training_a_run_stops_at_once(run_door, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        tell(patch, EvaluationSet, "__init__", signal.SIGTERM, call=1)
        with pytest.raises(Stopped) as stopped:
            run_door(*SPEECH)
    assert stopped.value.sentence.startswith("stopped at once by SIGTERM")
    with monkeypatch.context() as patch:
        tell(patch, BestAndLast, "on_train_end", signal.SIGTERM, call=1)
        with pytest.raises(Stopped) as stopped:
            run_door(*SPEECH)
    assert stopped.value.sentence.startswith("stopped after training by SIGTERM")
    assert ending(run_door.run_folder)["ended"] == "max_steps"


def test_a_warning_of_a_limit_is_passed_on_when_the_step_is_saved(
    run_door, monkeypatch, capsys
) -> None:
    """As submitit listens for, to requeue the job."""
    requeued: list[int] = []

    def requeue(number: int, frame: object) -> None:
        requeued.append(last(run_door.run_folder)["global_step"])
        raise SystemExit(0)

    before = signal.signal(signal.SIGUSR2, requeue)
    try:
        tell(monkeypatch, MultiTask, "training_step", signal.SIGUSR2, call=4)
        with pytest.raises(SystemExit):
            run_door(*SPEECH)
        assert signal.getsignal(signal.SIGUSR2) is requeue
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert requeued == [2]
    reason = (
        "training stopped after step 2 of 6 by SIGUSR2 (the time limit of its job); the same "
        "command resumes"
    )
    assert ending(run_door.run_folder)["reason"] == reason
    assert reason in capsys.readouterr().out  # submitit ends the job, not the entry point


def test_the_reason_says_where_a_job_is_pre_empted(run_door, monkeypatch) -> None:
    monkeypatch.setattr("duovox.run.stop.is_preempted", lambda: True)
    tell(monkeypatch, MultiTask, "training_step", signal.SIGTERM, call=4)
    with pytest.raises(Stopped, match="143"):
        run_door(*SPEECH)
    assert "by SIGTERM (its job is pre-empted);" in ending(run_door.run_folder)["reason"]


def test_who_listened_before_listens_again() -> None:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with StopSignal().heard():
        assert not {signal.getsignal(number) for number in numbers} & {*before}
    assert [signal.getsignal(number) for number in numbers] == before


def test_a_hangup_that_nohup_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop = StopSignal()
    with stop.heard():
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    assert not stop.is_told


@pytest.mark.parametrize("variable", ["LOCAL_RANK", "RANK", "SLURM_PROCID"])
def test_other_processes_leave_without_a_fault(variable: str, monkeypatch) -> None:
    monkeypatch.setenv(variable, "1")
    assert Stopped(signal.SIGTERM, "stopped at once").code == 0
