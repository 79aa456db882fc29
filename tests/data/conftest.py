"""Small data sets of synthetic waves, and the means to damage them."""

from __future__ import annotations

import io
import json
import random
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from duovox.data.dataset.index import Index
from duovox.data.dataset.indexing import index_shards
from duovox.data.dataset.verify import verify_dataset


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One utterance of a shard that a test writes."""

    key: str
    wave: np.ndarray  # (S,) or (S, C)
    transcript: str = "ZERO"
    sample_rate: int = 16_000
    audio_format: str = "flac"
    subtype: str = "PCM_16"


def draw_wave(num_samples: int, seed: int = 0) -> np.ndarray:
    """Return a tone in noise; no two stretches are alike."""
    tone = 0.3 * np.sin(np.arange(num_samples) * (0.01 + 0.001 * seed))
    noise = np.random.default_rng(seed).standard_normal(num_samples)
    return (tone + 0.05 * noise).astype(np.float32)


@pytest.fixture(scope="session")
def entry() -> Callable[..., Entry]:
    """Return a function that makes an utterance, half a second of tone in noise by default."""

    def make(key: str, wave: np.ndarray | None = None, **fields: Any) -> Entry:
        return Entry(key=key, wave=draw_wave(8000) if wave is None else wave, **fields)

    return make


@pytest.fixture(scope="session")
def write_shards() -> Callable[..., Index]:
    """Return a function that writes utterances into the tar files of a folder and indexes them."""

    def write(folder: Path, utterances: Sequence[Entry], *, per_shard: int = 8) -> Index:
        folder.mkdir(parents=True, exist_ok=True)
        for start in range(0, len(utterances), per_shard):
            with tarfile.open(folder / f"shard-{start // per_shard:06d}.tar", "w") as tar:
                for entry in utterances[start : start + per_shard]:
                    _add(tar, entry)
        index_shards(folder)
        return Index.load([folder])

    return write


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory, write_shards: Callable[..., Index]) -> Index:
    """Return the index of 40 good utterances, 0.5 to 1.25 s long, by four speakers, in five shards.

    Damage copies, not this one.
    """
    lengths = np.random.default_rng(11).integers(8000, 20_000, 40).tolist()
    utterances = [
        Entry(key=f"speaker{n % 4}/session{n % 3}/{n:04d}", wave=draw_wave(length, seed=n))
        for n, length in enumerate(lengths)
    ]
    return write_shards(tmp_path_factory.mktemp("dataset"), utterances)


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    audio = io.BytesIO()
    soundfile.write(
        audio,
        entry.wave,
        entry.sample_rate,
        format=entry.audio_format.upper(),
        subtype=entry.subtype,
    )
    fields = {"speaker_id": entry.key.split("/")[0].strip("_"), "transcript": entry.transcript}
    members = {
        entry.audio_format: audio.getvalue(),
        "json": json.dumps(fields, ensure_ascii=False).encode(),
    }
    for suffix, content in members.items():
        member = tarfile.TarInfo(f"{entry.key}.{suffix}")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))


Members = Sequence[tuple[str, bytes]]


@pytest.fixture(scope="session")
def write_tar() -> Callable[[Path, Members], Path]:
    """Return a function that writes named contents into a tar file, as they are."""

    def write(path: Path, members: Members) -> Path:
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            for name, content in members:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return path

    return write


@pytest.fixture(scope="session")
def wav_bytes() -> Callable[..., bytes]:
    """Return a function that makes a WAV file of 0.1 s of noise, or of a given wave."""

    def make(wave: np.ndarray | int = 0, *, sample_rate: int = 16_000, **kwargs: str) -> bytes:
        if isinstance(wave, int):
            wave = np.random.default_rng(wave).uniform(-0.5, 0.5, 1600)
        buffer = io.BytesIO()
        soundfile.write(buffer, wave, sample_rate, format="WAV", **kwargs)
        return buffer.getvalue()

    return make


NUM_KILLS = 10
PREPARE = [sys.executable, "-c", "from duovox.cli import main; main()", "prepare"]


@pytest.fixture
def kill_often() -> Callable[[Sequence[str], Path], set[Path]]:
    """Return a function that kills a preparation ten times, and compares what it ends with.

    The function takes the words behind `duovox prepare` and a folder to work in; it returns the
    data sets that were finished when the last kill came.
    """

    def check(words: Sequence[str], folder: Path) -> set[Path]:
        undisturbed, out = folder / "undisturbed", folder / "killed"
        command = [*PREPARE, *words, "--out"]
        subprocess.run([*command, str(undisturbed)], capture_output=True, check=True)
        _kill([*command, str(out)], out)
        assert 0 < len(files_of(out, "*.tar")) < len(files_of(undisturbed, "*.tar"))
        finished = {path.parent for path in files_of(out, "dataset.json")}
        before = {path: (out / path).stat().st_mtime_ns for path in files_of(out, "*.tar")}
        done = subprocess.run([*command, str(out)], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        rewritten = [path for path, ns in before.items() if (out / path).stat().st_mtime_ns != ns]
        assert len(rewritten) <= 2  # one of each data set was whole, but not noted yet
        assert not finished & {path.parent for path in rewritten}
        _check_equal(out, undisturbed)
        return finished

    return check


def _kill(command: list[str], out: Path) -> None:
    """Start a run ten times, and kill each one a moment after it began to write a file."""
    generator = random.Random(5)
    for _ in range(NUM_KILLS):
        num_more = generator.randint(0, 2)
        run = _start(command, out, len(files_of(out, "*.tar")) + num_more)
        time.sleep(generator.uniform(0, 0.02))
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL, "the run ended before it was killed"


def _start(command: list[str], out: Path, num_shards: int) -> subprocess.Popen[bytes]:
    """Start a run and wait until it writes, and there are so many shards."""
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    mine = f".*.{run.pid}.tmp"
    while run.poll() is None and len(files_of(out, "*.tar")) < num_shards:
        time.sleep(0.001)
    while run.poll() is None and not files_of(out, mine):
        time.sleep(0.001)
    return run


def _check_equal(out: Path, undisturbed: Path) -> None:
    assert files_of(out) == files_of(undisturbed)
    for path in files_of(out):
        if path.name != "dataset.json":  # which holds the command line
            assert (out / path).read_bytes() == (undisturbed / path).read_bytes(), path
    for path in files_of(out, "dataset.json"):
        keys = [*Index.load([out / path.parent]).key]
        assert len(keys) == len({*keys})
        assert verify_dataset(out / path.parent)[1] == []


def files_of(folder: Path, pattern: str = "*") -> set[Path]:
    """Return the files below a folder, relative to it."""
    return {path.relative_to(folder) for path in folder.rglob(pattern) if path.is_file()}
