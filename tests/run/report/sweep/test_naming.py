"""What runs are called by."""

from __future__ import annotations

from pathlib import Path

import pytest

from duovox.run.leaves import leaves
from duovox.run.report.sweep.naming import (
    differing,
    experiment_of,
    plain,
    settings_text,
    shown,
    telling,
)


def test_what_differs_is_told_once_and_circumstances_never() -> None:
    runs = [
        {"lr": rate, "copy": rate, "gpus": number, "steps": 4} for number, rate in enumerate((1, 2))
    ]
    assert differing(runs, circumstances=["gpus"]) == ["lr"]


def test_a_setting_that_one_run_lacks_differs() -> None:
    assert differing([{"a": 1}, {}], circumstances=()) == ["a"]


def test_a_variant_is_called_by_what_it_changes() -> None:
    method, pooling = "optim.loss.scale_method", "network.stat_pooling_type"
    runs = [
        {method: "static", pooling: "mean"},
        {method: "min", pooling: "mean"},
        {method: "static", pooling: "max"},
    ]
    assert telling(runs) == [{}, {method: "min"}, {pooling: "max"}]


def test_a_grid_of_two_values_and_rates_and_seeds_are_always_told() -> None:
    runs = [{"a": 1, "seed": 3, "optim.algo.lr": 1e-3}, {"a": 2, "seed": 3, "optim.algo.lr": 1e-3}]
    assert telling(runs) == runs


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"experiment_name": "study"}, "folder"),
        ({"experiment_name": None, "speech": {"a": 1}, "speaker": None}, "speech"),
        ({"experiment_name": None, "speech": {"a": 1}, "speaker": {"a": 1}}, "speech and speaker"),
    ],
)
def test_an_experiment_without_a_name_is_called_by_what_it_learns(config, name) -> None:
    assert experiment_of(Path("folder/run"), config) == name


def test_settings_are_written_as_they_are_typed() -> None:
    config = {"optim": {"algo": {"lr": 1e-5}, "loss": {"scale_method": None}}, "compile": True}
    text = settings_text(dict(leaves(config)))
    assert text == "algo.lr=1e-05, loss.scale_method=null, compile=true"
    assert (shown(0.0006824078427098838), shown(3.16e-05)) == ("0.000682", "3.16e-05")
    assert shown("/a/very/long/way/to/the/data/set/of/" + "x" * 30).startswith("…")


def test_a_spreadsheet_keeps_numbers_whole() -> None:
    values = [0.0006824078427098838, None, True, "min", [1, 2]]
    assert [plain(value) for value in values] == [values[0], "null", "true", "min", "[1, 2]"]
