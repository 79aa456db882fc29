"""The estimate of a run's rest, and the advice on long runs, each with its settings."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from duovox.run.build import read_settings
from duovox.run.estimate import Remainder, faster
from duovox.run.settings import Settings
from tests.conftest import REPOSITORY


def settings_of(name: str, *overrides: str) -> Settings:
    with initialize_config_dir(str(REPOSITORY / "config"), version_base="1.3"):
        return read_settings(compose(name, ["gpus=0", "use_wandb=false", *overrides]))[0]


@pytest.fixture(autouse=True)
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (0.5, 0.5, 0.5))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)


def remainder(**changes: Any) -> Remainder:
    values = {"num_validations": 0, "validation_seconds": None} | changes
    return Remainder(num_steps=1_480, step_seconds=0.25, **values)


def test_steps_alone_are_all_there_is_without_validations() -> None:
    assert str(remainder()) == "about 6 min to go (1,480 steps at 0.25 s)"
    assert remainder().seconds == 370


def test_validations_that_were_never_timed_are_left_out_and_said_to_be() -> None:
    left = remainder(num_validations=3)
    assert str(left) == "about 6 min to go without validations (1,480 steps at 0.25 s)"
    assert left.seconds == 370


def test_validations_that_were_timed_are_counted() -> None:
    left = remainder(num_validations=3, validation_seconds=70)
    assert str(left) == "about 10 min to go (1,480 steps at 0.25 s, 3 validations at 1 min)"
    assert left.seconds == 580


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0123, "0.012 s"), (1.0, "1 s"), (9.6, "9.6 s"), (12.4, "12 s")]
)
def test_a_step_is_as_long_as_two_digits_tell(seconds: float, text: str) -> None:
    left = Remainder(num_steps=1, step_seconds=seconds, num_validations=0, validation_seconds=None)
    assert str(left).endswith(f"(1 steps at {text})")


def test_on_a_cpu_a_gpu_and_fewer_steps_are_faster() -> None:
    ways = faster(settings_of("mt_speech_speaker", "+experiment=demo"), waiting=0.2)
    assert ways == ["a GPU (gpus=1)", "fewer steps (trainer.max_steps)"]


def test_on_a_gpu_there_is_nothing_to_say_of_the_machine() -> None:
    settings = replace(settings_of("mt_speech_speaker", "+experiment=demo"), gpus=1)
    assert faster(settings, waiting=0.2) == []


def test_much_waiting_asks_for_more_workers_of_every_task() -> None:
    way, *_ = faster(settings_of("mt_speech_speaker", "+experiment=demo"), waiting=0.36)
    assert way == (
        "more loader workers, for 36% of the time is spent waiting for data "
        "(speech.dataloader.num_workers=2 speaker.dataloader.num_workers=2)"
    )


def test_workers_where_there_are_none_are_one_or_two() -> None:
    way, *_ = faster(settings_of("speech", "speech.dataloader.num_workers=0"), waiting=0.5)
    assert way.endswith("(speech.dataloader.num_workers=2)")


def test_pre_training_has_words_of_its_own() -> None:
    ways = faster(settings_of("ssl"), waiting=0.5)
    assert "(data.pipe.train.num_workers=8)" in ways[0]
    assert "fewer steps (train.num_steps)" in ways
    assert "a smaller network (network/architecture=tiny)" in ways


def test_a_tiny_network_could_not_be_smaller() -> None:
    ways = faster(settings_of("ssl", "network/architecture=tiny"), waiting=0)
    assert not any("smaller" in way for way in ways)


def test_a_checkpoint_brings_its_own_size() -> None:
    ways = faster(settings_of("mt_speech_speaker"), waiting=0)
    assert (
        "a smaller network, from random weights "
        "(network.wav2vec_checkpoint=null network/architecture=tiny)"
    ) in ways


def test_32_bits_by_setting_could_be_fewer() -> None:
    few, many = (
        faster(settings_of("speech", f"trainer.precision={bits}"), waiting=0)
        for bits in ("bf16", "32")
    )
    assert [*set(many) - set(few)] == [
        "fewer bits where the processor is faster with them (trainer.precision=auto)"
    ]


def test_a_busy_machine_is_named(monkeypatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (9.24, 1, 1))
    *_, way = faster(settings_of("speech"), waiting=0)
    assert way == "a machine that is less busy (its load, with this run, is 9.2 on 4 cores)"


SETTINGS = ["trainer.max_steps=9", "gpus=1", "network/architecture=tiny"]
WORKERS = ["speech.dataloader.num_workers=9"]


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("mt_speech_speaker", [*SETTINGS, *WORKERS, "speaker.dataloader.num_workers=9"]),
        ("ft_asr", [*SETTINGS, *WORKERS, "load_from_ckpt=x"]),
        ("ssl", ["train.num_steps=9", "gpus=1", "data.pipe.train.num_workers=9"]),
    ],
)
def test_the_settings_that_are_named_can_be_typed(name: str, overrides: list[str]) -> None:
    with initialize_config_dir(str(REPOSITORY / "config"), version_base="1.3"):
        settings = read_settings(compose(name, overrides))[0]
    assert settings.trainer.max_steps == 9
    assert settings.gpus == 1
    parts = [part for part in (settings.speech, settings.speaker, settings.ssl) if part]
    assert {part.dataloader.num_workers for part in parts} == {9}
