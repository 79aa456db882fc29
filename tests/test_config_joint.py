"""The study of joint and disjoint batches: its experiments have its published numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from duovox.run.build import read_settings
from duovox.run.settings import Settings

CONFIG = Path(__file__).resolve().parents[1] / "config"
OF_ONE: dict[str, dict[str, Any]] = {
    "disjoint": {
        "data.batches": "disjoint",
        "speech.dataloader.train_max_num_samples": 1_600_000,
        "speaker.dataloader.train_batch_size": 50,
        "speaker.pipeline.selector_train.desired_chunk_length_sec": 2.0,
    },
    "joint": {
        "data.batches": "joint",
        "speech.dataloader.train_max_num_samples": 3_200_000,
    },
}
OF_BOTH = {
    "optim.algo._target_": "torch.optim.Adam",
    "optim.algo.lr": 1e-4,
    "optim.schedule.warmup_ratio": 0.1,
    "optim.schedule.constant_ratio": 0.4,
    "optim.schedule.initial_lr_ratio": 0.01,
    "optim.schedule.final_lr_ratio": 0.05,
    "optim.loss.scale_method": "static",
    "optim.loss.static_speech_weight": 0.5,
    "optim.loss.use_cross_entropy": False,
    "trainer.max_steps": 200_000,
    "trainer.val_check_interval": 5_000,
    "trainer.precision": 16,
    "network.stat_pooling_type": "mean",
    "network.speaker_head_layer": -1,
    "network.completely_freeze_feature_extractor": True,
    "network.wav2vec_initially_frozen": True,
    "network.num_frozen_steps": 3_000,
    "network.ctc_blank_bias": 10.0,
    "network.regularisation.mask_time_prob": 0.05,
    "network.regularisation.mask_time_length": 10,
    "network.regularisation.hidden_dropout": 0.1,
    "network.regularisation.attention_dropout": 0.1,
    "network.regularisation.feat_proj_dropout": 0.1,
    "network.regularisation.layerdrop": 0.0,
    "speech.pipeline.max_seconds": 25.0,  # 400,000 samples
}


def settings_of(*overrides: str) -> Settings:
    with initialize_config_dir(str(CONFIG), version_base="1.3"):
        return read_settings(compose("mt_speech_speaker", [*overrides, "data_folder=D"]))[0]


@pytest.mark.parametrize("experiment", OF_ONE)
def test_an_experiment_has_its_published_numbers(experiment: str) -> None:
    settings = settings_of(f"+experiment={experiment}")
    expected = OF_BOTH | OF_ONE[experiment]
    assert {path: _value(settings, path) for path in expected} == expected
    (stop,) = settings.callbacks.early_stopping
    assert (stop.monitor, stop.patience) == ("val_wer_eer", 8)


def test_joint_batches_are_of_librispeech_and_scored_as_the_others_are() -> None:
    joint, disjoint = (settings_of(f"+experiment={name}").data for name in ("joint", "disjoint"))
    assert joint.speech == disjoint.speech
    assert joint.speaker is not None
    assert disjoint.speaker is not None
    assert joint.speaker.train == joint.speech.train != disjoint.speaker.train
    assert joint.speaker.test == disjoint.speaker.test
    assert joint.speaker.validation == disjoint.speaker.validation


def _value(node: Any, path: str) -> Any:
    for name in path.split("."):
        node = node[name] if isinstance(node, dict) else getattr(node, name)
    return node
