"""The size of shards is foreseen well enough to refuse a disk that cannot hold them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from duovox.data.corpus.manifest import find_utterances
from duovox.data.dataset import space
from duovox.data.dataset.part import Part
from duovox.data.dataset.space import check_space, expected_bytes
from duovox.data.dataset.write import ShardOptions, write_dataset, write_part
from duovox.data.utterance import Utterance


@pytest.fixture
def utterance(tmp_path: Path) -> Utterance:
    generator = np.random.default_rng(0)
    soundfile.write(tmp_path / "a.wav", 0.1 * generator.standard_normal(16_000), 16_000)
    return Utterance(key="s/_/a", path=tmp_path / "a.wav")


@pytest.fixture
def leave_free(monkeypatch) -> Callable[[int], None]:
    """Return a function that sets how many bytes are free on every disk."""

    def leave(num_bytes: int) -> None:
        usage = SimpleNamespace(free=num_bytes)
        monkeypatch.setattr(space.shutil, "disk_usage", lambda path: usage)

    return leave


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(
    utterance, tmp_path: Path, leave_free
):
    leave_free(3000)
    with pytest.raises(ValueError, match=r"needs about 0\.00 GB, its disk has 0\.00 GB free"):
        write_dataset([utterance], tmp_path / "out", name="train")
    assert not list((tmp_path / "out").glob("*.tar"))
    options = ShardOptions(check_space=False)
    assert write_dataset([utterance], tmp_path / "out", name="train", options=options)


def test_a_data_set_stays_when_there_is_no_space_for_the_one_in_its_place(
    utterance, tmp_path: Path, leave_free
):
    out, more = tmp_path / "out", [replace(utterance, key=f"s/_/{n}") for n in range(9)]
    write_dataset([utterance], out, name="train")
    before = {path: path.read_bytes() for path in out.iterdir()}
    needed = expected_bytes(more) - next(out.glob("*.tar")).stat().st_size
    options = ShardOptions(overwrite=True)
    leave_free(needed - 1)
    with pytest.raises(ValueError, match="Nothing was written"):
        write_dataset(more, out, name="train", options=options)
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    leave_free(needed)
    assert write_dataset(more, out, name="train", options=options)[0].num_utterances == 9


def test_only_what_is_still_missing_needs_space(utterance, tmp_path: Path, leave_free):
    listed = [replace(utterance, key=f"s/_/{n}") for n in range(4)]
    out, options = tmp_path / "out", ShardOptions(utterances_per_shard=1)
    leave_free(expected_bytes(listed))  # for all parts: they write to the same disk
    write_part(listed, out, name="train", options=replace(options, part=Part.parse("1/2")))
    needed = expected_bytes(listed) - sum(path.stat().st_size for path in out.glob("*.tar"))
    leave_free(needed - 1)
    with pytest.raises(ValueError, match="Nothing was written"):
        write_dataset(listed, out, name="train", options=options)
    leave_free(needed)
    assert write_dataset(listed, out, name="train", options=options)[0].num_utterances == 4


def test_a_disk_with_room_is_accepted(tmp_path: Path):
    check_space(tmp_path, 1000)
    with pytest.raises(ValueError, match="Nothing was written"):
        check_space(tmp_path, shutil.disk_usage(tmp_path).total + 1)


def test_lengths_count_where_they_are_known_and_files_else(utterance):
    by_file = expected_bytes([utterance])
    assert 16_000 < by_file < 32_044
    assert expected_bytes([replace(utterance, duration=10.0)]) > 5 * by_file
    stretch = replace(utterance, start_seconds=0.5, stop_seconds=0.6)
    assert expected_bytes([stretch]) < by_file
    assert expected_bytes([replace(utterance, path=utterance.path / "no")]) < 3000


def test_a_file_with_many_utterances_counts_once(utterance):
    twins = [replace(utterance, key=f"s/_/{n}", start_seconds=n / 10) for n in range(5)]
    assert expected_bytes(twins) < expected_bytes([utterance]) + 5 * 3000


@pytest.mark.parametrize("audio_format", ["flac", "wav"])
def test_the_estimate_for_real_speech_is_close(audio_format, speech_data: Path, tmp_path: Path):
    folder = speech_data / "commands"
    utterances = find_utterances(folder / "valid.csv", data_root=folder)[:60]
    options = ShardOptions(audio_format=audio_format)
    summary, _ = write_dataset(utterances, tmp_path / "out", name="train", options=options)
    written = sum(shard.size for shard in summary.shards)
    expected = expected_bytes(utterances, audio_format=audio_format)
    assert 0.7 * written < expected < 1.5 * written
    unknown = [replace(utterance, duration=None) for utterance in utterances]
    assert 0.7 * written < expected_bytes(unknown, audio_format=audio_format) < 1.3 * written


def test_all_parts_of_a_cut_archive_count(tmp_path: Path):
    for letter in "abc":
        (tmp_path / f"x_parta{letter}").write_bytes(bytes(100_000))
    inside = Utterance(key="s/_/a", path=tmp_path / "x_partaa", member="a.wav")
    assert expected_bytes([inside]) > 0.5 * 300_000


def test_a_few_members_of_a_large_archive_need_little(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(bytes(1_000_000))
    inside = Utterance(key="s/_/a", path=tmp_path / "a.zip", member="a.m4a", num_bytes=1000)
    assert 2 * (2000 + 1000) < expected_bytes([inside, replace(inside, key="s/_/b")]) < 20_000
