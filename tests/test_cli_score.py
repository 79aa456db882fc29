"""The subcommands around scores, as a user types them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from duovox.cli import app


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that gives arguments to `duovox` in this process."""
    monkeypatch.delenv("DUOVOX_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """Return a folder with embeddings and a trial list of `dev` and of `test`."""
    for name, seed in (("dev", 0), ("test", 1)):
        generator = np.random.default_rng(seed)
        keys = [f"{name}{speaker}/{take}" for speaker in range(6) for take in range(4)]
        speakers = generator.standard_normal((6, 5)).repeat(4, axis=0)
        voices = speakers + 0.9 * generator.standard_normal((24, 5))
        np.savez(tmp_path / f"{name}.npz", paths=np.array(keys), embeddings=voices)
        pairs = itertools.combinations(keys, 2)
        lines = [f"{int(a[:-1] == b[:-1])} {a}.wav {b}.wav\n" for a, b in pairs]
        (tmp_path / f"{name}_trials.txt").write_text("".join(lines))
    return tmp_path


def test_from_embeddings_to_fused_ratios(type_in, corpora, tmp_path, monkeypatch) -> None:
    for name, other in (("dev", "test"), ("test", "dev")):
        trials, out = corpora / f"{name}_trials.txt", tmp_path / f"{name}.txt"
        source = corpora / f"{name}.npz"
        result = type_in("score", source, "--trials", trials, "--out", out, "--eer-style", "nist")
        assert result.exit_code == 0, result.output
        assert "EER as nist reads it" in result.stdout
        cohort = ("--cohort", corpora / f"{other}.npz", "--top-n", 10)
        normed = tmp_path / f"{name}_normed.txt"
        assert type_in("score", source, "--trials", trials, "--out", normed, *cohort).exit_code == 0
        content = json.loads((tmp_path / f"{name}_normed.txt.json").read_text())
        assert content["top_n"] == 10
        assert content["results"][f"{name}_trials"]["num_trials"] == 276
    llrs = tmp_path / "llrs.txt"
    result = type_in("calibrate", tmp_path / "dev.txt", tmp_path / "test.txt", "--out", llrs)
    assert result.exit_code == 0, result.output
    assert "log-likelihood ratio = " in result.stdout
    assert (tmp_path / "llrs.txt.png").read_bytes().startswith(b"\x89PNG")
    files = [("--dev", tmp_path / f"dev{kind}.txt") for kind in ("", "_normed")]
    files += [("--test", tmp_path / f"test{kind}.txt") for kind in ("", "_normed")]
    result = type_in("fuse", *itertools.chain(*files), "--out", tmp_path / "fused.txt")
    assert result.exit_code == 0, result.output
    results = json.loads((tmp_path / "fused.txt.json").read_text())["results"]
    assert results["fused"]["cllr"] < results[str(tmp_path / "test.txt")]["cllr"]
    monkeypatch.setenv("COLUMNS", "80")
    again = type_in("score", tmp_path / "fused.txt", "--llrs")
    assert "fused" in again.stdout.partition("minCllr")[2]
    assert f"{results['fused']['cllr']:.3f}" in again.stdout


def test_utt2spk_gives_intervals_to_names_that_tell_nothing(type_in, tmp_path) -> None:
    scores, utt2spk = tmp_path / "scores.txt", tmp_path / "utt2spk"
    scores.write_text("1 2 0.9 target\n1 3 0.2 nontarget\n3 4 0.3 target\n2 4 0.4 nontarget\n")
    utt2spk.write_text("1 anna\n2 anna\n3 bert\n4 bert\n")
    assert "no intervals: the names don't tell" in type_in("score", scores).stdout
    assert "no intervals" not in type_in("score", scores, "--utt2spk", utt2spk).stdout


def test_a_mistake_is_a_sentence(type_in, corpora) -> None:
    result = type_in("score", corpora / "dev.npz", "--trials", corpora / "test_trials.txt")
    assert result.exit_code == 1
    assert "error: 24 of 24 utterances of the trial list test_trials have no" in result.stderr


@pytest.mark.parametrize("command", ["score", "calibrate"])
def test_nothing_is_written_over_what_is_read(type_in, tmp_path, command: str) -> None:
    read = tmp_path / "scores.txt"
    read.write_text("1 2 0.9 target\n1 3 0.2 nontarget\n")
    before = read.read_text()
    sources = [read] * (2 if command == "calibrate" else 1)
    result = type_in(command, *sources, "--out", tmp_path / "." / "scores.txt")
    assert result.exit_code == 1
    assert "would overwrite" in result.stderr
    assert read.read_text() == before
    beside = type_in(command, *sources, "--out", tmp_path / "s").stderr
    assert "would overwrite" not in beside
    (tmp_path / "s.json").write_text(before)
    beside = type_in(command, *[tmp_path / "s.json"] * len(sources), "--out", tmp_path / "s")
    assert "which is read: give another" in beside.stderr
    assert "is a folder" in type_in(command, *sources, "--out", tmp_path).stderr


def test_scores_that_are_distances_are_turned_round_with_a_warning(type_in, tmp_path) -> None:
    for name, speakers in (("dev", "ab"), ("test", "cd")):
        a, b = speakers
        (tmp_path / f"{name}.txt").write_text(
            f"{a}1 {a}2 0.1 target\n{b}1 {b}2 0.6 target\n"
            f"{a}1 {b}1 0.9 nontarget\n{a}2 {b}2 0.5 nontarget\n"
        )
    files = [tmp_path / f"{name}.txt" for name in ("dev", "test")]
    result = type_in("calibrate", *files, "--out", tmp_path / "out.txt")
    assert result.exit_code == 0, result.output
    assert "turned round" in result.stdout
