"""One bad thing at a time among real speech: it is left out or mended, and nothing else suffers."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from duovox.audio.ffmpeg import program
from duovox.data.dataset.index import Index
from duovox.data.dataset.reader import ShardReader
from duovox.data.dataset.verify import verify_dataset
from duovox.data.dataset.write import ShardOptions, write_dataset
from duovox.data.utterance import Utterance, make_key

NAMES = ("good", "victim", "also good")


@pytest.fixture
def speech(speech_data: Path, tmp_path: Path) -> dict[str, Utterance]:
    """Return three digits of one speaker, copied to a folder of their own."""
    originals = sorted((speech_data / "digits" / "audio" / "theo").glob("*.flac"))
    spoken = {}
    for name, original in zip(NAMES, originals, strict=False):
        path = tmp_path / f"{name}.flac"
        path.write_bytes(original.read_bytes())
        spoken[name] = Utterance(key=make_key("theo", "", name), path=path)
    return spoken


def prepare(spoken: dict[str, Utterance], out: Path) -> tuple[Index, dict[str, str]]:
    """Write a data set; return its index, and the causes of what was left out by key."""
    options = ShardOptions(order="given", max_bad_share=0.5)
    _, faults = write_dataset([*spoken.values()], out, name="digits", options=options)
    assert verify_dataset(out)[1] == []
    return Index.load([out]), {fault.key: fault.cause for fault in faults}


def encode(source: Path, target: Path, *options: str) -> bytes:
    command = [program(), "-nostdin", "-loglevel", "error", "-i", str(source), *options]
    subprocess.run([*command, str(target)], check=True)
    return target.read_bytes()


def cut_m4a(path: Path) -> None:
    """Cut an m4a file off before its table of contents, which lies at the end."""
    content = encode(path, path.with_suffix(".m4a"), "-c:a", "aac")
    path.write_bytes(content[: len(content) // 2])


SPOIL: dict[str, Callable[[Path], object]] = {
    "an m4a that was cut off": cut_m4a,
    "no bytes": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("THIS IS A TRANSCRIPT\n" * 50),
    "a web page": lambda path: path.write_text("<!DOCTYPE html><html><body>404</body></html>"),
    "zeros": lambda path: path.write_bytes(bytes(20_000)),
    "half a FLAC": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "a header alone": lambda path: path.write_bytes(path.read_bytes()[:42]),
    "no file": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("fault", SPOIL)
def test_bad_audio_is_left_out_alone(fault: str, speech: dict[str, Utterance], tmp_path: Path):
    SPOIL[fault](speech["victim"].path)
    index, causes = prepare(speech, tmp_path / "out")
    assert list(causes) == [speech["victim"].key]
    assert [*index.key] == [speech[name].key for name in NAMES if name != "victim"]
    reader = ShardReader(index)
    for row, name in enumerate(("good", "also good")):
        assert reader.read(row) == speech[name].path.read_bytes()
    reader.close()


@pytest.mark.parametrize("rate", [8000, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
def test_another_rate_or_two_channels_are_mended(
    rate: int, channels: int, speech: dict[str, Utterance], tmp_path: Path
):
    path = speech["victim"].path
    seconds = soundfile.info(path).duration
    other = tmp_path / "other.wav"
    encode(path, other, "-ar", str(rate), "-ac", str(channels))
    path.write_bytes(other.read_bytes())
    index, causes = prepare(speech, tmp_path / "out")
    assert causes == {}
    assert index.num_samples[1] / 16_000 == pytest.approx(seconds, abs=0.01)
    assert set(index.sample_rate.tolist()) == {16_000}


@pytest.mark.parametrize(
    "name",
    ["a b.m4a", 'it\'s "q".m4a', "$(touch owned).m4a", "; touch owned;.m4a", "-i x.m4a", "%d.m4a"],
)
def test_no_file_name_reaches_a_shell(name: str, speech: dict[str, Utterance], tmp_path: Path):
    target = tmp_path / "names" / name
    target.parent.mkdir()
    source = tmp_path / "plain.m4a"
    encode(speech["victim"].path, source, "-c:a", "aac")
    source.rename(target)
    utterance = Utterance(key=make_key("theo", "", name), path=target)
    index, causes = prepare({"odd": utterance}, tmp_path / "out")
    assert (causes, len(index)) == ({}, 1)
    assert not [*tmp_path.rglob("owned"), *Path.cwd().glob("owned")]


LIMITED = "from duovox.cli import main; main()"


@pytest.mark.slow
def test_a_disk_that_fills_up_loses_nothing(speech_data: Path, tmp_path: Path):
    source, out = speech_data / "digits", tmp_path / "out"
    command = [sys.executable, "-c", LIMITED, "prepare", "manifest", str(source / "valid.csv")]
    command += ["--data-root", str(source), "--order", "length", "--utterances-per-shard", "50"]

    def limit() -> None:
        """Let no file grow over 400 kB: the shards of the longest digits are larger."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))

    full = subprocess.run(
        [*command, "--out", out], preexec_fn=limit, capture_output=True, text=True, check=False
    )
    assert full.returncode == 1, full.stdout + full.stderr
    assert "no space left while writing" in full.stderr
    kept = {path: path.stat().st_mtime_ns for path in out.glob("*.tar")}
    assert 0 < len(kept) < 6
    assert not [*out.glob(".*.tmp")]
    assert not (out / "dataset.json").exists()
    subprocess.run([*command, "--out", out], capture_output=True, check=True)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert verify_dataset(out)[1] == []
    assert len(Index.load([out])) == 300
