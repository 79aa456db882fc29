"""Verifying compares shards, index and summary, and decodes everything."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from duovox.data.dataset.indexing import index_shards
from duovox.data.dataset.summary import DatasetSummary
from duovox.data.dataset.verify import ShardCheck, verify_dataset

JSON = b'{"transcript": "ONE"}'


def causes(folder: Path) -> list[str]:
    return [fault.cause for fault in verify_dataset(folder)[1]]


@pytest.fixture
def dataset(tmp_path: Path, write_tar, wav_bytes) -> Path:
    """Return an indexed data set of two shards with two utterances each."""
    for name in "ab":
        pairs = [(f"s/t/{name}{n}", wav_bytes(n)) for n in range(2)]
        members = [m for key, wav in pairs for m in ((f"{key}.wav", wav), (f"{key}.json", JSON))]
        write_tar(tmp_path / f"{name}.tar", members)
    index_shards(tmp_path)
    return tmp_path


def test_a_good_data_set_has_no_fault(dataset: Path):
    seen: list[ShardCheck] = []
    summary, faults = verify_dataset(dataset, on_shard=seen.append)
    assert faults == []
    assert summary == DatasetSummary.load(dataset)
    assert [check.shard for check in seen] == ["a.tar", "b.tar"]


def test_workers_find_the_same_faults(dataset: Path):
    content = (dataset / "a.tar").read_bytes()
    (dataset / "a.tar").write_bytes(content[:3000])
    assert verify_dataset(dataset, num_workers=2) == verify_dataset(dataset)
    assert "lost utterance" in causes(dataset)


def test_a_folder_without_a_summary_is_refused(tmp_path: Path, dataset: Path):
    (dataset / "dataset.json").unlink()
    with pytest.raises(ValueError, match=r"holds shards but no dataset\.json"):
        verify_dataset(dataset)


def test_a_lost_index_is_refused_with_the_command_that_helps(dataset: Path):
    (dataset / "index.parquet").unlink()
    with pytest.raises(ValueError, match=r"index\.parquet cannot be read .*duovox shards index"):
        verify_dataset(dataset)


def test_an_index_of_other_data_is_found(dataset: Path):
    index = (dataset / "index.parquet").read_bytes()
    (dataset / "b.tar").unlink()
    index_shards(dataset)
    (dataset / "index.parquet").write_bytes(index)
    assert causes(dataset) == ["wrong count"]


def test_changed_texts_are_found(dataset: Path, write_tar, wav_bytes):
    index = (dataset / "index.parquet").read_bytes()
    write_tar(dataset / "a.tar", [("s/t/a0.wav", wav_bytes(0)), ("s/t/a0.json", b"{}")])
    index_shards(dataset)
    (dataset / "index.parquet").write_bytes(index)
    faults = verify_dataset(dataset)[1]
    assert [fault.cause for fault in faults] == ["wrong index", "lost utterance", "wrong count"]
    assert faults[0].detail == "index and shard disagree about transcript"


def test_shards_that_nobody_listed_are_found(dataset: Path):
    shutil.copy(dataset / "a.tar", dataset / "c.tar")
    assert causes(dataset) == ["unlisted shard"]


def test_a_key_in_two_shards_is_found(dataset: Path):
    shutil.copy(dataset / "a.tar", dataset / "c.tar")
    index_shards(dataset, max_bad_share=0.5)
    assert causes(dataset) == ["not indexed", "not indexed", "duplicate key", "duplicate key"]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_found(bad, tmp_path: Path, write_tar, wav_bytes):
    content = wav_bytes(np.full(1600, bad), subtype="FLOAT")
    write_tar(tmp_path / "a.tar", [("s/t/a.wav", content), ("s/t/a.json", JSON)])
    index_shards(tmp_path)
    assert causes(tmp_path) == ["not finite"]


def test_rates_and_channels_that_no_network_takes_are_found(tmp_path: Path, write_tar, wav_bytes):
    content = wav_bytes(np.zeros((800, 2)), sample_rate=8000)
    write_tar(tmp_path / "a.tar", [("s/t/a.wav", content), ("s/t/a.json", JSON)])
    index_shards(tmp_path)
    assert causes(tmp_path) == ["wrong sample rate", "several channels"]
