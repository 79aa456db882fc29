"""Where a worker process of a loader fails, the run says which settings start fewer of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from duovox.cli import app
from duovox.data import loader
from duovox.run.loader_worker import worker_advice, workers_of
from duovox.run.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
TORCHS = "DataLoader worker (pid 12) is killed by signal: Killed."


def die(*, of: Exception) -> None:
    with worker_advice({"speech.dataloader.num_workers=": 5, "--workers ": 1}):
        raise of


@pytest.mark.parametrize(
    "cause",
    [
        TORCHS,
        "DataLoader worker (pid(s) 12, 13) exited unexpectedly",
        "DataLoader worker (pid 12) is killed by signal: Bus error. It is possible that the"
        " workers are out of shared memory. Please try to raise your shared memory limit.",
        "Too many open files. Communication with the workers is no longer possible. Please ...!",
    ],
)
def test_what_torch_says_is_followed_by_settings_with_half_as_many_workers(cause: str) -> None:
    with pytest.raises(ValueError, match="a worker process of a data loader failed: ") as said:
        die(of=RuntimeError(cause))
    assert cause.strip(".") in str(said.value)
    assert "Now: speech.dataloader.num_workers=5, --workers 1." in str(said.value)
    assert "command with speech.dataloader.num_workers=2 --workers 0;" in str(said.value)


def test_a_worker_without_memory_is_one_too_and_its_traceback_is_left_out() -> None:
    text = "Caught MemoryError in DataLoader worker process 0.\nOriginal Traceback (most recent ..."
    text += "\nnumpy._core._exceptions._ArrayMemoryError: Unable to allocate 9. GiB"
    with pytest.raises(ValueError, match=r"failed: Unable to allocate 9\. GiB\.\nThe usual"):
        die(of=RuntimeError(text))


def test_the_signal_is_named_where_torch_only_chains_it() -> None:
    error = RuntimeError("DataLoader worker (pid(s) 12) exited unexpectedly")
    error.__cause__ = RuntimeError(TORCHS)
    with pytest.raises(ValueError, match=r"failed: .*is killed by signal: Killed"):
        die(of=error)


def test_any_other_error_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match=r"^a mistake of ours$"):
        die(of=RuntimeError("a mistake of ours"))


def test_the_settings_are_those_that_start_workers(
    settings_of: Callable[..., Settings], make_ssl_door: Any
) -> None:
    both = settings_of("mt_speech_speaker", "speaker.dataloader.num_workers=3")
    assert workers_of(both) == {
        "speech.dataloader.num_workers=": 5,
        "speaker.dataloader.num_workers=": 3,
    }
    alone = settings_of("mt_speech_speaker", "speech.dataloader.num_workers=0")
    assert workers_of(alone) == {"speaker.dataloader.num_workers=": 5}


# Workers are forked from a test's process, and with them what it has put in place of a method.
def kill_worker(monkeypatch: pytest.MonkeyPatch, stream: type, *, at: int) -> None:
    """Kill the worker process, and no other, that makes batch number `at` of a stream."""
    main, original = os.getpid(), stream.__getitem__  # type: ignore[attr-defined]

    def make(self: Any, number: int) -> Any:
        if number == at and os.getpid() != main:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(self, number)

    monkeypatch.setattr(stream, "__getitem__", make)


@pytest.mark.parametrize("stream", ["_TrainingStream", "_EvaluationStream"])
def test_a_worker_killed_in_training_or_validation_is_a_sentence(
    run_door, monkeypatch, stream: str
) -> None:
    one = "speech.dataloader.num_workers=1"
    with monkeypatch.context() as patch:
        kill_worker(patch, getattr(loader, stream), at=0)
        with pytest.raises(ValueError, match=r"failed: DataLoader worker \(pid") as said:
            run_door("speech", one, "eval_model=false")
    assert "with speech.dataloader.num_workers=0; a run resumes" in str(said.value)
    assert "a worker process" in (run_door.run_folder / "error.txt").read_text()
    run_door("speech", "eval_model=false", "speech.dataloader.num_workers=0")
    assert (run_door.run_folder / "training.json").exists()  # of the same run


def test_a_worker_killed_in_the_last_scoring_is_a_sentence(run_door, monkeypatch) -> None:
    run_door("speech", "eval_model=false")
    kill_worker(monkeypatch, loader._EvaluationStream, at=0)
    with pytest.raises(ValueError, match=r"failed: DataLoader worker \(pid"):
        run_door("speech", "speech.dataloader.num_workers=1")


def test_a_worker_of_a_command_that_is_killed_is_a_sentence(
    finished_run, tiny_corpus, tmp_path, monkeypatch
) -> None:
    run = shutil.copytree(finished_run, tmp_path / "run")
    kill_worker(monkeypatch, loader._EvaluationStream, at=0)
    monkeypatch.delenv("DUOVOX_DEBUG", raising=False)
    arguments = ["evaluate", str(run), "--data", str(tiny_corpus / "demo" / "test")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "error: a worker process of a data loader failed: DataLoader worker" in result.stderr
    assert "Give the same command with --workers 0" in result.stderr
    assert CliRunner().invoke(app, [*arguments, "--workers", "0"]).exit_code == 0


SCRIPT = """
import os, runpy, signal, sys
from duovox.data import loader

main, make = os.getpid(), loader._TrainingStream.__getitem__

def killed(self, number):
    if number == 3 and os.getpid() != main:
        os.kill(os.getpid(), signal.SIGKILL)
    return make(self, number)

loader._TrainingStream.__getitem__ = killed
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_the_script_shows_it_without_a_traceback(tiny_settings: list[str]) -> None:
    script = str(REPOSITORY / "run_speech.py")
    command = [sys.executable, "-c", SCRIPT, script, *tiny_settings, "eval_model=false"]
    settings = ["speech.dataloader.num_workers=2", "trainer.max_steps=8"]
    ran = subprocess.run([*command, *settings], capture_output=True, text=True, timeout=900)
    assert ran.returncode == 1
    assert "run_speech.py: a worker process of a data loader failed: DataLoader" in ran.stderr
    assert "with speech.dataloader.num_workers=1; a run resumes" in ran.stderr
    assert "Traceback" not in ran.stderr
