"""Pluggable settings: chosen by name, made with checked arguments, and only from allowed places."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

from duovox.network.pooling.first_cls import FirstClassPooling
from duovox.network.wav2vec2.architecture import tiny as tiny_sizes
from duovox.run.option import (
    ALGORITHMS,
    ARCHITECTURES,
    POOLINGS,
    SCHEDULES,
    WEIGHTINGS,
    choose,
    make,
)

TABLE = {"none": {"_target_": "duovox.a"}, "min": {"_target_": "duovox.b"}}
ADAM = {"_target_": "torch.optim.Adam", "lr": 1e-3, "betas": [0.8, 0.9]}


def parameters() -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.zeros(1))]


def test_an_option_is_picked_by_name_and_null_picks_none() -> None:
    assert choose(TABLE, "min", setting="s") is TABLE["min"]
    assert choose(TABLE, None, setting="s") is TABLE["none"]


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"optim\.loss\.scale_method must be one of min, none; got 'mni'"
    ):
        choose(TABLE, "mni", setting="optim.loss.scale_method")


def test_an_option_is_called_with_its_settings_and_lists_become_tuples() -> None:
    adam = make(ADAM, parameters(), path="optim.algo", within=ALGORITHMS)
    assert isinstance(adam, torch.optim.Adam)
    assert adam.defaults["lr"] == 1e-3
    assert adam.defaults["betas"] == (0.8, 0.9)


def test_what_is_offered_reaches_only_targets_that_take_it() -> None:
    adam = make(
        ADAM, parameters(), path="optim.algo", within=ALGORITHMS, max_steps=7
    )  # has no such parameter
    node = {"_target_": "duovox.optim.schedule.one_cycle.one_cycle", "div_factor": 4.0}
    schedule = make(node, adam, path="optim.schedule", within=SCHEDULES, max_steps=7)
    assert schedule.total_steps == 7
    constant = {"_target_": "duovox.optim.schedule.constant.constant"}
    assert isinstance(
        make(constant, adam, path="optim.schedule", within=SCHEDULES, max_steps=7), LambdaLR
    )


def test_a_setting_of_the_option_wins_over_what_is_offered() -> None:
    name = "duovox.network.pooling.first_cls.FirstClassPooling"
    node = {"_target_": name, "is_learnable": True, "class_width": 3}
    pooling = make(node, 8, path="p", within=POOLINGS, class_width=5)
    assert isinstance(pooling, FirstClassPooling)
    assert pooling.class_frame is not None
    assert pooling.class_frame.shape == (3,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"momentun": 1},
            r"unknown setting optim\.algo\.momentun\. .*Valid here \(optim\.algo\): ",
        ),
        ({"ep": 1}, r"unknown setting optim\.algo\.ep\. Did you mean optim\.algo\.eps\?"),
        ({"params": []}, r"unknown setting optim\.algo\.params"),
        ({"lr": "fast"}, r"optim\.algo\.lr must be of type .*float.*, got 'fast'"),
        ({"lr": -1.0}, r"optim\.algo.*Invalid learning rate: -1\.0"),
        ({"_target_": "os.system"}, r"optim\.algo\._target_ must name something in torch\.optim"),
        ({"_target_": "torch.optimum.Adam"}, r"_target_ must name something in torch\.optim, got"),
        ({"_target_": None}, r"optim\.algo\._target_ must name something in torch.*got None"),
        ({"_target_": "torch.optim.Adan"}, r"names torch\.optim\.Adan, which does not exist"),
        ({"_target_": "torch.optim.algo.Adam"}, r"optim\.algo\.Adam, which does not exist"),
        ({"_target_": "torch.optim.lr_scheduler"}, r"lr_scheduler, which is no class or function"),
        ({"_target_": "torch.optim.adam.cast"}, r"cast, which is defined in typing; it must be"),
    ],
)
def test_a_bad_option_is_refused_by_name(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(ADAM | change, parameters(), path="optim.algo", within=ALGORITHMS)


def test_only_what_has_the_kind_of_the_option_is_called() -> None:
    node = {"_target_": "duovox.network.wav2vec2.pretrained.load", "source": "x", "trust": True}
    with pytest.raises(ValueError, match=r"something in duovox\.network\.wav2vec2\.architecture, "):
        make(node, path="network.architecture", within=ARCHITECTURES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"width": 15},
            r"^network\.architecture\.width must be a multiple of num_heads, got width=15",
        ),
        ({"num_layers": 0}, r"^network\.architecture\.num_layers must be at least 1, got 0"),
        ({"width": 16.0}, r"^network\.architecture\.width must be of type int, got 16\.0"),
        ({"conv_channels": [0] * 7}, r"^network\.architecture\.conv_channels must be at least 1"),
    ],
)
def test_a_setting_that_its_target_refuses_is_named_with_its_place(
    change: dict[str, object], message: str
) -> None:
    tiny = {"_target_": "duovox.network.wav2vec2.architecture.Architecture", **asdict(tiny_sizes())}
    with pytest.raises(ValueError, match=message):
        make(tiny | change, path="network.architecture", within=ARCHITECTURES)


def test_a_missing_setting_is_named() -> None:
    node = {"_target_": "duovox.loss.weighting.static.StaticWeighting"}
    with pytest.raises(ValueError, match=r"w does not fit .*missing 1 required .*speech_weight"):
        make(node, path="w", within=WEIGHTINGS)
