"""Manifests are read as SpeechBrain writes them, and every mistake is named by line and column."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from duovox.data.corpus.manifest import find_utterances


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a manifest beside the audio files `a.wav` and `sub/b.wav`."""
    (tmp_path / "sub").mkdir()
    for name in ("a.wav", "sub/b.wav"):
        soundfile.write(tmp_path / name, np.zeros(8000), 8000)

    def write(text: str, name: str = "train.csv") -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def csv(*lines: str, header: str = "ID,duration,wav,spk_id,wrd") -> str:
    return "\n".join([header, *lines]) + "\n"


GOOD = "u1,1.0,$data_root/a.wav,ann,HELLO WORLD"


def test_all_columns_are_read(manifest, tmp_path: Path):
    text = csv(
        "u.1, 1.0, $data_root/sub/b.wav, ann, HELLO WORLD, f, day1, en, 1, x",
        header="ID, duration, wav, spk_id, wrd, gender, session_id, language, channel, extra",
    )
    (utterance,) = find_utterances(manifest(text))
    assert utterance.key == "ann/day1/u%2E1"
    assert utterance.path == tmp_path / "sub" / "b.wav"
    assert utterance.source == "sub/b.wav"
    assert (utterance.speaker_id, utterance.session_id) == ("ann", "day1")
    assert (utterance.gender, utterance.language) == ("f", "en")
    assert (utterance.transcript, utterance.duration) == ("HELLO WORLD", 1.0)
    assert (utterance.start_seconds, utterance.stop_seconds) == (None, None)
    assert utterance.channel == 1


def test_json_says_the_same_as_csv(manifest):
    entry = {"wav": "{data_root}/a.wav", "duration": 1.0, "spk_id": "ann", "wrd": "HELLO WORLD"}
    from_json = find_utterances(manifest(json.dumps({"u1": entry}), "train.json"))
    assert from_json == find_utterances(manifest(csv(GOOD)))


def test_the_names_of_speechbrains_templates_are_understood(manifest):
    entry = {"wav": "{data_root}/a.wav", "length": 1.0, "words": "HELLO", "spk_id": 7}
    (utterance,) = find_utterances(manifest(json.dumps({"u1": entry}), "train.json"))
    assert (utterance.transcript, utterance.duration) == ("HELLO", 1.0)
    assert utterance.speaker_id == "7"


@pytest.mark.parametrize("wav", ["$data_root/sub/b.wav", "sub/b.wav", "{root}/sub/b.wav"])
def test_a_source_is_relative_to_the_corpus_folder(wav, manifest, tmp_path: Path):
    path = manifest(csv(f"u1,1,{wav.replace('{root}', str(tmp_path))},ann,A"))
    assert find_utterances(path)[0].source == "sub/b.wav"


def test_the_corpus_folder_can_be_elsewhere(manifest, tmp_path: Path):
    path = manifest(csv("u1,1,$data_root/b.wav,ann,A"))
    (utterance,) = find_utterances(path, data_root=tmp_path / "sub")
    assert (utterance.path, utterance.source) == (tmp_path / "sub" / "b.wav", "b.wav")


def test_speakers_alone_or_transcripts_alone_are_enough(manifest):
    speaker = csv("u1,$data_root/a.wav,ann", header="ID,wav,spk_id")
    assert find_utterances(manifest(speaker))[0].transcript == ""
    speech = csv("u1,$data_root/a.wav,", header="ID,wav,wrd")
    (utterance,) = find_utterances(manifest(speech))
    assert (utterance.speaker_id, utterance.key, utterance.duration) == ("", "_/_/u1", None)


@pytest.mark.parametrize(
    ("columns", "values", "stretch"),
    [
        ("start,stop", "2000,6000", (0.25, 0.75)),  # samples at the file's 8 kHz
        ("start,stop", "0,8000", (None, None)),  # the whole file
        ("start,stop", ",4000", (None, 0.5)),
        ("start,stop", "4000,", (0.5, None)),
        ("start_seconds,stop_seconds", "0.25,0.75", (0.25, 0.75)),
    ],
)
def test_stretches_are_given_in_samples_or_in_seconds(columns, values, stretch, manifest):
    text = csv(f"u1,$data_root/a.wav,ann,{values}", header=f"ID,wav,spk_id,{columns}")
    (utterance,) = find_utterances(manifest(text))
    assert (utterance.start_seconds, utterance.stop_seconds) == stretch


STRETCH = "ID,wav,spk_id,start,stop"
MISTAKES = {
    "no wav column": (csv("u1,A", header="ID,wrd"), "lacks the column wav; it has ID, wrd"),
    "neither speaker nor text": (
        csv("u1,a.wav", header="ID,wav"),
        "lacks the column spk_id or wrd",
    ),
    "no ID": (csv(GOOD, ",1,a.wav,ann,A"), r"line 3, column ID: must not be empty"),
    "no speaker": (csv(GOOD, "u2,1,a.wav,,A"), r"line 3, column spk_id: must not be empty"),
    "no speaker and an empty text": (
        csv("u1,1,a.wav,,"),
        r"line 2, column spk_id: must not be empty",
    ),
    "no speaker and no words": (
        csv("u1,a.wav,", header="ID,wav,spk_id"),
        r"line 2, column spk_id: must not be empty",
    ),
    "repeated ID": (
        csv(GOOD, GOOD),
        r"line 3, column ID: 'u1' is already that of .*train\.csv, line 2",
    ),
    "duration is a word": (csv("u1,long,a.wav,ann,A"), r"line 2: column duration: .*got 'long'"),
    "duration is zero": (csv("u1,0,a.wav,ann,A"), "must be a positive number of seconds, got '0'"),
    "duration is nan": (csv("u1,nan,a.wav,ann,A"), "must be a positive number of seconds"),
    "a side in place of a channel": (
        csv("u1,a.wav,ann,left", header="ID,wav,spk_id,channel"),
        r"line 2: column channel: must be 0, 1, \.\.\., got 'left'",
    ),
    "too many values": (csv(GOOD + ",B"), r"line 2 must have 5 values .* double quotes"),
    "too few values": (csv("u1,1"), r"line 2 must have 5 values"),
    "long ID": (csv(f"{'x' * 96},1,a.wav,ann,A"), r"line 2: key .* is too long"),
    "start in seconds": (
        csv("u1,a.wav,ann,0.5,1.5", header=STRETCH),
        r"line 2, column start: must be samples .*got '0\.5'; for seconds name .*start_seconds",
    ),
    "negative start": (csv("u1,a.wav,ann,-5,9", header=STRETCH), "column start: must be samples"),
    "stop before start": (
        csv("u1,a.wav,ann,90,80", header=STRETCH),
        r"line 2, column stop: must lie behind start",
    ),
    "samples of a file without header": (
        csv("u1,train.csv,ann,1,2", header=STRETCH),
        r"samples need a file whose rate is known.*give start_seconds",
    ),
    "empty": (csv(), "has no entries"),
    "open quote": (csv('u1,1,a.wav,ann,"A'), "cannot be read as CSV"),
    "no utf-8": ("ID,wav,wrd\nu1,a.wav,\udcff\n", "cannot be read as CSV"),
}


def test_speakers_may_be_left_empty_where_there_are_words(manifest):
    (found,) = find_utterances(manifest(csv("u1,1,a.wav,,A")))
    assert (found.speaker_id, found.transcript) == ("", "A")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_by_line_and_column(mistake, manifest, tmp_path: Path):
    text, says = MISTAKES[mistake]
    path = manifest("")
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ValueError, match=says):
        find_utterances(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "must hold an object of objects"),
        ("{", "cannot be read as JSON"),
        ("{}", "no entries"),
    ],
)
def test_a_json_of_another_shape_is_refused(text, says, manifest):
    with pytest.raises(ValueError, match=says):
        find_utterances(manifest(text, "train.json"))


def test_missing_files_are_counted_and_ten_are_listed(manifest, tmp_path: Path):
    lines = [f"u{number},1,$data_root/x{number}.wav,ann,A" for number in range(12)]
    with pytest.raises(ValueError, match=r"12 of 13 audio files of .*--data-root") as caught:
        find_utterances(manifest(csv(GOOD, *(line.replace("u1,", "v1,") for line in lines))))
    message = str(caught.value)
    assert message.count("\n") == 11
    assert str(tmp_path / "x9.wav") in message
    assert message.endswith("and 2 more")


def test_other_files_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"must end in \.csv or \.json"):
        find_utterances(tmp_path / "train.tsv")
    with pytest.raises(ValueError, match=r"there is no manifest .*train\.csv"):
        find_utterances(tmp_path / "train.csv")


@pytest.mark.parametrize(("corpus", "number"), [("digits", 2400), ("commands", 1963)])
def test_real_manifests_are_read(corpus, number, speech_data: Path):
    utterances = find_utterances(speech_data / corpus / "train.csv")
    assert len(utterances) == number
    assert all(u.source.startswith(f"audio/{u.speaker_id}/") for u in utterances)
    assert len({u.key for u in utterances}) == number
