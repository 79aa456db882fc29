"""A command finds its run, also where that began with another precision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from duovox.run import precision
from duovox.run.checkpoint import BestAndLast
from duovox.run.continued import find_run_folder
from duovox.run.folder import run_folder


@pytest.fixture
def config_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes the settings of a run on a processor without bf16."""
    monkeypatch.setattr(precision, "bf16_speed", lambda: 0.0)

    def settings(setting: object, **others: Any) -> dict[str, Any]:
        plain = {"log_folder": str(tmp_path), "project_name": "p", "experiment_name": None}
        return plain | {"resume": True, "gpus": 0, "trainer": {"precision": setting}} | others

    return settings


def begin(config: dict[str, Any], used: str | None) -> Path:
    """Make the folder of a run that has a checkpoint; with None, as earlier versions wrote it."""
    folder = run_folder(config)
    (folder / "checkpoints").mkdir(parents=True)
    callbacks = {} if used is None else {"precision": {"precision": used}}
    torch.save({"state_dict": {}, "callbacks": callbacks}, folder / "checkpoints" / "last.ckpt")
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.mark.parametrize("setting", ["auto", 16, "16", "bf16", 32])
def test_a_new_run_has_the_folder_of_its_settings(config_of, setting: object) -> None:
    assert find_run_folder(config_of(setting)) == run_folder(config_of(setting))


def test_auto_finds_what_an_earlier_version_trained_in_bf16(config_of) -> None:
    earlier = begin(config_of("bf16"), None)
    assert find_run_folder(config_of("auto")) == earlier


@pytest.mark.parametrize("is_finished", [False, True])
def test_it_still_does_once_it_has_resumed_it(config_of, is_finished: bool) -> None:
    """Its new checkpoints state their precision."""
    earlier = begin(config_of("bf16"), "bf16")
    (earlier / "config.yaml").write_text(yaml.safe_dump(config_of("auto")))  # the last start
    if is_finished:
        (earlier / "training.json").write_text("{}")
    assert find_run_folder(config_of("auto")) == earlier


@pytest.mark.parametrize("used", [None, "bf16"])
def test_what_an_earlier_version_began_resumes_in_float32_where_bf16_is_lost(
    config_of, used: str | None
) -> None:
    earlier = begin(config_of("bf16"), used)
    if used is not None:  # `auto` has resumed it since, elsewhere
        (earlier / "config.yaml").write_text(yaml.safe_dump(config_of("auto")))
    assert find_run_folder(config_of(32)) == earlier


def test_a_run_that_was_given_bf16_is_not_taken_over(config_of) -> None:
    begin(config_of("bf16"), "bf16")
    assert find_run_folder(config_of(32)) == run_folder(config_of(32))


def test_auto_and_a_run_that_was_to_be_in_bf16_are_two(config_of) -> None:
    begin(config_of("bf16"), "bf16")
    assert find_run_folder(config_of("auto")) == run_folder(config_of("auto"))


@pytest.mark.parametrize(("began", "used"), [("auto", "bf16"), (16, "bf16"), (16, None)])
@pytest.mark.parametrize("given", [32, "32", "bf16"])
def test_a_given_precision_resumes_a_run_whose_own_this_machine_lacks(
    config_of, began: object, used: str | None, given: object
) -> None:
    earlier = begin(config_of(began), used)
    assert find_run_folder(config_of(given)) == earlier


def test_it_still_does_once_the_run_is_finished(config_of) -> None:
    """Typed again, the same command must not train anew."""
    earlier = begin(config_of("auto"), "bf16")
    (earlier / "config.yaml").write_text(yaml.safe_dump(config_of(32)))  # the last start
    (earlier / "training.json").write_text("{}")
    assert find_run_folder(config_of(32)) == earlier


def test_a_given_precision_is_a_run_of_its_own_where_the_other_is_possible(
    config_of, monkeypatch
) -> None:
    begin(config_of("auto"), "bf16")
    monkeypatch.setattr(precision, "bf16_speed", lambda: 3.0)
    assert find_run_folder(config_of(32)) == run_folder(config_of(32))


def test_a_finished_run_is_not_taken_over(config_of) -> None:
    earlier = begin(config_of("auto"), "bf16")
    (earlier / "training.json").write_text("{}")
    assert find_run_folder(config_of(32)) == run_folder(config_of(32))


def test_a_run_of_its_own_comes_first(config_of) -> None:
    begin(config_of("auto"), "bf16")
    own = begin(config_of(32), "32")
    assert find_run_folder(config_of(32)) == own


def test_a_run_that_starts_over_leaves_the_others_alone(config_of) -> None:
    begin(config_of("auto"), "bf16")
    again = config_of(32, resume=False)
    assert find_run_folder(again) == run_folder(again)


@pytest.mark.parametrize("content", [b"", b"no checkpoint"])
def test_a_damaged_checkpoint_says_nothing(config_of, content: bytes) -> None:
    earlier = begin(config_of("auto"), "bf16")
    (earlier / "checkpoints" / "last.ckpt").write_bytes(content)
    assert find_run_folder(config_of(32)) == run_folder(config_of(32))


def test_an_interrupted_run_resumes_in_float32_where_its_own_precision_is_lost(
    run_door, tmp_path: Path, monkeypatch, capsys
) -> None:
    settings = [
        "eval_model=false",
        "callbacks.save_every_minutes=0",
        "trainer.val_check_interval=4",
    ]
    auto, given = [*settings, "trainer.precision=auto"], [*settings, "trainer.precision=32"]
    monkeypatch.setattr(precision, "bf16_speed", lambda: 3.0)
    end = BestAndLast.on_train_batch_end

    def fail_after_step_2(self: BestAndLast, trainer: Any, *rest: Any) -> None:
        end(self, trainer, *rest)
        if trainer.global_step == 2:
            raise ValueError("the power is gone")

    monkeypatch.setattr(BestAndLast, "on_train_batch_end", fail_after_step_2)
    with pytest.raises(ValueError, match="the power is gone"):
        run_door("speech", *auto)
    monkeypatch.setattr(BestAndLast, "on_train_batch_end", end)
    monkeypatch.setattr(precision, "bf16_speed", lambda: 0.02)  # another machine
    with pytest.raises(ValueError, match=r"trained in bf16 .* trainer\.precision=32"):
        run_door("speech", *auto)
    (written,) = tmp_path.glob("logs/*/*/*/training.json")
    training = json.loads(written.read_text())
    assert training["reason"].startswith("training did not resume: this run was trained in bf16")
    assert (training["steps"], training["precision"]) == (2, "bf16")  # of the attempt before
    capsys.readouterr()
    run_door("speech", *given)
    printed = capsys.readouterr().out
    assert "changed since this run was last started: trainer.precision: auto -> 32\n" in printed
    assert "precision: 32 (trainer.precision)\n" in printed
    assert "resuming from step 2 of 4\n" in printed
    training = json.loads(written.read_text())
    assert (training["steps"], training["precision"]) == (4, "32")
    assert training["flops"] > 0
    run_door("speech", *given)
    assert "this run is already trained" in capsys.readouterr().out
