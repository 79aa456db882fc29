"""A corpus of a few seconds and a network of a few thousand weights, to run everything quickly."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from duovox.data.shard import write_dataset
from duovox.data.utterance import Utterance

CONFIG = Path(__file__).resolve().parents[2] / "config"
WORDS = ("ONE", "TWO", "SIX")

TINY_NETWORK = [
    "network.wav2vec_checkpoint=null",
    "network/architecture=tiny",
    "network.architecture.conv_channels=[8,8,8,8,8,8,8]",
    "network.architecture.width=16",
    "network.architecture.num_layers=2",
    "network.architecture.num_heads=2",
    "network.architecture.feed_forward_width=32",
    "network.architecture.position_kernel=16",
    "network.architecture.position_groups=2",
    "network.completely_freeze_feature_extractor=false",
    "network.use_gradient_checkpointing=false",
]


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder laid out as config/data/demo.yaml wants it: tones in place of voices."""
    folder = tmp_path_factory.mktemp("tiny")
    speakers = {"train": "abcdef", "valid": "gh", "test": "ij"}
    for split, names in speakers.items():
        utterances = [
            _utterance(folder / "audio", speaker, word, take)
            for speaker, word, take in itertools.product(names, WORDS, range(2))
        ]
        write_dataset(utterances, folder / "demo" / split, name=split)
        if split != "train":
            pairs = itertools.combinations(utterances, 2)
            lines = [f"{int(a.speaker_id == b.speaker_id)} {a.key} {b.key}" for a, b in pairs]
            (folder / "demo" / f"trials_{split}.txt").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def tiny_settings(tiny_corpus: Path, tmp_path: Path) -> list[str]:
    """Return the overrides that make a door run in seconds on the tiny corpus."""
    return [
        f"data_folder={tiny_corpus}",
        f"log_folder={tmp_path / 'logs'}",
        "data=demo",
        "trainer=debug_trainer",
        *TINY_NETWORK,
    ]


@pytest.fixture
def run_door(tiny_settings: list[str]) -> Callable[..., Any]:
    """Return a function that runs a door's config in this process: run_door("speech", "a=b")."""
    from hydra import compose, initialize_config_dir

    from duovox.run.train import run

    def door(name: str, *overrides: str) -> Any:
        extra = {
            "speech": ["speech.dataloader.num_workers=0"],
            "speaker": ["speaker.dataloader.num_workers=0", "network.stat_pooling_type=mean"],
        }
        extra["mt_speech_speaker"] = extra["speech"] + extra["speaker"]
        with initialize_config_dir(str(CONFIG), version_base="1.3"):
            config = compose(name, [*tiny_settings, *extra[name], *overrides])
        return run(config)

    return door


def _utterance(folder: Path, speaker: str, word: str, take: int) -> Utterance:
    generator = np.random.default_rng([ord(speaker), WORDS.index(word), take])
    times = np.arange(6_000 + 500 * take) / 16_000
    pitch = 100 + 20 * (ord(speaker) - ord("a"))
    wave = np.sin(2 * np.pi * pitch * times) + np.sin(2 * np.pi * 700 * len(word) * times)
    wave = 0.2 * wave + 0.01 * generator.standard_normal(len(times))
    path = folder / speaker / f"{word}{take}.flac"
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, 16_000, subtype="PCM_16")
    return Utterance(
        key=f"{speaker}/s/{word}{take}",
        path=path,
        source=f"{speaker}/{path.name}",
        speaker_id=speaker,
        session_id="s",
        transcript=word,
    )
