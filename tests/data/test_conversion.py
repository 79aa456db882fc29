"""Compressed files become WAV files beside them: once, whole, and the bad ones are listed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from duovox.audio.ffmpeg import program
from duovox.data.conversion import convert_all, find_compressed

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "voxceleb2_convert_to_wav.py"


@pytest.fixture(scope="module")
def m4a(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a second of a tone at 44.1 kHz, stereo, as AAC."""
    folder = tmp_path_factory.mktemp("m4a")
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100)
    soundfile.write(folder / "a.wav", np.stack([wave, wave], axis=1), 44_100)
    command = [program(), "-loglevel", "error", "-i", folder / "a.wav", folder / "a.m4a"]
    subprocess.run(command, check=True)
    return (folder / "a.m4a").read_bytes()


@pytest.fixture
def folder(m4a: bytes, tmp_path: Path) -> Path:
    """Return a folder as VoxCeleb2 is extracted, with an odd name and two bad files."""
    contents = {"00001": m4a, "a b';$(touch x)": m4a, "text": b"no audio", "cut": m4a[:4000]}
    for name, content in contents.items():
        path = tmp_path / "dev" / "aac" / "id00012" / "-v" / f"{name}.m4a"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path


def test_the_script_converts_lists_what_failed_and_goes_on(folder: Path):
    command = [sys.executable, SCRIPT, folder, "--num_workers", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "2 converted, 0 were there already" in done.stdout) == (1, True)
    lines = (folder / "failures.jsonl").read_text().splitlines()
    names = {Path(json.loads(line)["where"]).name for line in lines}
    assert names == {"text.m4a", "cut.m4a"}
    made = sorted(folder.rglob("*.wav"))
    assert [path.name for path in made] == ["00001.wav", "a b';$(touch x).wav"]
    for path in made:
        wave, rate = soundfile.read(path)
        assert (rate, wave.ndim) == (16_000, 1)
        assert abs(len(wave) - 16_000) < 2_000  # AAC pads both ends
        assert abs(np.abs(wave[4000:12_000]).max() - 0.5) < 0.02
    assert not list(folder.rglob(".*.tmp"))


def test_what_is_whole_is_left_and_what_is_not_is_made_again(folder: Path):
    files = [path for path in find_compressed(folder) if path.stem not in {"text", "cut"}]
    first = convert_all(files, num_workers=1)
    assert (first.num_converted, first.num_present, first.faults) == (2, 0, ())
    wavs = sorted(folder.rglob("*.wav"))
    content = wavs[0].read_bytes()
    wavs[0].write_bytes(content[:1000])
    kept = wavs[1].stat().st_mtime_ns
    second = convert_all(files, num_workers=2)
    assert (second.num_converted, second.num_present) == (1, 1)
    assert (wavs[0].read_bytes(), wavs[1].stat().st_mtime_ns) == (content, kept)


def test_a_folder_without_such_files_is_refused(tmp_path: Path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ValueError, match=r"holds no \.m4a|no folder"):
            find_compressed(folder)
    with pytest.raises(ValueError, match="num_workers"):
        convert_all([], num_workers=0)
