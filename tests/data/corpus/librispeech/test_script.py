"""The script for LibriSpeech, run as a user would, on archives packed from real speech."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
import webdataset

from duovox.data.dataset.index import Index

REPOSITORY = Path(__file__).resolve().parents[4]
SCRIPT = REPOSITORY / "scripts/data/librispeech/produce_librispeech_shards.sh"
DUOVOX = REPOSITORY / ".venv/bin/duovox"
PLACES = ("1h/0/clean", "1h/4/other", "9h/clean")  # of Libri-light's sets


@pytest.fixture
def data_folder(speech_data: Path, tmp_path: Path) -> Path:
    """Return a folder with five archives, as the download script leaves them."""
    root = speech_data / "librispeech" / "LibriSpeech"
    archives = tmp_path / "librispeech_archives"
    archives.mkdir()
    for subset in ("train-clean-100", "dev-clean", "test-clean", "test-other"):
        with tarfile.open(archives / f"{subset}.tar.gz", "w:gz", compresslevel=1) as tar:
            for name in ("README.TXT", "SPEAKERS.TXT", "CHAPTERS.TXT", subset):
                tar.add(root / name, f"LibriSpeech/{name}")
    speakers = sorted((root / "train-clean-100").iterdir())[:6]
    with tarfile.open(archives / "librispeech_finetuning.tgz", "w:gz", compresslevel=1) as tar:
        for number, speaker in enumerate(speakers):
            place = PLACES[number % 3]
            tar.add(speaker, f"librispeech_finetuning/{place}/{speaker.name}")
    return tmp_path


def run(*command: object, data_folder: Path) -> subprocess.CompletedProcess[str]:
    variables = os.environ | {"DATA_FOLDER": str(data_folder), "COLUMNS": "200"}
    return subprocess.run(
        [str(word) for word in command],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


def check_samples(shards: Path, root: Path) -> None:
    """Compare what plain webdataset reads with every official file."""
    speakers = [line.split("|") for line in (root / "SPEAKERS.TXT").read_text().splitlines()]
    genders = {row[0].strip(): row[1].strip().lower() for row in speakers if row[0][0] != ";"}
    official = {path.relative_to(root).as_posix(): path for path in root.rglob("*.flac")}
    paths = [str(path) for path in shards.glob("*/*.tar") if "librilight" not in path.name]
    for sample in webdataset.WebDataset(paths, shardshuffle=False):
        record = json.loads(sample["json"])
        path = official.pop(record["source"])
        speaker, chapter, number = path.stem.split("-")
        (transcripts,) = path.parent.glob("*.trans.txt")
        assert sample["__key__"] == f"{speaker}/{chapter}/{number}"
        assert sample["flac"] == path.read_bytes()
        assert f"{path.stem} {record['transcript']}" in transcripts.read_text().splitlines()
        assert (record["speaker_id"], record["session_id"]) == (speaker, chapter)
        assert record["gender"] == genders[speaker]
    assert official == {}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # webdataset leaves its files open
def test_the_script_makes_verifies_and_compares_all_sets(data_folder: Path, speech_data: Path):
    done = run(SCRIPT, data_folder=data_folder)
    assert done.returncode == 0, done.stdout + done.stderr
    shards = data_folder / "librispeech_shards"
    for said in (
        f"{shards}/test-clean: 160 utterances, 0.19 hours, 40 speakers, 1 shards, 28 characters",
        "test-clean has 160 utterances, 2460 fewer than the official 2620",
        "test-clean has 1743 words, 50833 fewer than the official 52576",
        "test-clean has 0.19 hours, the official count is 5.40",
        "train-clean-100 has 320 utterances, 28219 fewer than the official 28539",
        "librilight-1h has ",
        "librilight-10h has 6 utterances",
        f"{shards}/train-clean-100-val: 16 utterances in 1 shards, no fault",
    ):
        assert said in done.stdout
    sets = {path.parent.name for path in shards.glob("*/dataset.json")}
    assert done.stdout.count("no fault") == len(sets) == 8
    check_samples(shards, speech_data / "librispeech" / "LibriSpeech")
    light = Index.load([shards / f"librilight-{part}" for part in ("10m", "50m", "9h")])
    assert "" not in light.gender  # the table came from another archive

    stats = run(DUOVOX, "shards", "stats", shards / "train-clean-100", data_folder=data_folder)
    assert stats.returncode == 0
    assert "train-clean-100 has 320 utterances, 28219 fewer" in stats.stdout  # -val is a part of it

    before = {path: path.stat().st_mtime_ns for path in shards.rglob("*.tar")}
    again = run(SCRIPT, data_folder=data_folder)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "preparing" not in again.stderr
    assert again.stdout.count("no fault") == 8
    assert before == {path: path.stat().st_mtime_ns for path in shards.rglob("*.tar")}


@pytest.mark.slow
def test_the_script_ends_with_an_error_at_a_cut_archive_and_goes_on_later(data_folder: Path):
    archive = data_folder / "librispeech_archives" / "train-clean-100.tar.gz"
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    done = run(SCRIPT, "train-clean-100", data_folder=data_folder)
    assert done.returncode == 1
    assert "train-clean-100.tar.gz is cut short" in " ".join((done.stdout + done.stderr).split())
    archive.write_bytes(whole)
    done = run(SCRIPT, "train-clean-100", data_folder=data_folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("no fault") == 2
    shard = data_folder / "librispeech_shards/train-clean-100/train-clean-100-000000.tar"
    shard.write_bytes(shard.read_bytes()[:-5000])
    done = run(SCRIPT, "train-clean-100", data_folder=data_folder)
    assert done.returncode == 1
    assert "train-clean-100-000000.tar: wrong size" in done.stdout
