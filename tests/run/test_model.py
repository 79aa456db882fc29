"""A trained model takes any audio and says what the run's own evaluation said."""

from __future__ import annotations

import json
import subprocess
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import duovox
from duovox.audio.ffmpeg import program
from duovox.run.model import Model


@pytest.fixture(scope="module")
def model(finished_run: Path) -> Model:
    return duovox.load(finished_run)


@pytest.fixture(scope="module")
def hypotheses(finished_run: Path, tiny_corpus: Path) -> dict[Path, str]:
    """Return what the evaluation of the run heard, by the audio file it came from."""
    lines = (finished_run / "hypotheses" / "demo.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return {file_of(row["key"], tiny_corpus): row["hypothesis"] for row in rows}


def file_of(key: str, corpus: Path) -> Path:
    speaker, _, name = key.split("/")
    return corpus / "audio" / speaker / f"{name}.flac"


@pytest.fixture
def save(tmp_path: Path, tiny_corpus: Path) -> Callable[..., Path]:
    """Return a function that saves one utterance in another form."""
    wave, _ = soundfile.read(tiny_corpus / "audio" / "i" / "SIX1.flac", dtype="float32")

    def write(name: str, *, rate: int = 16_000, channels: int = 1, **options: str) -> Path:
        times = np.arange(round(len(wave) * rate / 16_000)) * 16_000 / rate
        resampled = np.interp(times, np.arange(len(wave)), wave)
        path = tmp_path / f"source-{name}.wav"
        many = np.stack([resampled] * channels, axis=1) if channels > 1 else resampled
        soundfile.write(path, many, rate, subtype="FLOAT", format="WAV")
        if name.rpartition(".")[2] in {"wav", "flac"}:
            soundfile.write(tmp_path / name, many, rate, **options)
            return tmp_path / name
        command = [program(), "-loglevel", "error", "-i", path, "-b:a", "192k", tmp_path / name]
        subprocess.run(list(map(str, command)), check=True)
        return tmp_path / name

    return write


def notes_of(model: Model, paths: Sequence[Path]) -> list[tuple[Path, str]]:
    notes: list[tuple[Path, str]] = []
    replace(model, on_note=lambda path, note: notes.append((path, note))).embed(paths)
    return notes


@pytest.mark.parametrize("batch_size", [1, 5])
def test_transcripts_are_those_of_the_evaluation_to_the_character(
    model, hypotheses, batch_size
) -> None:
    texts = replace(model, batch_size=batch_size).transcribe(list(hypotheses))
    assert texts == list(hypotheses.values())
    assert len(set(texts)) > 1  # or it would say little


def test_words_are_those_of_the_text_in_order_and_in_time(model, hypotheses) -> None:
    for path, words in zip(hypotheses, model.words(list(hypotheses)), strict=True):
        assert [word.word for word in words] == hypotheses[path].split()
        edges = [edge for word in words for edge in (word.start_seconds, word.stop_seconds)]
        assert edges == sorted(edges)
        assert all(0 <= edge <= soundfile.info(path).duration for edge in edges)


def test_transcripts_come_in_order_and_a_bad_file_stops_no_other(model, hypotheses) -> None:
    good = list(hypotheses)
    found = list(model.transcripts([good[0], Path("gone.wav"), good[1]]))
    assert [one.path for one in found] == [good[0], Path("gone.wav"), good[1]]
    assert [one.text for one in found] == [hypotheses[good[0]], "", hypotheses[good[1]]]
    assert found[1].fault == "gone.wav can't be used: there is no audio file gone.wav"


def test_scores_are_those_of_the_evaluation(model, finished_run, tiny_corpus) -> None:
    lines = (finished_run / "scores" / "demo_voices.txt").read_text().splitlines()
    for line in lines[::13]:
        enroll, test, score, _ = line.split()
        found = model.verify(file_of(enroll, tiny_corpus), file_of(test, tiny_corpus))
        assert found == pytest.approx(float(score), abs=2e-5)


def test_embeddings_have_unit_length_and_one_row_per_file(model, hypotheses) -> None:
    embeddings = model.embed(list(hypotheses))
    assert embeddings.shape == (12, 16)
    assert embeddings.dtype == torch.float32
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(12))


def test_a_file_is_itself(model, hypotheses) -> None:
    path = next(iter(hypotheses))
    assert model.verify(path, str(path)) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_the_container_does_not_matter_where_nothing_is_lost(model, save, tiny_corpus, name):
    original = tiny_corpus / "audio" / "i" / "SIX1.flac"
    path = save(name, subtype="PCM_16")
    assert notes_of(model, [path]) == []
    torch.testing.assert_close(model.embed([path]), model.embed([original]))


@pytest.mark.parametrize(
    ("name", "rate", "channels", "notes"),
    [
        ("a.wav", 8_000, 1, ["resampled from 8000 Hz"]),
        ("a.wav", 44_100, 2, ["mixed down 2 channels", "resampled from 44100 Hz"]),
        ("a.flac", 48_000, 1, ["resampled from 48000 Hz"]),
        ("a.m4a", 16_000, 1, ["decoded m4a with ffmpeg"]),
        (
            "a.m4a",
            44_100,
            2,
            ["decoded m4a with ffmpeg", "mixed down 2 channels", "resampled from 44100 Hz"],
        ),
        ("a.mp3", 16_000, 1, []),  # libsndfile reads these itself
        ("a.mp3", 44_100, 2, ["mixed down 2 channels", "resampled from 44100 Hz"]),
    ],
)
def test_any_audio_is_heard_and_what_was_done_to_it_is_said(
    model, save, tiny_corpus, name, rate, channels, notes
) -> None:
    original = tiny_corpus / "audio" / "i" / "SIX1.flac"
    path = save(name, rate=rate, channels=channels)
    assert notes_of(model, [path]) == [(path, note) for note in notes]
    assert model.verify(path, original) > 0.8
    assert isinstance(model.transcribe([path])[0], str)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"this is a text", "ffmpeg cannot decode"),
        (b"", r"cannot decode|empty|no samples"),
        (None, "there is no audio file"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.wav", "a.flac"])
def test_what_is_no_audio_is_named(model, tmp_path, name, content, message) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        model.transcribe([path])
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("num_samples", [0, 1, 399])
def test_what_is_too_short_for_a_frame_is_named(model, tmp_path, num_samples) -> None:
    path = tmp_path / "short.wav"
    soundfile.write(path, np.full(num_samples, 0.1), 16_000)
    with pytest.raises(ValueError, match=r"400 samples|no samples") as caught:
        model.embed([path])
    assert str(path) in str(caught.value)


def test_the_shortest_wave_and_silence_are_heard(model, tmp_path) -> None:
    for name, wave in (("short", np.linspace(-0.1, 0.1, 400)), ("silent", np.zeros(8000))):
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, wave, 16_000)
        assert torch.isfinite(model.embed([path])).all()
        assert isinstance(model.transcribe([path])[0], str)


def test_samples_that_are_no_numbers_are_refused(model, tmp_path) -> None:
    path = tmp_path / "nan.wav"
    soundfile.write(path, np.full(8000, np.nan), 16_000, subtype="FLOAT")
    with pytest.raises(ValueError, match="are NaN or infinite") as caught:
        model.transcribe([path])
    assert str(path) in str(caught.value)


def test_one_path_in_place_of_a_list_is_noticed(model) -> None:
    with pytest.raises(ValueError, match=r"give a list of audio files, such as \['a\.wav'\]"):
        model.transcribe("a.wav")


def test_what_is_made_of_a_batch_is_let_go_before_the_next(model, hypotheses) -> None:
    """So that memory does not grow with the number of files."""
    outputs: list[weakref.ref] = []

    def note(module, arguments, output) -> None:
        assert [reference() for reference in outputs[:-1]] == [None] * len(outputs[:-1])
        outputs.append(weakref.ref(output.frames))

    hook = model.network.register_forward_hook(note)
    try:
        replace(model, batch_size=1).embed(list(hypotheses)[:5])
    finally:
        hook.remove()
    assert len(outputs) == 5


def test_no_files_give_no_rows(model) -> None:
    assert model.transcribe([]) == []
    assert model.embed([]).shape == (0, 16)


def test_a_model_says_what_it_has_not_learnt(model) -> None:
    words = replace(model, card=replace(model.card, speakers=None))
    with pytest.raises(ValueError, match="has learnt words only, so it can't tell speakers apart"):
        words.embed(["a.wav"])
    voices = replace(model, card=replace(model.card, vocabulary=None))
    with pytest.raises(ValueError, match="has learnt speakers only, so it can't transcribe"):
        voices.transcribe(["a.wav"])


def test_a_folder_that_is_no_run_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"is no run folder: it has no model\.json"):
        duovox.load(tmp_path)
