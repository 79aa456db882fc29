"""Cuts that lhotse itself wrote are read, and what is no utterance is refused with the reason."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from lhotse import AudioSource, CutSet, MonoCut, Recording, SupervisionSegment

from duovox.data.corpus.lhotse import find_utterances
from duovox.data.dataset.index import Index
from duovox.data.dataset.reader import ShardReader
from duovox.data.dataset.write import ShardOptions, write_dataset


@pytest.fixture
def cuts(tmp_path: Path) -> CutSet:
    """Return three cuts of two recordings: two stretches of one, all of the other."""
    made = []
    for number, stretches in enumerate([[(0.0, 0.5), (0.5, 0.25)], [(0.0, 1.0)]]):
        path = tmp_path / f"{number}.wav"
        wave = np.random.default_rng(number).uniform(-0.5, 0.5, 16_000)
        soundfile.write(path, wave, 16_000, subtype="PCM_16")
        recording = Recording.from_file(path)
        for start, duration in stretches:
            name = f"cut-{number}-{start}"
            supervision = SupervisionSegment(
                id=name,
                recording_id=recording.id,
                start=0.0,
                duration=duration,
                text="HELLO THERE",
                language="English",
                speaker=f"speaker {number}",
                gender="F",
            )
            made.append(
                MonoCut(
                    id=name,
                    start=start,
                    duration=duration,
                    channel=0,
                    recording=recording,
                    supervisions=[supervision],
                )
            )
    return CutSet.from_cuts(made)


@pytest.mark.parametrize("name", ["cuts.jsonl", "cuts.jsonl.gz"])
def test_cuts_that_lhotse_wrote_are_read(name: str, cuts: CutSet, tmp_path: Path):
    cuts.to_file(tmp_path / name)
    first, second, third = find_utterances(tmp_path / name)
    assert first.key == "speaker%200/0/cut-0-0%2E0"
    assert (first.speaker_id, first.session_id, first.gender) == ("speaker 0", "0", "F")
    assert (first.transcript, first.language) == ("HELLO THERE", "English")
    assert (second.start_seconds, second.stop_seconds, second.duration) == (0.5, 0.75, 0.25)
    assert (third.start_seconds, third.stop_seconds, third.session_id) == (None, None, "")
    assert third.path == tmp_path / "1.wav"


def test_the_samples_are_those_that_lhotse_loads(cuts: CutSet, tmp_path: Path):
    cuts.to_file(tmp_path / "cuts.jsonl")
    utterances = find_utterances(tmp_path / "cuts.jsonl")
    write_dataset(utterances, tmp_path / "out", name="a", options=ShardOptions(order="given"))
    index = Index.load([tmp_path / "out"])
    reader = ShardReader(index)
    for row, cut in enumerate(cuts):
        (tmp_path / "read.flac").write_bytes(reader.read(row))
        ours, _ = soundfile.read(tmp_path / "read.flac", dtype="float32")
        np.testing.assert_array_equal(ours, cut.load_audio()[0])


@pytest.mark.parametrize("layout", ["one file", "a file per channel"])
def test_the_channel_of_a_cut_is_the_one_that_lhotse_loads(layout: str, tmp_path: Path):
    waves = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 16_000))
    if layout == "one file":
        soundfile.write(tmp_path / "call.wav", waves.T, 16_000, subtype="PCM_16")
        recording = Recording.from_file(tmp_path / "call.wav")
    else:
        sources = []
        for number, wave in enumerate(waves):
            path = tmp_path / f"{number}.wav"
            soundfile.write(path, wave, 16_000, subtype="PCM_16")
            sources.append(AudioSource(type="file", channels=[number], source=str(path)))
        recording = Recording("call", sources, 16_000, 16_000, 1.0, channel_ids=[0, 1])
    made = [
        MonoCut(id=f"c{channel}", start=0.25, duration=0.5, channel=channel, recording=recording)
        for channel in (1, 0)
    ]
    CutSet.from_cuts(made).to_file(tmp_path / "cuts.jsonl")
    utterances = find_utterances(tmp_path / "cuts.jsonl")
    write_dataset(utterances, tmp_path / "out", name="a", options=ShardOptions(order="given"))
    reader = ShardReader(Index.load([tmp_path / "out"]))
    for row, cut in enumerate(made):
        (tmp_path / "read.flac").write_bytes(reader.read(row))
        ours, _ = soundfile.read(tmp_path / "read.flac", dtype="float32")
        np.testing.assert_array_equal(ours, cut.load_audio()[0])


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda cut: cut.update(type="MixedCut"), "a MixedCut is no stretch of one recording"),
        (lambda cut: cut.pop("recording"), "it has no recording"),
        (lambda cut: cut.pop("start"), "no cut as lhotse writes them"),
        (lambda cut: cut.pop("id"), "no cut as lhotse writes them"),
        (lambda cut: cut["recording"].update(transforms=[{"name": "Speed"}]), "has transforms"),
        (lambda cut: cut["recording"]["sources"][0].update(type="command"), "is a command; only"),
        (lambda cut: cut["recording"]["sources"][0].update(type="url"), "is a url; only files"),
        (lambda cut: cut["recording"].update(sources=[]), "is a nothing; only files"),
        (lambda cut: cut.update(channel=1), "its channel is 1, its recording has 0"),
        (lambda cut: cut.update(channel=[0, 1], type="MultiCut"), "a MultiCut is no stretch"),
        (lambda cut: cut["supervisions"].append(cut["supervisions"][0]), "2 supervisions"),
        (lambda cut: cut["supervisions"][0].update(duration=0.1), "not as long as the cut"),
        (lambda cut: cut["supervisions"][0].update(speaker="s" * 200), "is too long"),
    ],
)
def test_what_is_no_utterance_is_refused(
    change: Change, message: str, cuts: CutSet, tmp_path: Path
):
    cut = json.loads(json.dumps(next(iter(cuts)).to_dict()))
    change(cut)
    (tmp_path / "cuts.jsonl").write_text(json.dumps(cut) + "\n")
    with pytest.raises(ValueError, match=rf"cuts\.jsonl, line 1.*{message}"):
        find_utterances(tmp_path / "cuts.jsonl")


def test_an_id_that_is_used_twice_is_refused(cuts: CutSet, tmp_path: Path):
    cuts.to_file(tmp_path / "once.jsonl")
    text = (tmp_path / "once.jsonl").read_text()
    (tmp_path / "cuts.jsonl").write_text(text + text)
    with pytest.raises(ValueError, match=r"line 4, cut .*: .*line 1 has the same id"):
        find_utterances(tmp_path / "cuts.jsonl")


def test_files_that_are_no_cuts_are_refused(cuts: CutSet, tmp_path: Path):
    path = tmp_path / "cuts.jsonl"
    for content, message in ((b"", "holds no cuts"), (b"text\n", "cannot be read near line 1")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            find_utterances(path)
    for name in ("cuts.yaml", "nowhere.jsonl"):
        with pytest.raises(ValueError, match=r"must lie in \*\.jsonl|there is no file of cuts"):
            find_utterances(tmp_path / name)


def test_a_cut_off_file_is_refused(cuts: CutSet, tmp_path: Path):
    cuts.to_file(tmp_path / "cuts.jsonl")
    packed = gzip.compress((tmp_path / "cuts.jsonl").read_bytes())
    (tmp_path / "cuts.jsonl.gz").write_bytes(packed[:-20])
    with pytest.raises(ValueError, match="cannot be read near line"):
        find_utterances(tmp_path / "cuts.jsonl.gz")
