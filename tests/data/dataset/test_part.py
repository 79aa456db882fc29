"""Parts share the work without overlap, and what they make together is what one command makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from duovox.data.dataset.finish import merge_parts
from duovox.data.dataset.part import Part
from duovox.data.dataset.verify import verify_dataset
from duovox.data.dataset.write import ShardOptions, write_dataset, write_part
from duovox.data.utterance import Utterance, make_key

OPTIONS = ShardOptions(utterances_per_shard=2, max_bad_share=0.2)


@pytest.fixture
def utterances(tmp_path: Path) -> list[Utterance]:
    """Return nine utterances, hence five shards; the audio of one is missing."""
    listed = [
        Utterance(key=make_key("sp"[n % 2], "", f"{n}"), path=tmp_path / f"{n}.wav")
        for n in range(9)
    ]
    for n, utterance in enumerate(listed[:-1]):
        soundfile.write(utterance.path, np.full(500 + n, 0.1), 16_000)
    return listed


def part(text: str) -> ShardOptions:
    return replace(OPTIONS, part=Part.parse(text))


def test_parts_merge_into_the_bytes_of_one_command(utterances, tmp_path: Path):
    for text in ("3/3", "1/3", "2/3"):
        write_part(utterances, tmp_path / "out", name="train", options=part(text))
    summary, faults = merge_parts(tmp_path / "out", max_bad_share=0.2)
    assert (summary.num_utterances, [fault.cause for fault in faults]) == (8, ["missing"])
    write_dataset(utterances, tmp_path / "one", name="train", options=OPTIONS)
    names = {path.name for path in (tmp_path / "one").iterdir()}
    assert names == {path.name for path in (tmp_path / "out").iterdir()}
    for name in names:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    assert verify_dataset(tmp_path / "out")[1] == []


def test_a_missing_part_is_named_and_the_whole_command_writes_it(utterances, tmp_path: Path):
    out = tmp_path / "out"
    write_part(utterances, out, name="train", options=part("1/2"))
    with pytest.raises(ValueError, match=r"(?s)2 of 5 shards .* not written.*train-000001\.tar"):
        merge_parts(out)
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.tar")}
    assert sorted(before) == [f"train-00000{n}.tar" for n in (0, 2, 4)]
    summary, _ = write_dataset(utterances, out, name="train", options=OPTIONS)
    assert len(summary.shards) == 5
    assert before.items() <= {p.name: p.stat().st_mtime_ns for p in out.glob("*.tar")}.items()
    with pytest.raises(ValueError, match="nothing to merge"):
        merge_parts(out)


def test_a_part_leaves_the_work_of_others_alone(utterances, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    theirs, mine = out / ".train-000001.tar.77.tmp", out / ".train-000002.tar.78.tmp"
    for leftover in (theirs, mine):
        leftover.write_bytes(b"half a shard")
    write_part(utterances, out, name="train", options=part("1/2"))
    assert theirs.is_file()
    assert not mine.is_file()


def test_parts_of_different_input_are_not_merged(utterances, tmp_path: Path):
    write_part(utterances, tmp_path / "out", name="train", options=part("1/2"))
    changed = [replace(utterances[0], transcript="OTHER"), *utterances[1:]]
    write_part(changed, tmp_path / "out", name="train", options=part("2/2"))
    with pytest.raises(ValueError, match="made from different input or settings"):
        merge_parts(tmp_path / "out")


def test_bad_inputs_count_when_the_parts_are_merged(utterances, tmp_path: Path):
    write_part(utterances, tmp_path / "out", name="train", options=part("1/1"))
    with pytest.raises(ValueError, match="1 of 9 utterances are bad"):
        merge_parts(tmp_path / "out", max_bad_share=0.1)
    assert merge_parts(tmp_path / "out", max_bad_share=0.2)[0].num_utterances == 8


def test_there_must_be_parts_to_merge(tmp_path: Path):
    with pytest.raises(ValueError, match="holds no parts"):
        merge_parts(tmp_path)


def test_parts_do_not_overwrite():
    with pytest.raises(ValueError, match="exclude each other"):
        replace(OPTIONS, overwrite=True, part=Part(number=1, count=2))


@pytest.mark.parametrize("text", ["2", "2/", "a/b", "-1/2", "1/2/3", "1.5/2"])
def test_a_part_of_another_form_is_refused(text: str):
    with pytest.raises(ValueError, match="must have the form i/n, such as 2/8"):
        Part.parse(text)


@pytest.mark.parametrize("text", ["0/2", "3/2", "0/0"])
def test_a_part_beyond_its_count_is_refused(text: str):
    with pytest.raises(ValueError, match="needs 1 <= i <= n"):
        Part.parse(text)


def test_every_shard_belongs_to_one_part():
    parts = [Part(number=number, count=3) for number in (1, 2, 3)]
    for position in range(10):
        assert sum(part.owns(position) for part in parts) == 1
