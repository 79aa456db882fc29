"""A finished run can be scored again on any data, and gives the same numbers on the same data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from duovox.data.dataset.index import Index
from duovox.run.again import evaluate_again
from duovox.run.significance import compare_runs


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """Return a copy of the finished run."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


@pytest.mark.parametrize("batch_size", [1, 5])
def test_the_test_set_gives_the_numbers_of_the_run_again(run, tiny_corpus, batch_size) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    demo = tiny_corpus / "demo"
    metrics, folder = evaluate_again(
        run,
        demo / "test",
        trials=demo / "trials_test.txt",
        name="again",
        batch_size=batch_size,
        num_workers=0,
    )
    first = json.loads((run / "metrics.json").read_text())["test"]
    assert metrics["test"]["test"] == first["demo"]
    assert metrics["test"]["trials_test"].keys() == first["demo_voices"].keys()
    for name, value in first["demo_voices"].items():
        assert metrics["test"]["trials_test"][name] == pytest.approx(value, abs=1e-5)
    assert folder == run / "evaluations" / "again"
    assert json.loads((folder / "metrics.json").read_text()) == metrics
    rows = sorted((run / "hypotheses" / "demo.jsonl").read_text().splitlines())
    again = sorted((folder / "hypotheses" / "test.jsonl").read_text().splitlines())
    assert rows == again
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert before.items() <= after.items()  # nothing is overwritten
    assert all(folder in path.parents for path in after.keys() - before.keys())


def test_without_trials_words_are_scored_under_the_name_of_the_data(run, tiny_corpus) -> None:
    metrics, folder = evaluate_again(run, tiny_corpus / "demo" / "valid", num_workers=0)
    assert list(metrics["test"]) == ["valid"]
    assert folder.name == "valid"
    assert metrics["decoder"] == json.loads((run / "metrics.json").read_text())["decoder"]


def test_training_data_is_scored_with_a_warning(run, tiny_corpus) -> None:
    with pytest.warns(UserWarning, match=r"36 of 36 utterances of train are also in training"):
        metrics, _ = evaluate_again(run, tiny_corpus / "demo" / "train", num_workers=0)
    assert metrics["test"]["train"]["num_utterances"] == 36


@pytest.fixture(scope="module")
def voices_only(make_door, tmp_path_factory) -> Path:
    """Return a run that has learnt speakers only."""
    door = make_door(tmp_path_factory.mktemp("voices"))
    door("speaker", "eval_model=false")
    return door.run_folder


@pytest.fixture(scope="module")
def words_only(make_door, tmp_path_factory) -> Path:
    """Return a run that has learnt words only."""
    door = make_door(tmp_path_factory.mktemp("words"))
    door("speech", "eval_model=false")
    return door.run_folder


def test_a_run_that_knows_no_words_wants_trials(voices_only, tiny_corpus) -> None:
    with pytest.raises(ValueError, match=r"nothing to score: .* speakers only.*\(--trials\)"):
        evaluate_again(voices_only, tiny_corpus / "demo" / "test")


def test_a_run_that_knows_no_speakers_scores_no_trials(words_only, tiny_corpus) -> None:
    demo = tiny_corpus / "demo"
    with pytest.raises(ValueError, match="this run has learnt words only, so it can't score a tr"):
        evaluate_again(words_only, demo / "test", trials=demo / "trials_test.txt")


def test_trials_of_other_data_are_listed_as_missing(run, tiny_corpus) -> None:
    demo = tiny_corpus / "demo"
    with pytest.raises(ValueError, match=r"12 of 12 entries .* no audio.*\n.*i/s/"):
        evaluate_again(run, demo / "valid", trials=demo / "trials_test.txt")


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", "/x"])
def test_a_name_that_leads_elsewhere_is_refused(run, tiny_corpus, name) -> None:
    with pytest.raises(ValueError, match=r"must be a plain name .*change --name"):
        evaluate_again(run, tiny_corpus / "demo" / "test", name=name)


def test_results_of_other_data_are_not_overwritten(run, tiny_corpus, tmp_path) -> None:
    test = tiny_corpus / "demo" / "test"
    metrics, folder = evaluate_again(run, test, num_workers=0)
    other = shutil.copytree(test, tmp_path / "test")
    with pytest.raises(ValueError, match=rf"results of {test}, not of {other}; .*--name"):
        evaluate_again(run, Path(other), num_workers=0)
    assert json.loads((folder / "metrics.json").read_text()) == metrics
    assert evaluate_again(run, test, num_workers=0) == (metrics, folder)


def test_results_of_another_decoder_are_not_overwritten(run, tiny_corpus) -> None:
    test, beam = tiny_corpus / "demo" / "test", {"_target_": "duovox.decoding.beam.BeamDecoder"}
    metrics, folder = evaluate_again(run, test, num_workers=0, decoder=beam)
    assert metrics["decoder"] == beam
    with pytest.raises(ValueError, match=r"test holds the results of a.* decoder.*; .*--name"):
        evaluate_again(run, test, num_workers=0)
    assert json.loads((folder / "metrics.json").read_text()) == metrics
    assert evaluate_again(run, test, num_workers=0, decoder=beam) == (metrics, folder)


def test_two_decoders_of_a_run_are_compared(run, tiny_corpus) -> None:
    test, beam = tiny_corpus / "demo" / "test", {"_target_": "duovox.decoding.beam.BeamDecoder"}
    _, greedy = evaluate_again(run, test, num_workers=0)
    metrics, other = evaluate_again(run, test, num_workers=0, name="beam", decoder=beam)
    (found,) = compare_runs(greedy, other)
    assert (found.set_name, found.second) == ("test", metrics["test"]["test"]["wer"])


def test_trials_hear_the_chunks_that_the_run_was_tested_on(run, tiny_corpus) -> None:
    def score(name: str) -> str:
        demo = tiny_corpus / "demo"
        trials = demo / "trials_test.txt"
        _, folder = evaluate_again(run, demo / "test", trials=trials, name=name, num_workers=0)
        return (folder / "scores" / "trials_test.txt").read_text()

    whole = score("whole")
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["speaker"]["pipeline"]["selector_test"]["desired_chunk_length_sec"] = 0.1
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    assert score("chunks") != whole


def test_trials_between_training_speakers_are_refused(run, tiny_corpus, tmp_path) -> None:
    index = Index.load([tiny_corpus / "demo" / "train"])
    trials = tmp_path / "seen.txt"
    trials.write_text(f"1 {index.key[0]} {index.key[1]}\n0 {index.key[0]} {index.key[-1]}\n")
    with pytest.raises(ValueError, match=r"2 speakers of trial list seen are also in training"):
        evaluate_again(run, tiny_corpus / "demo" / "train", trials=trials)


def test_a_folder_that_is_no_data_set_or_no_run_is_refused(run, tiny_corpus, tmp_path) -> None:
    with pytest.raises(ValueError, match=r"dataset\.json"):
        evaluate_again(run, tmp_path)
    with pytest.raises(ValueError, match=r"is no run folder: it has no model\.json"):
        evaluate_again(tmp_path, tiny_corpus / "demo" / "test")
