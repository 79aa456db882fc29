"""A part of a data set is a data set with the same bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from duovox.data.dataset.extract import extract
from duovox.data.dataset.index import NUMBERS, TEXTS, Index
from duovox.data.dataset.reader import ShardReader
from duovox.data.dataset.verify import verify_dataset
from duovox.data.dataset.write import ShardOptions

OPTIONS = ShardOptions(order="given", utterances_per_shard=4)


def test_everything_about_the_rows_stays(index: Index, tmp_path: Path):
    chosen = index.select(np.arange(0, len(index), 4))
    summary, faults = extract(chosen, tmp_path / "part", name="part", options=OPTIONS)
    assert (summary.num_utterances, len(summary.shards), faults) == (10, 3, [])
    part = Index.load([tmp_path / "part"])
    before, after = ShardReader(chosen), ShardReader(part)
    for row in range(len(part)):
        for column in {*TEXTS, *NUMBERS} - {"offset"}:
            assert getattr(part, column)[row] == getattr(chosen, column)[row], column
        assert before.read(row) == after.read(row)
    assert verify_dataset(tmp_path / "part")[1] == []


def test_a_damaged_shard_costs_its_utterances_alone(index: Index, tmp_path: Path):
    damaged = tmp_path / "damaged.tar"
    damaged.write_bytes(index.shards[0].read_bytes()[:-20_000])
    broken = replace(index, shards=(damaged, *index.shards[1:]))
    options = replace(OPTIONS, max_bad_share=0.5)
    summary, faults = extract(broken, tmp_path / "part", name="part", options=options)
    assert 0 < len(faults) < 8
    assert summary.num_utterances == len(index) - len(faults)
    assert {fault.cause for fault in faults} == {"damaged shard"}


def test_another_sample_rate_is_refused(index: Index, tmp_path: Path):
    slow = replace(index, sample_rate=index.sample_rate // 2)
    with pytest.raises(ValueError, match=r"the audio has \[8000\] Hz"):
        extract(slow, tmp_path / "part", name="part", options=OPTIONS)
