"""The runs below a folder: their order, their names, their numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from duovox.run.report.sweep.runs import mean_over_sets, read_sweep
from duovox.run.report.sweep.state import Status


def test_runs_are_told_apart_by_the_settings_that_differ_and_in_their_order(sweep: Path) -> None:
    runs = read_sweep(sweep)
    assert [run.settings for run in runs] == [
        {"data.speech.sample.seed": seed} for seed in (1, 2, 3, 10)
    ]
    assert runs[1].name == "digits: sample.seed=2"
    assert [run.folder.name for run in runs] == ["c8", "c7", "c6", "d"]
    assert [run.state.status for run in runs] == [Status.DONE] * 3 + [Status.STOPPED]
    assert [run.objective for run in runs] == [0.40, 0.44, 0.48, None]


def test_each_experiment_has_its_own_settings(study: Path) -> None:
    assert [run.name for run in read_sweep(study)] == [
        "both: loss.scale_method=null, seed=1",
        "both: loss.scale_method=null, seed=2",
        "both: loss.scale_method=min, seed=1",
        "both: loss.scale_method=min, seed=2",
        "voices-alone",
        "words-alone: algo.lr=0.0001",
        "words-alone: algo.lr=0.001",
        "words-alone: algo.lr=0.01",
    ]


def test_runs_put_aside_do_not_count(sweep: Path, write_run) -> None:
    write_run(sweep / "c8.1", sample_seed=1, wer=0.9)
    assert "c8.1" not in [run.folder.name for run in read_sweep(sweep)]


def test_circumstances_tell_no_runs_apart(sweep: Path, write_run) -> None:
    write_run(sweep / "f", sample_seed=4, wer=0.5, tag="b")
    assert "tag" in read_sweep(sweep)[0].settings
    assert "tag" not in read_sweep(sweep, circumstances=["tag"])[0].settings


def test_the_mean_over_sets_is_over_those_that_have_the_measure() -> None:
    assert mean_over_sets([{"wer": 0.2}, {"wer": 0.4}, {"eer": 0.9}], "wer") == pytest.approx(0.3)
    assert mean_over_sets([{"eer": 0.9}], "wer") is None


def test_a_folder_without_runs_is_an_error(make_run: Callable[[dict[str, str]], Path]) -> None:
    with pytest.raises(ValueError, match="has no runs in it"):
        read_sweep(make_run({}))


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({"config.yaml": "{"}, "config.yaml is damaged: "),
        ({"config.yaml": ""}, "config.yaml is damaged: it holds no settings"),
        ({"metrics.json": "{"}, "metrics.json is damaged: "),
        ({"metrics.json": "[]"}, "metrics.json is damaged: "),
        ({"metrics.json": '{"test": null}'}, "metrics.json is damaged: "),
        ({"metrics.json": '{"test": {"words": 5}}'}, "metrics.json is damaged: "),
        ({"metrics.json": '{"validation": {"w": {"wer": "x"}}}'}, "metrics.json is damaged: "),
        ({"training.json": '{"st'}, "training.json is damaged: "),
        ({"training.json": "{}"}, "training.json is damaged: 'steps'"),
        ({"training.json": '{"steps": Infinity}'}, "training.json is damaged: "),
        ({"metrics.csv": "epoch,step\n\0\n"}, "metrics.csv is damaged: "),
        ({"metrics.csv": "epoch,step\n0,\n"}, "metrics.csv is damaged: "),
        ({"error.txt": b"\xff"}, "error.txt is damaged: "),
    ],
)
def test_a_damaged_run_is_named_beside_the_others(
    sweep: Path, files: dict[str, str | bytes], error: str
) -> None:
    num_others = len(read_sweep(sweep))
    folder = sweep / "hurt"
    folder.mkdir()
    for name, content in ({"config.yaml": "a: 1"} | files).items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    *others, hurt = read_sweep(sweep)
    assert len(others) == num_others
    assert hurt.folder == folder
    assert hurt.state.status == "damaged"
    assert error in hurt.state.remark


def test_numbers_that_are_not_finite_were_not_measured(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "e" / "a", wer=0.2, eer=math.nan)
    (run,) = read_sweep(tmp_path)
    assert run.results.keys() == run.validation.keys() == {"words"}
