"""Kaldi folders are read as Kaldi means them, and nothing in them is ever run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from duovox.audio.decode import read_wave
from duovox.data.corpus.kaldi import find_utterances
from duovox.data.dataset.index import Index
from duovox.data.dataset.reader import ShardReader
from duovox.data.dataset.write import ShardOptions, write_dataset

FILES = {
    "wav.scp": "rec1 audio/one.wav\nrec2 audio/two's $(touch owned); x.wav\n",
    "segments": "anna-1 rec1 0.0 0.5\nanna-2 rec1 0.25 -1\nbob-1 rec2 0.1 0.6\n",
    "text": "anna-1 HELLO THERE\nanna-2\tYES\nbob-1 NO\n",
    "utt2spk": "anna-1 anna\nanna-2 anna\nbob-1 bob\n",
    "spk2gender": "anna f\nbob m\n",
    "utt2lang": "anna-1 en\n",
}

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that writes a data folder with some files changed or left out (None)."""

    def write(**changes: str | None) -> Path:
        (tmp_path / "audio").mkdir()
        for name in ("one.wav", "two's $(touch owned); x.wav"):
            wave = np.random.default_rng(len(name)).uniform(-0.5, 0.5, 16_000)
            soundfile.write(tmp_path / "audio" / name, wave, 16_000)
        renamed = {name.replace("wav_scp", "wav.scp"): text for name, text in changes.items()}
        for name, text in (FILES | renamed).items():
            if text is not None:
                (tmp_path / name).write_text(text)
        return tmp_path

    return write


def test_segments_of_recordings_become_utterances(make: Make):
    folder = make()
    first, second, third = find_utterances(folder)
    assert first.key == "anna/rec1/anna-1"
    assert first.path == folder / "audio" / "one.wav"
    assert (first.speaker_id, first.session_id, first.gender) == ("anna", "rec1", "f")
    assert (first.transcript, first.language, first.source) == ("HELLO THERE", "en", "anna-1")
    assert (first.start_seconds, first.stop_seconds) == (0.0, 0.5)
    assert (second.transcript, second.start_seconds, second.stop_seconds) == ("YES", 0.25, None)
    assert third.gender == "m"


def test_without_segments_a_recording_is_an_utterance(make: Make):
    table = "rec1 ONE\nrec2 TWO\n"
    folder = make(segments=None, text=table, utt2spk=None, utt2dur="rec1 1.0\nrec2 1\n")
    first, second = find_utterances(folder)
    assert first.key == "_/_/rec1"
    assert (first.start_seconds, first.stop_seconds, first.duration) == (None, None, 1.0)
    assert (second.transcript, second.speaker_id) == ("TWO", "")


def test_odd_file_names_reach_the_shards_and_no_shell(make: Make, tmp_path: Path):
    utterances = find_utterances(make())
    options = ShardOptions(order="given")
    summary, faults = write_dataset(utterances, tmp_path / "out", name="train", options=options)
    assert (summary.num_utterances, faults) == (3, [])
    assert Index.load([tmp_path / "out"]).num_samples.tolist() == [8000, 12_000, 8000]
    assert not list(tmp_path.rglob("owned")) + list(Path.cwd().glob("owned"))


def test_a_segment_may_name_its_channel(make: Make, tmp_path: Path):
    segments = "left r 0.0 0.5 0\nright r 0.0 0.5 1\nboth r 0.0 0.5\nthird r 0.0 0.5 2\n"
    folder = make(wav_scp="r call.wav\n", segments=segments, text=None, spk2gender=None)
    (folder / "utt2spk").write_text("left a\nright b\nboth c\nthird d\n")
    waves = np.random.default_rng(0).integers(-9000, 9000, (16_000, 2), dtype=np.int16)
    soundfile.write(folder / "call.wav", waves, 16_000)
    utterances = find_utterances(folder)
    assert [utterance.channel for utterance in utterances] == [0, 1, None, 2]
    options = ShardOptions(order="given", max_bad_share=0.5)
    _, faults = write_dataset(utterances, tmp_path / "out", name="train", options=options)
    assert [(fault.key, fault.cause) for fault in faults] == [("d/r/third", "no such channel")]
    assert faults[0].detail == "channel 2 is wanted, of 0 to 1"
    reader = ShardReader(Index.load([tmp_path / "out"]))
    left, right, both = (read_wave(reader.read(row))[0] * 32_768 for row in range(3))
    np.testing.assert_array_equal(left, waves[:8000, 0])
    np.testing.assert_array_equal(right, waves[:8000, 1])
    np.testing.assert_allclose(both, waves[:8000].mean(axis=1), atol=0.5)


def test_relative_paths_start_where_the_user_says(make: Make, tmp_path: Path):
    folder = make()
    utterances = find_utterances(folder, data_root=tmp_path / "elsewhere")
    assert utterances[0].path == tmp_path / "elsewhere" / "audio" / "one.wav"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wav_scp": None}, r"no Kaldi data folder: there is no wav\.scp"),
        ({"wav_scp": "rec1 sph2pipe -f wav a.sph |\n"}, "is a command line, which is never run"),
        ({"wav_scp": "rec1 |touch owned\n"}, "is a command line, which is never run"),
        ({"wav_scp": "rec1 wav.ark:12\nrec2 a.wav\n"}, "lies within a Kaldi archive"),
        ({"wav_scp": "rec1 a.wav\nrec1 b.wav\n"}, r"wav\.scp, line 2: rec1 is there already"),
        ({"wav_scp": "rec1 a.wav\n"}, "bob-1: wav.scp does not name the recording rec2"),
        ({"wav_scp": "rec1\nrec2 b.wav"}, "rec1: must name an audio file"),
        ({"wav_scp": "rec1 a.wav\n\nrec2 b.wav\n"}, "line 2: must not be empty"),
        ({"text": None, "utt2spk": None}, "needs text or utt2spk"),
        ({"text": "anna-1 HI\n"}, r"(?s)text lacks 2 of 3 utterances.*fix_data_dir.*anna-2"),
        ({"utt2spk": FILES["utt2spk"] + "eve-1 eve\n"}, "names 1 utterances without audio"),
        ({"segments": "anna-1 rec1 0.0\n"}, "must have recording, start, end"),
        ({"segments": "anna-1 rec1 0.5 0.5\n"}, "must lie behind the start"),
        ({"segments": "anna-1 rec1 0 1 A\n"}, "channel must be 0, 1, ..., got 'A'"),
        ({"segments": "anna-1 rec1 0 1 0 0\n"}, "and perhaps a channel"),
        ({"segments": "anna-1 rec1 nan 0.5\n"}, "must be a number of seconds, got 'nan'"),
        ({"utt2dur": "anna-1 long\n"}, "utt2dur, anna-1: must be a number of seconds"),
    ],
)
def test_a_broken_folder_is_refused(changes: dict[str, str | None], message: str, make: Make):
    with pytest.raises(ValueError, match=message):
        find_utterances(make(**changes))
    assert not Path("owned").exists()
