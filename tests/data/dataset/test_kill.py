"""A preparation that is killed again and again ends with the bytes of an undisturbed one."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest


def of_a_manifest(speech_data: Path, folder: Path) -> list[str]:
    source = speech_data / "commands"
    return ["manifest", str(source / "train.csv"), "--data-root", str(source), "--name", "train"]


def of_an_archive(speech_data: Path, folder: Path) -> list[str]:
    archive = folder / "train-clean-100.tar.gz"
    if not archive.exists():
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            for name in ("SPEAKERS.TXT", "CHAPTERS.TXT", "train-clean-100"):
                tar.add(speech_data / "librispeech" / "LibriSpeech" / name, f"LibriSpeech/{name}")
    return ["librispeech", str(archive)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preparation", "num_workers"),
    [(of_a_manifest, "0"), (of_a_manifest, "2"), (of_an_archive, "1")],
)
def test_ten_kills_at_random_points_change_nothing(
    preparation: Callable[[Path, Path], list[str]],
    num_workers: str,
    kill_often: Callable[..., set[Path]],
    speech_data: Path,
    tmp_path: Path,
):
    options = ["--utterances-per-shard", "5", "--workers", num_workers]
    finished = kill_often([*preparation(speech_data, tmp_path), *options], tmp_path)
    assert not finished  # the sets of an archive are declared finished together
