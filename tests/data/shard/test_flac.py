"""Audio inside a zip archive reaches a shard as if it lay beside it."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from duovox.audio.decode import probe
from duovox.audio.error import AudioError
from duovox.data.fault import Fault
from duovox.data.shard.flac import flac_bytes
from duovox.data.shard.write import load_utterance
from duovox.data.utterance import Utterance


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """Return a folder with a FLAC file and a WAV file at another rate."""
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, 4000)
    soundfile.write(tmp_path / "a.flac", wave, 16_000)
    soundfile.write(tmp_path / "b.wav", wave, 8_000)
    (tmp_path / "c.wav").write_text("text in place of audio")
    return tmp_path


@pytest.fixture
def archive(audio: Path) -> Path:
    with zipfile.ZipFile(audio / "all.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(audio.glob("?.*")):
            file.write(path, f"wav/{path.name}")
    return audio / "all.zip"


def inside(archive: Path, name: str, **fields: float) -> Utterance:
    return Utterance(key="s/v/u", path=archive, member=f"wav/{name}", **fields)  # type: ignore[arg-type]


def test_flac_in_an_archive_keeps_its_bytes(audio: Path, archive: Path):
    assert flac_bytes(inside(archive, "a.flac")) == ((audio / "a.flac").read_bytes(), 4000)


def test_flac_without_a_length_in_its_header_gets_one(audio: Path):
    content = bytearray((audio / "a.flac").read_bytes())
    content[21:26] = bytes([content[21] & 0xF0, 0, 0, 0, 0])
    (audio / "piped.flac").write_bytes(content)
    written, num_samples = flac_bytes(Utterance(key="s/v/u", path=audio / "piped.flac"))
    assert num_samples == probe(written).num_samples == 4000


def test_a_stretch_of_a_wav_in_an_archive_is_cut(audio: Path, archive: Path):
    fields = {"start_seconds": 0.1, "stop_seconds": 0.3, "duration": 0.2}
    outside = Utterance(key="s/v/u", path=audio / "b.wav", **fields)
    assert flac_bytes(inside(archive, "b.wav", **fields)) == flac_bytes(outside)


def test_a_complaint_names_the_archive_and_the_member(archive: Path):
    with pytest.raises(AudioError, match=r"all\.zip/wav/c\.wav"):
        flac_bytes(inside(archive, "c.wav"))
    fault = load_utterance(inside(archive, "c.wav"))
    assert isinstance(fault, Fault)
    assert (fault.where, fault.cause) == (f"{archive}/wav/c.wav", "undecodable")


def test_a_cut_archive_is_a_fault_and_not_the_end(archive: Path):
    os.truncate(archive, archive.stat().st_size - 30)
    fault = load_utterance(inside(archive, "a.flac"))
    assert isinstance(fault, Fault)
    assert fault.cause == "damaged archive"
    assert "cut short" in fault.detail
