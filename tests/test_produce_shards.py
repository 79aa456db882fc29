"""The script for the two real corpora asks for the right things, once, and checks what it made."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path("scripts/data/digits_commands/produce_shards.sh")
REPOSITORY = Path(__file__).resolve().parents[1]

# Writes down what it is asked, and makes what `prepare` would make.
RECORDER = """#!/bin/sh
echo "$*" >> "$(dirname "$0")/calls.txt"
if [ "$1" = prepare ]; then mkdir -p "$5" && touch "$5/dataset.json"; fi
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the script, and a duovox that only records."""
    shutil.copytree(REPOSITORY / "scripts", tmp_path / "project" / "scripts")
    program = tmp_path / "project" / ".venv" / "bin" / "duovox"
    program.parent.mkdir(parents=True)
    program.write_text(RECORDER)
    program.chmod(0o755)
    return tmp_path / "project"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with the files that the script looks for."""
    for name in ("digits/train.csv", "commands/train.csv"):
        (tmp_path / "source" / name).parent.mkdir(parents=True)
        (tmp_path / "source" / name).touch()
    for split in ("valid", "test"):
        (tmp_path / "source" / "commands" / f"trials_{split}.txt").write_text(split)
    return tmp_path / "source"


def run(project: Path, *arguments: str | Path, **variables: str) -> tuple[int, list[str]]:
    """Return the exit code, and what the script asked of duovox."""
    done = subprocess.run(
        [project / SCRIPT, *arguments],
        cwd=project.parent,
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        check=False,
    )
    calls = project / ".venv" / "bin" / "calls.txt"
    return done.returncode, calls.read_text().splitlines() if calls.exists() else []


def test_all_splits_are_prepared_and_verified_and_the_trials_lie_beside(project, source):
    code, calls = run(project, source, "target")
    target = project.parent / "target"
    assert code == 0
    for corpus in ("digits", "commands"):
        for split in ("train", "valid", "test"):
            csv, out = source / corpus / f"{split}.csv", target / corpus / split
            prepared = calls.index(f"prepare manifest {csv} --out {out} --name {split}")
            assert calls[prepared + 1] == f"shards verify {out}"
    for split in ("valid", "test"):
        assert (target / "commands" / f"trials_{split}.txt").read_text() == split
    assert sum(call.startswith("trials check") for call in calls) == 2
    assert len(calls) == 14


def test_what_is_finished_is_only_verified(project, source):
    run(project, source, "target")
    calls = run(project, source, "target")[1][14:]
    assert {call.split()[0] for call in calls} == {"shards", "trials"}


@pytest.mark.parametrize(
    ("dotenv", "variables", "expected"),
    [
        (None, {}, "data/shards"),
        ("# x\nDATA_FOLDER='corpora'\n", {}, "corpora/shards"),
        ("DATA_FOLDER=corpora\n", {"DATA_FOLDER": "elsewhere"}, "elsewhere/shards"),
    ],
)
def test_the_data_folder_decides_where_shards_go(dotenv, variables, expected, project, source):
    if dotenv:
        (project / ".env").write_text(dotenv)
    assert run(project, source, **variables)[0] == 0
    assert (project / expected / "digits" / "train" / "dataset.json").is_file()


def test_a_wrong_call_makes_nothing(project, source):
    assert run(project) == (2, [])
    assert run(project, source.parent) == (1, [])
