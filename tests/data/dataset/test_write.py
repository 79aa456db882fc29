"""What is written into shards is what was given, byte for byte, and nothing is lost unseen."""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import webdataset

from duovox.audio.decode import read_wave
from duovox.data.dataset.index import Index
from duovox.data.dataset.reader import ShardReader
from duovox.data.dataset.verify import verify_dataset
from duovox.data.dataset.write import ShardOptions, write_dataset, written_before
from duovox.data.utterance import Utterance

OPTIONS = ShardOptions(utterances_per_shard=4, order="given")


def test_everything_said_about_an_utterance_is_in_the_index(utterances, tmp_path: Path):
    summary, faults = write_dataset(utterances, tmp_path / "out", name="train", options=OPTIONS)
    assert faults == []
    assert [shard.name for shard in summary.shards] == [f"train-00000{n}.tar" for n in range(3)]
    index = Index.load([tmp_path / "out"])
    for row, utterance in enumerate(utterances):
        for column in ("key", "source", "speaker_id", "session_id", "gender", "language"):
            assert getattr(index, column)[row] == getattr(utterance, column)
        assert index.transcript[row] == utterance.transcript
        assert index.num_samples[row] == 1000 + row
    assert verify_dataset(tmp_path / "out")[1] == []


def test_the_bytes_of_fitting_flac_files_are_kept(utterances, tmp_path: Path):
    write_dataset(utterances, tmp_path / "out", name="train", options=OPTIONS)
    reader = ShardReader(Index.load([tmp_path / "out"]))
    for row, utterance in enumerate(utterances):
        assert reader.read(row) == utterance.path.read_bytes()


@pytest.mark.filterwarnings("ignore")  # webdataset leaves its file open
def test_webdataset_reads_the_shards(utterances, tmp_path: Path):
    write_dataset(utterances, tmp_path / "out", name="train", options=OPTIONS)
    shards = [str(path) for path in sorted((tmp_path / "out").glob("*.tar"))]
    samples = list(webdataset.WebDataset(shards, shardshuffle=False))
    assert [sample["__key__"] for sample in samples] == [u.key for u in utterances]
    assert json.loads(samples[3]["json"])["transcript"] == "WÖRD 3"
    assert samples[3]["flac"] == utterances[3].path.read_bytes()


def test_the_same_input_gives_the_same_bytes(utterances, tmp_path: Path):
    for name in ("one", "two"):
        write_dataset(utterances, tmp_path / name, name="train", options=replace(OPTIONS, seed=1))
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_workers_write_the_same_bytes(utterances, tmp_path: Path):
    write_dataset(utterances, tmp_path / "one", name="train", options=OPTIONS)
    options = replace(OPTIONS, num_workers=2)
    write_dataset(utterances, tmp_path / "two", name="train", options=options)
    for path in (tmp_path / "one").glob("*.tar"):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_other_audio_is_resampled_mixed_down_and_cut(utterances, tmp_path: Path):
    stereo = np.random.default_rng(0).uniform(-0.5, 0.5, (44_100, 2))
    soundfile.write(tmp_path / "a.wav", stereo, 44_100)
    part = replace(
        utterances[0], path=tmp_path / "a.wav", start_seconds=0.25, stop_seconds=0.75, duration=0.5
    )
    write_dataset([part], tmp_path / "out", name="train")
    index = Index.load([tmp_path / "out"])
    wave, rate = read_wave(ShardReader(index).read(0))
    assert (rate, wave.shape, index.audio_format[0]) == (16_000, (8000,), "flac")


def spoil(utterance: Utterance, content: bytes) -> None:
    utterance.path.unlink()
    utterance.path.write_bytes(content)


BAD_INPUTS: dict[str, Callable[[Utterance], object]] = {
    "missing": lambda utterance: utterance.path.unlink(),
    "undecodable": lambda utterance: spoil(utterance, b"no audio"),
    "wrong length": lambda utterance: soundfile.write(utterance.path, np.zeros(9000), 16_000),
    "no samples": lambda utterance: soundfile.write(
        utterance.path, np.zeros(0), 16_000, format="WAV"
    ),
    "not finite": lambda utterance: soundfile.write(
        utterance.path, np.full(1002, np.nan), 16_000, format="WAV", subtype="FLOAT"
    ),
    "cut short": lambda utterance: spoil(utterance, _wav(utterance)[:900]),
}


def _wav(utterance: Utterance) -> bytes:
    soundfile.write(utterance.path, np.zeros(1002), 16_000, format="WAV")
    return utterance.path.read_bytes()


@pytest.mark.parametrize("cause", BAD_INPUTS)
def test_a_bad_input_is_left_out_counted_and_listed(cause, utterances, tmp_path: Path):
    BAD_INPUTS[cause](utterances[2])
    options = replace(OPTIONS, max_bad_share=0.1)
    summary, faults = write_dataset(utterances, tmp_path / "out", name="train", options=options)
    assert summary.num_utterances == 9
    assert summary.left_out == {cause: 1}
    assert [(fault.key, fault.cause) for fault in faults] == [(utterances[2].key, cause)]
    (line,) = (tmp_path / "out" / "failures.jsonl").read_text().splitlines()
    assert json.loads(line)["where"] == str(utterances[2].path)


def test_too_many_bad_inputs_leave_the_data_set_unfinished(utterances, tmp_path: Path):
    utterances[2].path.unlink()
    with pytest.raises(ValueError, match=r"1 of 10 utterances are bad \(1 missing\)"):
        write_dataset(utterances, tmp_path / "out", name="train", options=OPTIONS)
    assert not (tmp_path / "out" / "dataset.json").exists()
    assert (tmp_path / "out" / "failures.jsonl").read_text().count("\n") == 1
    with pytest.raises(ValueError, match="is unfinished"):
        Index.load([tmp_path / "out"])


def test_duplicate_keys_are_refused_with_both_sources(utterances, tmp_path: Path):
    twin = replace(utterances[1], path=utterances[5].path)
    with pytest.raises(ValueError, match=r"is used twice, by .*1\.flac and by .*5\.flac"):
        write_dataset([*utterances, twin], tmp_path / "out", name="train")
    with pytest.raises(ValueError, match="no utterances to write"):
        write_dataset([], tmp_path / "out", name="train")


def test_a_finished_data_set_is_replaced_only_when_asked(utterances, tmp_path: Path):
    write_dataset(utterances, tmp_path / "out", name="train", options=OPTIONS)
    with pytest.raises(ValueError, match=r"holds a finished data set.*--overwrite"):
        write_dataset(utterances, tmp_path / "out", name="train", options=OPTIONS)
    options = replace(OPTIONS, overwrite=True)
    write_dataset(utterances[:3], tmp_path / "out", name="other", options=options)
    assert list(Index.load([tmp_path / "out"]).key) == [u.key for u in utterances[:3]]
    assert not list((tmp_path / "out").glob("train-*"))


def test_what_was_written_before_is_known_and_tidied(utterances, tmp_path: Path):
    out = tmp_path / "out"
    summary, _ = write_dataset(utterances, out, name="train", options=OPTIONS)
    leftovers = [
        out / name for name in (".unfinished.jsonl", ".unfinished-1-of-2.jsonl", ".writing.lock")
    ]
    for path in leftovers:
        path.touch()
    assert written_before(utterances, out, name="train", options=OPTIONS) == summary
    assert not any(path.exists() for path in leftovers)
    assert written_before(utterances[1:], out, name="train", options=OPTIONS) is None


def test_shards_of_others_are_not_touched(utterances, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious.tar").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"holds other shards \(precious\.tar\)"):
        write_dataset(utterances, tmp_path / "out", name="train")
    assert (tmp_path / "out" / "precious.tar").read_bytes() == b"x"


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Let no file grow over 8 kB, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_leaves_no_half_shard(utterances, tmp_path: Path):
    with pytest.raises(ValueError, match=r"no space left while writing .*train-000000\.tar"):
        write_dataset(utterances, tmp_path / "out", name="train", options=OPTIONS)
    names = [path.name for path in (tmp_path / "out").iterdir()]
    assert names == [".unfinished.jsonl"]


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "/etc/x"])
def test_a_name_that_is_no_file_name_is_refused(name, utterances, tmp_path: Path):
    with pytest.raises(ValueError, match="must be a plain file name"):
        write_dataset(utterances, tmp_path / "out", name=name)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="utterances_per_shard must be at least 1, got 0"):
        ShardOptions(utterances_per_shard=0)
    with pytest.raises(ValueError, match=r"max_bad_share must lie in \[0, 1\], got 2"):
        ShardOptions(max_bad_share=2)
