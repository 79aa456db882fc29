"""VoxCeleb in its real layout: real ids, tables and lists, audio from other real recordings."""

from __future__ import annotations

import itertools
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile

from duovox.audio.ffmpeg import program
from duovox.data.corpus.voxceleb.person import Person, read_people
from duovox.data.trial.list import TrialList, read_trials

SPEAKERS = ("id00012", "id00015", "id00022", "id00024")  # two men, two women, all dev
VIDEOS = ("-x_Rkg1bMQo", "0bJ3MkHsGtA", "Zz_9", "dQw4w9WgXcQ")  # as YouTube may name them
Recordings = Callable[[str, int], list[bytes]]


@dataclass(frozen=True)
class Voxceleb:
    """Where the archives, the tables and a shortened list lie."""

    aac: Path  # folder: training in parts of a zip of m4a, the test in a zip of wav
    wav: Path  # the same, all of it as wav
    meta: Path
    trials: Path
    m4a: bytes  # one file

    @property
    def people(self) -> dict[str, Person]:
        return read_people(self.meta)

    @property
    def list(self) -> TrialList:
        return read_trials(self.trials)


@pytest.fixture(scope="session")
def meta(speech_data: Path) -> Path:
    """Return the folder with the real tables and lists."""
    folder = speech_data / "voxceleb_meta"
    if not (folder / "vox2_meta.csv").is_file():
        pytest.skip(f"no tables of VoxCeleb's speakers in {folder}")
    return folder


@pytest.fixture(scope="session")
def recordings(speech_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Recordings:
    """Return a function that encodes the first real recordings, as wav or m4a."""

    def encode(suffix: str, number: int) -> list[bytes]:
        folder = tmp_path_factory.mktemp(suffix)
        paths = sorted((speech_data / "librispeech").rglob("*.flac"))[:number]
        for path in paths:
            wave, rate = soundfile.read(path, stop=24_000, dtype="int16")
            wav = folder / f"{path.stem}.wav"
            soundfile.write(wav, wave, rate)
            if suffix == "m4a":
                made = [wav.with_suffix(".m4a")]
                command = [program(), "-loglevel", "error", "-i", wav, "-c:a", "aac", *made]
                subprocess.run(command, check=True)
        return [(folder / f"{path.stem}.{suffix}").read_bytes() for path in paths]

    return encode


@pytest.fixture(scope="session")
def voxceleb(
    meta: Path, recordings: Recordings, tmp_path_factory: pytest.TempPathFactory
) -> Voxceleb:
    """Return archives of four training speakers with four videos each, and of a short list."""
    folder = tmp_path_factory.mktemp("voxceleb")
    trials = folder / "short_list.txt"
    lines = (meta / "veri_test2.txt").read_text().splitlines()[:12]
    trials.write_text("\n".join(lines) + "\n")
    made = Voxceleb(folder / "aac", folder / "wav", meta, trials, recordings("m4a", 1)[0])
    wav = recordings("wav", 4)
    tested = sorted({f"wav/{name}" for line in lines for name in line.split()[1:]})
    for archives in (made.aac, made.wav):
        archives.mkdir()
        _pack(archives / "vox1_test_wav.zip", tested, wav)
    _pack(made.wav / "vox2_dev_wav.zip", _names("dev/wav", "wav"), wav)
    _pack(made.aac / "vox2_dev_aac.zip", _names("dev/aac", "m4a"), [made.m4a])
    _cut(made.aac / "vox2_dev_aac.zip", 3)
    return made


def _names(folder: str, suffix: str) -> Iterator[str]:
    for speaker, video in itertools.product(SPEAKERS, VIDEOS):
        yield f"{folder}/{speaker}/{video}/00001.{suffix}"


def _pack(path: Path, names: Iterator[str] | list[str], contents: list[bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in zip(names, itertools.cycle(contents), strict=False):
            file.writestr(name, content)


def _cut(path: Path, count: int) -> None:
    content = path.read_bytes()
    step = -(-len(content) // count)
    for number in range(count):
        part = path.with_name(f"{path.stem}_parta{chr(ord('a') + number)}")
        part.write_bytes(content[number * step : (number + 1) * step])
    path.unlink()
