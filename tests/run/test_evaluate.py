"""Every number of a finished run follows from the files beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jiwer
import pytest
import yaml

from duovox.data.dataset.index import Index


def metrics_of(run: Path) -> dict[str, Any]:
    metrics: dict[str, Any] = json.loads((run / "metrics.json").read_text())
    return metrics


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


@pytest.mark.parametrize(("kind", "folder"), [("test", "."), ("validation", "validation")])
def test_the_hypotheses_give_the_word_error_rate(finished_run: Path, kind, folder) -> None:
    rows = [
        json.loads(line) for line in lines_of(finished_run / folder / "hypotheses" / "demo.jsonl")
    ]
    found = metrics_of(finished_run)[kind]["demo"]
    references, texts = ([row[name] for row in rows] for name in ("reference", "hypothesis"))
    assert found["wer"] == pytest.approx(jiwer.wer(references, texts))
    assert found["num_utterances"] == len(rows) == 12
    for row in rows:
        assert row["wer"] == pytest.approx(jiwer.wer(row["reference"], row["hypothesis"]))
    assert set(rows[0]) == {"key", "reference", "hypothesis", "wer", "num_samples"}


def test_the_same_texts_are_there_for_sclite(finished_run: Path) -> None:
    folder = finished_run / "hypotheses"
    rows = [json.loads(line) for line in lines_of(folder / "demo.jsonl")]
    for name, column in (("demo.trn", "hypothesis"), ("demo.ref.trn", "reference")):
        expected = [f"{row[column]} ({row['key'].replace('/', '-')})".strip() for row in rows]
        assert lines_of(folder / name) == expected


def test_every_word_that_was_heard_has_its_time(finished_run: Path) -> None:
    folder, spoken = finished_run / "hypotheses", []
    rows = {
        row["key"].replace("/", "-"): row
        for row in map(json.loads, lines_of(folder / "demo.jsonl"))
    }
    for line in lines_of(folder / "demo.ctm"):
        utterance, channel, start, duration, word, score = line.split()
        spoken.append((utterance, word))
        assert channel == "1"
        assert 0 <= float(start) < float(start) + float(duration)
        assert float(start) + float(duration) <= rows[utterance]["num_samples"] / 16_000
        assert 0 < float(score) <= 1
    assert spoken == [
        (key, word) for key, row in rows.items() for word in row["hypothesis"].split()
    ]


def test_every_utterance_of_the_set_is_there_with_its_length(finished_run, tiny_corpus) -> None:
    index = Index.load([tiny_corpus / "demo" / "test"])
    expected = dict(zip(index.key, index.num_samples.tolist(), strict=True))
    rows = [json.loads(line) for line in lines_of(finished_run / "hypotheses" / "demo.jsonl")]
    assert {row["key"]: row["num_samples"] for row in rows} == expected


def test_the_score_file_holds_every_trial_of_the_list_in_its_order(
    finished_run, tiny_corpus
) -> None:
    asked = [line.split() for line in lines_of(tiny_corpus / "demo" / "trials_test.txt")]
    scored = [line.split() for line in lines_of(finished_run / "scores" / "demo_voices.txt")]
    names = {"1": "target", "0": "nontarget"}
    assert [[e, t, label] for e, t, _, label in scored] == [[e, t, names[x]] for x, e, t in asked]
    assert all(-1 <= float(score) <= 1 for _, _, score, _ in scored)


def test_the_scores_give_the_equal_error_rate(finished_run: Path) -> None:
    scored = [line.split() for line in lines_of(finished_run / "scores" / "demo_voices.txt")]
    found = metrics_of(finished_run)["test"]["demo_voices"]
    targets = [float(score) for _, _, score, label in scored if label == "target"]
    others = [float(score) for _, _, score, label in scored if label == "nontarget"]
    threshold = found["eer_threshold"]
    missed = sum(score < threshold for score in targets) / len(targets)
    accepted = sum(score >= threshold for score in others) / len(others)
    assert found["eer"] == pytest.approx(missed, abs=1 / len(targets))
    assert found["eer"] == pytest.approx(accepted, abs=1 / len(others))
    assert (found["num_trials"], found["num_targets"]) == (len(scored), len(targets))
    assert found["num_speakers"] == 2


def test_a_run_folder_holds_what_the_design_names(finished_run: Path) -> None:
    names = {path.name for path in finished_run.iterdir()}
    assert names >= {
        *("config.yaml", "environment.json", "model.json", "checkpoints", "metrics.csv"),
        *("metrics.json", "scores", "hypotheses", "plots", "report.html", "training.json"),
    }
    assert {path.name for path in (finished_run / "checkpoints").iterdir()} == {
        "best.ckpt",
        "last.ckpt",
    }
    training = metrics_of(finished_run)["training"]
    assert training["steps"] == 12
    assert training["seconds"] > 0
    heard = 12 * 36 * (6000 + 6500) / 2 / 16_000 / 3600  # all of 36 utterances in each speech batch
    assert training["audio_hours"] > heard
    config = yaml.safe_load((finished_run / "config.yaml").read_text())
    assert config["trainer"]["max_steps"] == 12  # resolved
    assert "${" not in (finished_run / "config.yaml").read_text()
    assert "hydra" not in config
