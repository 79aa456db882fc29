"""The script for LibriSpeech prepares each archive once, and verifies all that came of it."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

SCRIPT = Path("scripts/data/librispeech/produce_librispeech_shards.sh")
REPOSITORY = Path(__file__).resolve().parents[1]

# Writes down what it is asked, and makes what `prepare` would make.
RECORDER = """#!/bin/sh
echo "$*" >> "$(dirname "$0")/calls.txt"
[ "$1" = prepare ] || exit 0
case $3 in
*finetuning*) sets="librilight-10m librilight-50m librilight-9h" ;;
*) set=$(basename "$3" .tar.gz); sets="$set $set-val" ;;
esac
for set in $sets; do mkdir -p "$5/$set" && touch "$5/$set/dataset.json"; done
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the script, three archives, and a duovox that only records."""
    shutil.copytree(REPOSITORY / "scripts", tmp_path / "scripts")
    program = tmp_path / ".venv" / "bin" / "duovox"
    program.parent.mkdir(parents=True)
    program.write_text(RECORDER)
    program.chmod(0o755)
    archives = tmp_path / "data" / "librispeech_archives"
    archives.mkdir(parents=True)
    (archives / "train-clean-100.tar.gz").touch()
    (archives / "librispeech_finetuning.tgz").touch()
    with tarfile.open(archives / "dev-clean.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("LibriSpeech/SPEAKERS.TXT")
        member.size = 7
        tar.addfile(member, io.BytesIO(b"the one"))
    return tmp_path


def run(project: Path, *arguments: str, **variables: str) -> tuple[int, list[str]]:
    """Return the exit code, and what the script asked of duovox."""
    done = subprocess.run(
        [project / SCRIPT, *arguments],
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        check=False,
    )
    calls = project / ".venv" / "bin" / "calls.txt"
    return done.returncode, calls.read_text().splitlines() if calls.exists() else []


def test_every_archive_is_prepared_once_and_verified(project: Path) -> None:
    code, calls = run(project)
    archives, shards = "data/librispeech_archives", "data/librispeech_shards"
    settings = "--format flac --workers 0"
    assert code == 0
    assert calls == [
        f"prepare librispeech {archives}/dev-clean.tar.gz --out {shards} {settings}",
        f"shards verify {shards}/dev-clean --workers 0",
        f"prepare librispeech {archives}/train-clean-100.tar.gz --out {shards} {settings}",
        f"shards verify {shards}/train-clean-100 --workers 0",
        f"shards verify {shards}/train-clean-100-val --workers 0",
        f"prepare librispeech {archives}/librispeech_finetuning.tgz --out {shards} {settings}"
        f" --metadata {archives}",
        *(f"shards verify {shards}/librilight-{part} --workers 0" for part in ("10m", "50m", "9h")),
    ]
    assert (project / archives / "SPEAKERS.TXT").read_bytes() == b"the one"
    _, again = run(project)
    assert {call.split()[0] for call in again[len(calls) :]} == {"shards"}


def test_names_format_and_workers_are_handed_on(project: Path) -> None:
    code, calls = run(project, "train-clean-100", FORMAT="wav", WORKERS="2", DATA_FOLDER="x")
    assert code == 0
    assert calls[0] == (
        "prepare librispeech x/librispeech_archives/train-clean-100.tar.gz"
        " --out x/librispeech_shards --format wav --workers 2"
    )


def test_without_archives_it_says_where_they_come_from(project: Path) -> None:
    assert run(project, DATA_FOLDER="empty") == (1, [])
