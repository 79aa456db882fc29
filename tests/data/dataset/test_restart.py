"""What a killed run has finished is kept, and neither read nor written again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from duovox.data.dataset import indexing
from duovox.data.dataset.index import Index
from duovox.data.dataset.write import ShardOptions, write_dataset
from duovox.data.shard import write
from duovox.data.shard.scan import scan_shard
from duovox.data.utterance import Utterance

OPTIONS = ShardOptions(utterances_per_shard=4, order="given")


class Killed(BaseException):
    """Stands for a process that ends without any chance to clean up."""


@pytest.fixture
def kill_at(monkeypatch) -> Callable[[str], list[str]]:
    """Return a function that kills the writing at a key, and lists the keys loaded since."""
    real, loaded = write.flac_bytes, []
    fatal = ""

    def load(utterance: Utterance) -> tuple[bytes, int]:
        loaded.append(utterance.key)
        if utterance.key == fatal:
            raise Killed
        return real(utterance)

    def arm(key: str) -> list[str]:
        nonlocal fatal
        fatal = key
        loaded.clear()
        return loaded

    monkeypatch.setattr(write, "flac_bytes", load)
    return arm


def test_a_killed_run_goes_on_behind_its_last_whole_shard(utterances, tmp_path: Path, kill_at):
    utterances[1].path.unlink()
    options = replace(OPTIONS, max_bad_share=0.2)
    out = tmp_path / "out"
    kill_at(utterances[6].key)
    with pytest.raises(Killed):
        write_dataset(utterances, out, name="train", options=options)
    assert [path.name for path in out.glob("*.tar")] == ["train-000000.tar"]
    loaded = kill_at("")
    summary, faults = write_dataset(utterances, out, name="train", options=options)
    assert loaded == [u.key for u in utterances[4:]]
    assert (summary.num_utterances, [fault.cause for fault in faults]) == (9, ["missing"])
    write_dataset(utterances, tmp_path / "other", name="train", options=options)
    for path in out.iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()


def test_only_shards_of_earlier_runs_are_read_for_the_index(
    utterances, tmp_path: Path, kill_at, monkeypatch
):
    read = []
    monkeypatch.setattr(
        indexing, "scan_shard", lambda path: read.append(path.name) or scan_shard(path)
    )
    kill_at(utterances[6].key)
    with pytest.raises(Killed):
        write_dataset(utterances, tmp_path / "out", name="train", options=OPTIONS)
    kill_at("")
    write_dataset(utterances, tmp_path / "out", name="train", options=OPTIONS)
    assert read == ["train-000000.tar"]
    write_dataset(utterances, tmp_path / "other", name="train", options=OPTIONS)
    assert read == ["train-000000.tar"]


def test_a_log_that_was_cut_within_a_line_is_taken_up(utterances, tmp_path: Path, kill_at):
    out = tmp_path / "out"
    kill_at(utterances[9].key)
    with pytest.raises(Killed):
        write_dataset(utterances, out, name="train", options=OPTIONS)
    log = out / ".unfinished.jsonl"
    log.write_bytes(log.read_bytes()[:-9])  # as a kill within its last line leaves it
    loaded = kill_at(utterances[8].key)
    with pytest.raises(Killed):
        write_dataset(utterances, out, name="train", options=OPTIONS)
    assert loaded == [u.key for u in utterances[4:9]]
    loaded = kill_at("")
    write_dataset(utterances, out, name="train", options=OPTIONS)
    assert loaded == [u.key for u in utterances[8:]]


def test_progress_counts_what_was_done_before(utterances, tmp_path: Path, kill_at):
    kill_at(utterances[6].key)
    steps: list[None] = []
    with pytest.raises(Killed):
        write_dataset(utterances, tmp_path / "out", name="train", options=OPTIONS)
    kill_at("")
    write_dataset(
        utterances,
        tmp_path / "out",
        name="train",
        options=OPTIONS,
        on_utterance=lambda: steps.append(None),
    )
    assert len(steps) == len(utterances)


def test_other_input_begins_anew(utterances, tmp_path: Path, kill_at):
    kill_at(utterances[9].key)  # in the third shard
    with pytest.raises(Killed):
        write_dataset(utterances, tmp_path / "out", name="train", options=OPTIONS)
    loaded = kill_at("")
    changed = [replace(utterances[0], transcript="OTHER"), *utterances[1:]]
    options = replace(OPTIONS, utterances_per_shard=20)  # one shard, where two were
    write_dataset(changed, tmp_path / "out", name="train", options=options)
    assert loaded == [u.key for u in utterances]
    assert [path.name for path in (tmp_path / "out").glob("*.tar")] == ["train-000000.tar"]
    assert Index.load([tmp_path / "out"]).transcript[0] == "OTHER"


def test_another_format_begins_anew(utterances, tmp_path: Path, kill_at):
    kill_at(utterances[6].key)
    with pytest.raises(Killed):
        write_dataset(utterances, tmp_path / "out", name="train", options=OPTIONS)
    loaded = kill_at("")
    options = replace(OPTIONS, audio_format="wav")
    write_dataset(utterances, tmp_path / "out", name="train", options=options)
    assert loaded == [u.key for u in utterances]
    assert {*Index.load([tmp_path / "out"]).audio_format} == {"wav"}
