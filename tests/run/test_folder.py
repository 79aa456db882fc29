"""The same settings find the same folder; different ones never share one."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from duovox.run.folder import CIRCUMSTANCES, experiment_name, open_run_folder, run_folder, run_name
from duovox.run.settings import Settings

CONFIG: dict[str, Any] = {
    "project_name": "digits",
    "experiment_name": None,
    "tag": None,
    "seed": 1,
    "optim": {"algo": {"lr": 1e-3}},
    "trainer": {"max_steps": 4, "num_threads": None},
    "data": {"speech": {"train": ["a/b"], "test": {"c": "s3://d//e/"}}},
}


@pytest.mark.parametrize("place", CIRCUMSTANCES)
def test_circumstances_are_settings(place: str) -> None:
    record: Any = Settings
    for name in place.split("."):
        hint = get_type_hints(record)[name]
        record = get_args(hint)[0] if get_args(hint) else hint  # Speech | None


def test_several_gpus_make_another_run_as_each_brings_its_own_batches() -> None:
    names = {run_name(CONFIG | {"gpus": gpus}) for gpus in (0, 1, 2, 4)}
    assert len(names) == 3


@pytest.mark.parametrize("place", CIRCUMSTANCES)
def test_where_and_how_a_run_happens_does_not_change_its_name(place: str) -> None:
    config = deepcopy(CONFIG)
    *groups, name = place.split(".")
    group = config
    for key in groups:
        group = group.setdefault(key, {})
    group[name] = 0
    earlier = run_name(config)
    group[name] = 1
    assert run_name(config) == earlier


@pytest.mark.parametrize("path", ["a/b/", "a//b", "./a/b", "a/./b"])
def test_the_spelling_of_a_data_set_does_not_change_the_name(path: str) -> None:
    data = {"speech": {"train": [path], "test": {"c": "s3://d//e/"}}}
    assert run_name(CONFIG | {"data": data}) == run_name(CONFIG)


def test_a_language_model_does_not_change_the_name_as_only_the_last_scores_ask_it() -> None:
    asking = {"_target_": "duovox.decoding.ngram_beam.NgramBeamDecoder", "lm": "a", "use_lm": True}
    names = {run_name(CONFIG | {"decoder": one}) for one in (asking, asking | {"use_lm": False})}
    assert len(names) == 1
    beam = {"_target_": "duovox.decoding.beam.BeamDecoder", "beam_size": 16}
    assert run_name(CONFIG | {"decoder": beam}) not in names


def test_other_data_is_another_run() -> None:
    others = [
        {"speech": {"train": [path], "test": {"c": address}}}
        for path in ("a/b", "b", "a/../b", "/a/b")
        for address in ("s3://d//e/", "s3://d/e/")
    ]
    assert len({run_name(CONFIG | {"data": data}) for data in others}) == 8


def test_what_shapes_the_result_changes_the_name() -> None:
    names = {
        run_name(CONFIG),
        run_name(CONFIG | {"seed": 2}),
        run_name(CONFIG | {"optim": {"algo": {"lr": 1.1e-3}}}),
    }
    assert len(names) == 3
    assert all(len(name) == 12 and int(name, 16) >= 0 for name in names)


def test_the_order_of_settings_does_not_matter() -> None:
    assert run_name(dict(reversed(CONFIG.items()))) == run_name(CONFIG)


def test_the_drawn_experiment_name_is_the_same_for_the_same_settings() -> None:
    drawn = {experiment_name(CONFIG | {"seed": seed}) for seed in range(50)}
    assert experiment_name(CONFIG) == experiment_name(dict(CONFIG))
    assert len(drawn) > 40  # of 2560 names
    assert all(len(name.split("-")) == 3 for name in drawn)


def test_the_folder_is_project_experiment_and_run(tmp_path: Path) -> None:
    config = CONFIG | {"log_folder": str(tmp_path), "experiment_name": "first"}
    folder = run_folder(config)
    assert folder == tmp_path / "digits" / "first" / run_name(config)
    for _ in range(2):
        open_run_folder(folder, resume=True)
        assert [path.name for path in folder.parent.rglob("*")] == [folder.name, "checkpoints"]


def test_without_resume_earlier_runs_are_kept_and_numbered(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for attempt in range(3):
        open_run_folder(folder, resume=False)
        (folder / "attempt").write_text(str(attempt))
    kept = {path.name: (path / "attempt").read_text() for path in tmp_path.iterdir()}
    assert kept == {"run": "2", "run.1": "0", "run.2": "1"}


@pytest.mark.parametrize("variable", ["LOCAL_RANK", "RANK", "SLURM_PROCID"])
def test_the_folder_is_left_to_the_first_of_several_processes(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    open_run_folder(folder, resume=False)
    monkeypatch.setenv(variable, "1")
    open_run_folder(folder, resume=False)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
