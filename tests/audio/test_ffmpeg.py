"""ffmpeg decodes the rest, without a shell, and its complaint reaches the user."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from duovox.audio.error import AudioError
from duovox.audio.ffmpeg import decode_any, program


def test_aac_decodes_at_its_own_rate_and_channels(m4a: Path, sine):
    wave, rate = decode_any(m4a)
    assert rate == 44_100
    assert wave.shape[1] == 2
    assert abs(len(wave) - 44_100) < 5000  # AAC pads both ends
    assert abs(np.abs(wave[10_000:30_000]).max() - 0.5) < 0.05


def test_the_complaint_of_ffmpeg_is_in_the_error(tmp_path: Path):
    path = tmp_path / "a.m4a"
    path.write_text("no audio at all")
    with pytest.raises(AudioError, match="Invalid data found") as caught:
        decode_any(path)
    assert caught.value.cause == "undecodable"


def test_a_file_that_was_cut_off_is_refused_though_its_beginning_decodes(m4a: Path, tmp_path: Path):
    streamed = tmp_path / "streamed.m4a"  # with its table of contents in front
    command = [program(), "-nostdin", "-loglevel", "error", "-i", str(m4a), "-c", "copy"]
    subprocess.run([*command, "-movflags", "+faststart", str(streamed)], check=True)
    assert len(decode_any(streamed)[0]) > 40_000
    content = streamed.read_bytes()
    streamed.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(AudioError, match="ends before") as caught:
        decode_any(streamed)
    assert caught.value.cause == "cut short"


@pytest.mark.parametrize(
    "name", ["-i.m4a", "$(touch hacked).m4a", "a; touch hacked;.m4a", "a b'.m4a"]
)
def test_a_file_name_is_never_a_command(name, m4a: Path):
    odd = m4a.rename(m4a.with_name(name))
    assert decode_any(odd)[1] == 44_100
    assert not (m4a.parent / "hacked").exists()
