"""The subcommands that use a trained model, as a user types them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

import duovox
from duovox.cli import app


@pytest.fixture(scope="module")
def run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of a finished run, for all commands of this file."""
    return Path(shutil.copytree(finished_run, tmp_path_factory.mktemp("cli") / "run"))


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that gives arguments to `duovox` in this process."""
    monkeypatch.delenv("DUOVOX_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def audio(tiny_corpus: Path) -> list[Path]:
    return [tiny_corpus / "audio" / name for name in ("i/ONE0.flac", "i/TWO1.flac", "j/SIX0.flac")]


def test_transcribe_prints_a_path_and_a_text_per_line(type_in, run, audio) -> None:
    result = type_in("transcribe", run, *audio)
    assert result.exit_code == 0
    texts = duovox.load(run).transcribe(audio)
    expected = [f"{path}\t{text}" for path, text in zip(audio, texts, strict=True)]
    assert result.stdout.splitlines() == expected


def test_what_was_done_to_the_audio_goes_to_the_error_stream(type_in, run, tmp_path) -> None:
    path = tmp_path / "telephone.wav"
    soundfile.write(path, 0.1 * np.sin(np.arange(8000)), 8000)
    result = type_in("transcribe", run, path)
    assert result.stderr.strip() == f"{path}: resampled from 8000 Hz"
    assert len(result.stdout.splitlines()) == 1


def test_how_far_several_files_are_goes_to_the_error_stream(type_in, run, audio, tmp_path) -> None:
    result = type_in("transcribe", run, *audio)
    assert "transcribing: 3 of 3 files in " in result.stderr
    result = type_in("embed", run, *audio, "--out", tmp_path / "voices.npz")
    assert "embedding: 3 of 3 files in " in result.stderr


def test_a_folder_is_transcribed_file_by_file(type_in, run, tiny_corpus) -> None:
    folder = tiny_corpus / "audio" / "i"
    result = type_in("transcribe", run, folder, "--batch-size", 2)
    assert result.exit_code == 0
    paths = sorted(folder.glob("*.flac"))
    texts = duovox.load(run).transcribe(paths)
    expected = [f"{path}\t{text}" for path, text in zip(paths, texts, strict=True)]
    assert result.stdout.splitlines() == expected


def test_a_bad_file_is_named_and_the_others_are_transcribed(type_in, run, audio, tmp_path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no audio")
    result = type_in("transcribe", run, audio[0], text, audio[1])
    assert result.exit_code == 1
    told = [line.split("\t")[0] for line in result.stdout.splitlines()]
    assert told == [str(audio[0]), str(audio[1])]
    assert f"error: {text} can't be used: ffmpeg cannot decode" in result.stderr


def test_words_are_printed_with_their_times(type_in, run, audio) -> None:
    result = type_in("transcribe", run, *audio, "--times")
    words = [(p, w) for p, ws in zip(audio, duovox.load(run).words(audio), strict=True) for w in ws]
    expected = [
        f"{path}\t{word.start_seconds:.2f}\t{word.stop_seconds:.2f}\t{word.word}"
        for path, word in words
    ]
    assert result.stdout.splitlines() == expected


def test_long_audio_is_told_with_its_speed(type_in, run, tmp_path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, 0.1 * np.sin(np.arange(61 * 16_000)), 16_000)
    result = type_in("transcribe", run, path, "--window-seconds", 5, "--context-seconds", 1)
    assert "61 s of audio in" in result.stderr
    assert "real-time factor" in result.stderr


def test_a_folder_without_audio_is_refused(type_in, run, tmp_path) -> None:
    result = type_in("transcribe", run, tmp_path)
    assert result.exit_code == 1
    assert f"{tmp_path} has no audio file: none ends in .aac" in result.stderr


def test_compare_tells_whether_two_runs_differ(type_in, run) -> None:
    result = type_in("compare", run, run)
    assert result.exit_code == 0, result.output
    assert "demo: no significant difference in WER" in result.stdout
    assert "demo_voices: no significant difference in EER" in result.stdout
    assert type_in("compare", run, run, "--set", "mars").exit_code == 1


def test_embed_writes_one_unit_vector_per_file(type_in, run, audio, tmp_path) -> None:
    out = tmp_path / "voices.npz"
    result = type_in("embed", run, *audio, "--out", out)
    assert result.exit_code == 0
    assert f"{out}: 3 embeddings of width 16" in result.stdout
    with np.load(out) as saved:
        assert saved["paths"].tolist() == list(map(str, audio))
        np.testing.assert_allclose(saved["embeddings"], duovox.load(run).embed(audio), atol=1e-6)


def test_embed_says_the_name_of_the_file_it_writes(type_in, run, audio, tmp_path) -> None:
    result = type_in("embed", run, audio[0], "--out", tmp_path / "emb")
    assert f"{tmp_path / 'emb.npz'}: 1 embeddings" in result.stdout
    assert (tmp_path / "emb.npz").is_file()


@pytest.mark.parametrize(
    ("threshold", "verdict"), [("-1", "same speaker"), ("1.1", "different speakers")]
)
def test_verify_decides_by_a_threshold(type_in, run, audio, threshold, verdict) -> None:
    result = type_in("verify", run, audio[0], audio[1], "--threshold", threshold)
    score = duovox.load(run).verify(audio[0], audio[1])
    expected = f"score {score:.4f}  threshold {float(threshold):.4f}  {verdict}"
    assert result.stdout.strip() == expected


def test_verify_takes_the_threshold_of_the_run_if_it_has_one(type_in, run, audio, tmp_path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    threshold = metrics["test"]["demo_voices"]["eer_threshold"]
    assert f"threshold {threshold:.4f}" in type_in("verify", run, *audio[:2]).stdout
    unscored = Path(shutil.copytree(run, tmp_path / "unscored"))
    (unscored / "metrics.json").unlink()
    assert "threshold" not in type_in("verify", unscored, *audio[:2]).stdout


def test_evaluate_prints_a_table_and_says_where_the_results_are(type_in, run, tiny_corpus) -> None:
    demo = tiny_corpus / "demo"
    trials = ["--trials", demo / "trials_test.txt"]
    result = type_in("evaluate", run, "--data", demo / "test", *trials, "--name", "again")
    assert result.exit_code == 0, result.output
    folder = run / "evaluations" / "again"
    found = json.loads((folder / "metrics.json").read_text())["test"]
    first = json.loads((run / "metrics.json").read_text())["test"]
    assert found["test"] == first["demo"]
    assert f"results: {folder}" in result.stdout
    assert f"{100 * found['test']['wer']:.2f}" in result.stdout
    assert f"{100 * found['trials_test']['eer']:.2f}" in result.stdout


def test_report_is_written_anew(type_in, run) -> None:
    path = run / "report.html"
    path.unlink()
    result = type_in("report", run)
    assert result.exit_code == 0
    assert str(path) in result.stdout
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["transcribe", "{empty}", "{audio}"], "is no run folder: it has no model.json"),
        (["transcribe", "{run}", "{text}"], "ffmpeg cannot decode"),
        (["embed", "{run}", "{text}", "--out", "{empty}/a.npz"], "ffmpeg cannot decode"),
        (["verify", "{run}", "{audio}", "{empty}/gone.wav"], "there is no audio file"),
        (["evaluate", "{run}", "--data", "{empty}"], "is no data set"),
        (["report", "{empty}"], "is no run folder"),
    ],
)
def test_a_mistake_ends_in_a_sentence_and_exit_code_1(
    type_in, run, audio, tmp_path, arguments, message
) -> None:
    empty, text = tmp_path / "empty", tmp_path / "notes.txt"
    empty.mkdir()
    text.write_text("no audio")
    places = {"run": run, "audio": audio[0], "empty": empty, "text": text}
    result = type_in(*(argument.format(**places) for argument in arguments))
    assert result.exit_code == 1
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_an_error_out_of_a_worker_is_said_without_its_traceback(type_in, monkeypatch) -> None:
    def fail(run: Path) -> None:
        raise ValueError(
            "Caught ValueError in DataLoader worker process 0.\nOriginal Traceback (most recent "
            'call last):\n  File "x.py", line 1, in f\nValueError: a.tar: s/t/1: silence\n'
        )

    monkeypatch.setattr("duovox.run.report.run_folder.is_run", lambda path: True)
    monkeypatch.setattr("duovox.run.report.write_report", fail)
    assert type_in("report", "run").stderr == "error: a.tar: s/t/1: silence\n"


@pytest.mark.parametrize(
    "arguments", [["transcribe"], ["evaluate", "run"], ["embed", "run", "a.wav"], ["sing"]]
)
def test_wrong_usage_ends_in_exit_code_2(type_in, arguments) -> None:
    assert type_in(*arguments).exit_code == 2
