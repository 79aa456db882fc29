"""Language models, decoding and tuning, as a user types them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from duovox.cli import app


@pytest.fixture
def type_in(flashlight: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that gives arguments to `duovox` in this process."""
    monkeypatch.delenv("DUOVOX_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_from_transcripts_to_a_tuned_decoder_and_its_scores(
    type_in, finished_run: Path, tiny_corpus: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    lm, lexicon, demo = tmp_path / "lm.arpa.gz", tmp_path / "lexicon.txt", tiny_corpus / "demo"
    made = type_in("ngram", demo / "train", "--out", lm, "--lexicon", lexicon, "--order", 2)
    assert "36 sentences, 3 different words" in made.stdout

    options = ("--lm", lm, "--lexicon", lexicon, "--points", 2, "--rounds", 1, "--processes", 1)
    tuned = type_in("tune-decoder", run, "--data", demo / "valid", *options)
    assert tuned.exit_code == 0, tuned.output
    folder = run / "evaluations" / "valid" / "logits"
    decoder = folder / "decoder.yaml"
    assert yaml.safe_load(decoder.read_text())["lm_weight"] in {0.0, 5.0}

    test = demo / "test"
    scored = type_in("evaluate", run, "--data", test, "--decoder", decoder, "--store-logits")
    assert scored.exit_code == 0, scored.output
    results = run / "evaluations" / "test"
    logits, out = results / "logits" / "test.npz", tmp_path / "again"
    again = type_in("decode", logits, "--out", out, "--decoder", decoder)
    assert again.exit_code == 0, again.output
    metrics = [json.loads((place / "metrics.json").read_text()) for place in (results, out)]
    assert metrics[0]["test"] == metrics[1]["test"]
    texts = [
        json.loads(row)["hypothesis"]
        for row in (out / "hypotheses/test.jsonl").read_text().splitlines()
    ]
    assert set(" ".join(texts).split()) <= {"ONE", "TWO", "SIX"}


def test_transcribing_asks_the_language_model(
    type_in, finished_run: Path, tiny_corpus: Path, tmp_path: Path
) -> None:
    lm, lexicon = tmp_path / "lm.arpa", tmp_path / "lexicon.txt"
    (tmp_path / "text.txt").write_text("SIX\n")
    type_in("ngram", tmp_path / "text.txt", "--out", lm, "--lexicon", lexicon, "--order", 2)
    audio = tiny_corpus / "audio" / "i" / "ONE0.flac"
    result = type_in("transcribe", finished_run, audio, "--lm", lm, "--lexicon", lexicon)
    assert result.exit_code == 0, result.output
    assert result.stdout.split("\t")[1].split() in ([], ["SIX"], ["SIX", "SIX"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "run", "--data", "d", "--lexicon", "l"], "--lexicon needs a language model"),
        (["tune-decoder", "run"], "nothing to tune without a language model: give --lm"),
        (["tune-decoder", "run", "--lm", "lm"], "give the data to tune run on (--data)"),
        (["decode", "no.npz", "--out", "o"], "no.npz holds no logits"),
        (["evaluate", "r", "--data", "d", "--decoder", "no.yaml"], "can't be read as a decoder"),
    ],
)
def test_what_is_missing_is_said(type_in, arguments: list[str], message: str) -> None:
    result = type_in(*arguments)
    assert result.exit_code == 1
    assert message in result.stderr
