"""Variables from .env, and what a run records of its surroundings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import torch

from duovox.run.environment import is_main_process, load_environment, write_environment


def test_variables_come_from_the_file_but_those_already_set_stay(tmp_path, monkeypatch) -> None:
    (tmp_path / ".env").write_text('DATA_FOLDER="/data with space"\nUSE_WANDB=true\n# NO=1\n')
    for name in ("DATA_FOLDER", "USE_WANDB"):
        monkeypatch.setenv(name, "set before")
    monkeypatch.delenv("DATA_FOLDER")
    load_environment(tmp_path)
    assert os.environ["DATA_FOLDER"] == "/data with space"
    assert os.environ["USE_WANDB"] == "set before"


def test_no_file_is_fine(tmp_path: Path) -> None:
    load_environment(tmp_path)


@pytest.mark.parametrize("name", ["LOCAL_RANK", "RANK", "SLURM_PROCID"])
def test_the_first_of_several_processes_writes_the_files(name, monkeypatch) -> None:
    for other in ("LOCAL_RANK", "RANK", "SLURM_PROCID"):
        monkeypatch.delenv(other, raising=False)
    assert is_main_process()
    monkeypatch.setenv(name, "0")
    assert is_main_process()
    monkeypatch.setenv(name, "1")
    assert not is_main_process()


def test_the_record_says_what_a_reader_needs_to_repeat_the_run(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["run_speech.py", "seed=1"])
    path = tmp_path / "environment.json"
    write_environment(path)
    record = json.loads(path.read_text())
    assert record["command"] == ["run_speech.py", "seed=1"]
    assert record["packages"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert record["cpu_threads"] == torch.get_num_threads()
    assert datetime.fromisoformat(record["started"]).utcoffset() is not None
    head = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
    )
    assert record["git_commit"] == (head.stdout.strip() or None)


def test_outside_a_checkout_there_is_no_commit(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no git
    write_environment(tmp_path / "environment.json")
    assert json.loads((tmp_path / "environment.json").read_text())["git_commit"] is None
