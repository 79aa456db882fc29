"""Fine-tuning from the command line: the source's command, and the published conditions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir

from duovox.run.build import read_settings
from duovox.run.network import build_network
from duovox.run.settings import Settings

CONFIG = Path(__file__).resolve().parents[1] / "config"
TINY_ARCHITECTURE = ["network/architecture=tiny", "network.architecture.num_layers=1"]
SUBSETS = {
    "ft_min_10": ["librilight-10m"],
    "ft_1h": ["librilight-10m", "librilight-50m"],
    "ft_10h": ["librilight-10m", "librilight-50m", "librilight-9h"],
    "ft_100h": ["train-clean-100"],
    "ft_960h": ["train-clean-100", "train-clean-360", "train-other-500"],
}
STEPS = {
    "ft_min_10": 12_000,
    "ft_1h": 13_000,
    "ft_10h": 20_000,
    "ft_100h": 80_000,
    "ft_960h": 320_000,
}
PUBLISHED: dict[str, Any] = {
    "optim.algo._target_": "torch.optim.Adam",
    "optim.algo.lr": 5e-5,
    "optim.algo.betas": [0.9, 0.98],
    "optim.algo.weight_decay": 0.0,
    "optim.schedule.warmup_ratio": 0.1,
    "optim.schedule.constant_ratio": 0.4,
    "optim.schedule.initial_lr_ratio": 0.01,
    "optim.schedule.final_lr_ratio": 0.05,
    "speech.dataloader.train_max_num_samples": 180 * 16_000,
    "speech.pipeline.max_seconds": 30.0,
    "speech.pipeline.normalize": False,
    "network.completely_freeze_feature_extractor": True,
    "network.freeze_feature_projection": True,
    "network.wav2vec_initially_frozen": True,
    "network.num_frozen_steps": 5_000,
    "network.ctc_blank_bias": 5.0,
    "network.ctc_token_scale": 0.1,
    "network.regularisation.attention_dropout": 0.1,
    "network.regularisation.layerdrop": 0.0,
    "network.regularisation.mask_time_prob": 0.05,
    "network.regularisation.mask_time_length": 10,
    "network.regularisation.mask_feature_prob": 0.0,
    "trainer.val_check_interval": 5_000,
    "trainer.precision": 16,
    "trainer.gradient_clip_val": 0.0,
    "callbacks.monitor": None,  # the last checkpoint is scored
}


def settings_of(*overrides: str) -> Settings:
    with initialize_config_dir(str(CONFIG), version_base="1.3"):
        return read_settings(compose("ft_asr", list(overrides)))[0]


def value(node: Any, path: str) -> Any:
    for name in path.split("."):
        node = node[name] if isinstance(node, dict) else getattr(node, name)
    return node


@pytest.mark.parametrize("condition", SUBSETS)
def test_the_published_command_is_the_published_run(condition: str) -> None:
    settings = settings_of(f"+experiment={condition}", "load_from_ckpt=/a/b.ckpt", "data_folder=D")
    assert {path: value(settings, path) for path in PUBLISHED} == PUBLISHED
    assert settings.network.wav2vec_checkpoint == "/a/b.ckpt"
    assert settings.load_network_from_checkpoint is None  # the heads are new
    assert settings.trainer.max_steps == STEPS[condition]
    assert settings.data.speech is not None
    shards = [f"D/librispeech_shards/{name}" for name in SUBSETS[condition]]
    assert settings.data.speech.train == shards
    assert [*settings.data.speech.validation] == ["clean_100", "clean_360", "other_500"]
    assert [*settings.data.speech.test] == ["dev_clean", "dev_other", "test_clean", "test_other"]


STUDY: dict[str, Any] = {
    "optim.algo._target_": "torch.optim.AdamW",
    "optim.algo.lr": 5e-5,
    "optim.algo.weight_decay": 0.0,
    "optim.schedule._target_": "duovox.optim.schedule.tri_stage.linear_tri_stage",
    "optim.schedule.warmup_ratio": 0.1,
    "optim.schedule.constant_ratio": 0.4,
    "speech.dataloader.train_max_num_samples": None,
    "speech.dataloader.train_batch_size": 2,
    "speech.pipeline.normalize": True,
    "trainer.accumulate_grad_batches": 8,
    "trainer.max_steps": 20_000,
    "trainer.precision": 16,
    "network.completely_freeze_feature_extractor": True,
    "network.wav2vec_initially_frozen": False,
    "network.regularisation.mask_time_prob": 0.4,
    "network.regularisation.mask_feature_prob": 0.008,
    "network.regularisation.attention_dropout": 0.094,
    "network.regularisation.activation_dropout": 0.055,
    "network.regularisation.hidden_dropout": 0.047,
    "network.regularisation.feat_proj_dropout": 0.04,
    "network.regularisation.layerdrop": 0.041,
    "data.speech.sample.minutes": 10.0,
}
REPLICATION = ("+experiment=replicate_10min", "load_from_ckpt=facebook/wav2vec2-xls-r-300m")


def test_the_replication_has_the_numbers_of_its_study() -> None:
    settings = settings_of(*REPLICATION, "data.set.sample_seed=3")
    assert {path: value(settings, path) for path in STUDY} == STUDY
    assert settings.speech is not None
    assert 9.99 < settings.speech.pipeline.max_seconds < 10
    assert value(settings, "data.speech.sample.seed") == 3


@pytest.mark.parametrize(
    ("override", "path", "expected"),
    [
        ("optim.algo.lr=1e-5", "optim.algo.lr", 1e-5),
        ("train.val_delay=500", "trainer.val_delay", 500),
        ("train.stop_at=300", "trainer.stop_at_step", 300),
        ("train.val_interval=100", "trainer.val_check_interval", 100),
        ("network.regularisation.mask_time_prob=0", "network.regularisation.mask_time_prob", 0.0),
        ("+callbacks.keep_progress=true", "callbacks.keep_progress", True),
        ("speech.pipeline.speeds=[0.9,1]", "speech.pipeline.speeds", [0.9, 1.0]),
        ("data.set.sample_minutes=5", "data.speech.sample.minutes", 5.0),
    ],
)
def test_every_value_of_the_study_can_be_overridden(override, path, expected) -> None:
    assert value(settings_of(*REPLICATION, override), path) == expected


def test_a_number_of_utterances_takes_the_place_of_minutes() -> None:
    other = ("data.set.sample_minutes=null", "data.set.sample_utterances=48")
    assert value(settings_of(*REPLICATION, *other), "data.speech.sample.utterances") == 48


def test_masks_of_probability_zero_are_off_for_good() -> None:
    names = ("mask_time_prob", "mask_feature_prob", "layerdrop", "attention_dropout")
    names += ("activation_dropout", "hidden_dropout", "feat_proj_dropout")
    off = [f"network.regularisation.{name}=0" for name in names]
    settings = settings_of(*REPLICATION[:1], "load_from_ckpt=null", *TINY_ARCHITECTURE, *off)
    network = build_network(settings.network, vocabulary_size=32, num_speakers=None).train()
    waves, num_samples = torch.randn(2, 8_000), torch.tensor([8_000, 6_000])
    heard = [network(waves, num_samples, task="speech").token_logits for _ in range(5)]
    for again in heard[1:]:
        torch.testing.assert_close(again, heard[0])
    assert "backbone.embedding.masking.vector" not in dict(network.named_parameters())


@pytest.mark.parametrize(
    ("cnn", "transformer", "expected"),
    [
        (-1, 5_000, (True, 0, True, 5_000)),
        (-1, 0, (True, 0, False, 0)),
        (0, -1, (False, 0, True, None)),
        (200, 100, (False, 200, True, 100)),
    ],
)
def test_minus_one_freezes_for_the_whole_run(cnn, transformer, expected) -> None:
    network = settings_of(
        f"network.asr_cfg.freeze_cnn_for_initial_steps={cnn}",
        f"network.asr_cfg.freeze_transformer_for_initial_steps={transformer}",
    ).network
    assert expected == (
        network.completely_freeze_feature_extractor,
        network.num_frozen_feature_extractor_steps,
        network.wav2vec_initially_frozen,
        network.num_frozen_steps,
    )


def test_words_of_other_doors_hold_here_too() -> None:
    settings = settings_of("network.num_frozen_steps=7", "speech.pipeline.max_seconds=9")
    assert settings.network.num_frozen_steps == 7
    assert settings.speech is not None
    assert settings.speech.pipeline.max_seconds == 9


def test_the_best_checkpoint_is_scored_on_request() -> None:
    assert settings_of("callbacks=speech_default").callbacks.monitor == "val_wer"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("+train.steps=2", r"unknown setting train\.steps"),
        ("+data.pipe.train.crop_audio_frames=2", r"unknown setting data\.pipe\.train\.crop_aud"),
        ("+data.set.sample_hours=2", r"unknown setting data\.set\.sample_hours"),
        ("data.set.sample_seed=1", r"data\.speech\.sample\.seed says what to draw, .* set both"),
        ("data.pipe.train.max_audio_frames=long", r"data\.pipe\.train\.max_audio_frames must be "),
        (
            "network.asr_cfg.freeze_cnn_for_initial_steps=-2",
            r"network\.asr_cfg\.freeze_cnn_for_initial_steps must be at least -1, got -2",
        ),
        ("data.pipe.train.batch_size=2", r"speech\.dataloader\.train_max_num_samples or train_bat"),
    ],
)
def test_a_wrong_word_is_refused_by_name(override: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings_of(override)


def test_the_dialect_stays_at_the_door() -> None:
    with initialize_config_dir(str(CONFIG), version_base="1.3"):
        _, plain = read_settings(compose("ft_asr", ["tags=[a]"]))
    assert not {"train", "tags", "compile", "load_from_ckpt"} & set(plain)
    assert not {"pipe", "set"} & set(plain["data"])
    assert "asr_cfg" not in plain["network"]
    assert plain["tag"] == ["a"]
