"""The script for VoxCeleb, run as a user would, on archives in the official layout."""

from __future__ import annotations

import io
import itertools
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
import soundfile

REPOSITORY = Path(__file__).resolve().parents[4]
SCRIPT = REPOSITORY / "scripts/data/voxceleb/produce_vox2_train_val_test3.sh"
STATS = [str(REPOSITORY / ".venv/bin/duovox"), "shards", "stats"]
LENGTHS = {"list_test_all2": 579_818, "list_test_hard2": 550_894}  # trials of lists E and H
DEV_SPEAKERS = ("id10001", "id10002", "id10003")


@pytest.fixture
def data_folder(voxceleb, meta: Path, recordings, tmp_path: Path) -> Path:
    """Return a folder as the downloads leave it; lists E and H name a few files, over and over."""
    archives, lists = tmp_path / "voxceleb_archives", tmp_path / "voxceleb_meta"
    shutil.copytree(voxceleb.aac, archives)
    lists.mkdir()
    for name in ("vox1_meta.csv", "vox2_meta.csv", "veri_test2.txt"):
        shutil.copy(meta / name, lists)
    trials = (meta / "veri_test2.txt").read_text().splitlines()
    files = [f"{speaker}/v_{n}/00001.wav" for speaker in DEV_SPEAKERS for n in (1, 2)]
    for name, length in LENGTHS.items():
        (lists / f"{name}.txt").write_text("".join(itertools.islice(endless(files), length)))
    waves = [shortened(wave) for wave in recordings("wav", 20)]
    tested = sorted({name for line in trials for name in line.split()[1:]})
    pack(archives / "vox1_test_wav.zip", tested, waves)
    pack(archives / "vox1_dev_wav.zip", files, waves)
    return tmp_path


def endless(files: Iterable[str]) -> Iterable[str]:
    for one, other in itertools.cycle(itertools.permutations(files, 2)):
        yield f"{int(one[:7] == other[:7])} {one} {other}\n"


def shortened(wave: bytes) -> bytes:
    samples, rate = soundfile.read(io.BytesIO(wave), stop=6400, dtype="int16")
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV")
    return buffer.getvalue()


def pack(path: Path, names: Iterable[str], contents: list[bytes]) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in zip(names, itertools.cycle(contents), strict=False):
            file.writestr(f"wav/{name}", content)


def run(*command: object, data_folder: Path) -> subprocess.CompletedProcess[str]:
    variables = os.environ | {"DATA_FOLDER": str(data_folder), "WORKERS": "2"}
    return subprocess.run(
        [str(word) for word in command],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_script_makes_and_verifies_all_five_sets_and_finds_damage(data_folder: Path):
    done = run(SCRIPT, data_folder=data_folder)
    assert done.returncode == 0, done.stdout + done.stderr
    shards = data_folder / "voxceleb2_shards"
    for said in (
        "voxceleb2-dev has 16 utterances, 1091993 fewer than the official 1092009",
        "voxceleb1-test has 4708 utterances, 166 fewer than the official 4874",
        f"{shards}/test_o: veri_test2 (VoxCeleb1-O, cleaned), 37611 trials between 4708 utterances "
        "of 40 speakers; none of them is in training",
        f"{shards}/test_e: list_test_all2 (VoxCeleb1-E, cleaned), 579818 trials",
        f"{shards}/test_h: list_test_hard2 (VoxCeleb1-H, cleaned), 550894 trials",
        "voxceleb1-e-cleaned has 6 utterances, 145154 fewer than the official 145160",
        f"{shards}/test_o: 4708 utterances in 5 shards, no fault",
    ):
        assert said in done.stdout
    assert done.stdout.count("no fault") == 5
    assert (shards / "val_trials.txt").is_file()
    stats = run(*STATS, shards / "test_o", "--official", "voxceleb1-o-cleaned", data_folder=shards)
    assert (stats.returncode, stats.stdout.count("the official count is 10.80")) == (0, 1)

    before = {path: path.stat().st_mtime_ns for path in shards.rglob("*.tar")}
    again = run(SCRIPT, data_folder=data_folder)
    assert again.returncode == 0, again.stdout + again.stderr
    assert before == {path: path.stat().st_mtime_ns for path in shards.rglob("*.tar")}

    shard = shards / "val/val-000000.tar"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    done = run(SCRIPT, data_folder=data_folder)
    assert done.returncode == 1
    assert "val-000000.tar: wrong checksum" in done.stdout
