"""What every test shares: fixed seeds, real speech, and a corpus and a network of tiny size."""

from __future__ import annotations

import itertools
import os
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import settings

from duovox.data.dataset.write import write_dataset
from duovox.data.utterance import Utterance

REPOSITORY = Path(__file__).resolve().parents[1]
WORDS = ("ONE", "TWO", "SIX")

TINY_PRETRAINING = [
    "data/set=demo",
    "data.ssl.test=${data.speech.test}",
    "data.pipe.train.max_tokens=30_000",
    "data.pipe.train.num_workers=0",
    "train=debug",
    "network/regularisation=ssl_tiny",
    "network.ssl_cfg.mask_length=4",  # utterances have 18 frames and more
    "network.ssl_cfg.num_negative_samples=10",
    "network.ssl_cfg.num_entries=8",
    "network.ssl_cfg.num_dim_quantized=8",
    "network.ssl_cfg.num_dim_similarity=8",
]
TINY_FINE_TUNING = [
    "data/set=demo",
    "data.pipe.train.max_tokens=60_000",
    "data.pipe.train.num_workers=0",
    "train=debug",
]
TINY_ARCHITECTURE = [
    "network/architecture=tiny",
    "network.architecture.conv_channels=[8,8,8,8,8,8,8]",
    "network.architecture.width=16",
    "network.architecture.num_layers=2",
    "network.architecture.num_heads=2",
    "network.architecture.feed_forward_width=32",
    "network.architecture.position_kernel=16",
    "network.architecture.position_groups=2",
]
TINY_NETWORK = [
    "network.wav2vec_checkpoint=null",
    *TINY_ARCHITECTURE,
    "network.completely_freeze_feature_extractor=false",
    "network.use_gradient_checkpointing=false",
]

# The same examples in every run, and no time limit for one of them: the machine may be busy.
settings.register_profile("duovox", derandomize=True, deadline=None)
settings.load_profile("duovox")


@dataclass(frozen=True)
class Door:
    """Run a door's config in this process: door("speech", "optim.algo.lr=1e-3")."""

    log_folder: Path
    overrides: tuple[str, ...]

    def __call__(self, name: str, *overrides: str) -> float | None:
        """Train and score; return the number that sweeps minimise."""
        from hydra import compose, initialize_config_dir

        from duovox.run.train import run

        with initialize_config_dir(str(REPOSITORY / "config"), version_base="1.3"):
            config = compose(name, [*self.overrides, *_in_process(name), *overrides])
        return run(config)

    @property
    def run_folder(self) -> Path:
        """The one run below the log folder."""
        (config,) = self.log_folder.glob("*/*/*/config.yaml")
        return config.parent


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - third-party code draws from the global generator
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _no_lazy_modules() -> Iterator[None]:
    """Forget speechbrain's lazy modules: hypothesis looks into every module, which loads them."""
    yield
    for name, module in list(sys.modules.items()):
        if type(module).__module__ == "speechbrain.utils.importutils":
            del sys.modules[name]


@pytest.fixture(scope="session")
def speech_data() -> Path:
    """Return the folder with the real speech corpora, or skip the test."""
    folder = Path(os.environ.get("DUOVOX_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "digits" / "train.csv").is_file():
        pytest.skip(f"no real speech at {folder}: set DUOVOX_TEST_DATA to the folder that holds it")
    return folder


@pytest.fixture
def flashlight() -> None:
    """Skip where flashlight-text can't be: it has no wheels for Python 3.13."""
    if sys.version_info >= (3, 13):
        pytest.skip("flashlight-text has no wheels for Python 3.13")


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
    return _tiny_settings(tiny_corpus, tmp_path / "logs")


@pytest.fixture(scope="session")
def make_door(tiny_corpus: Path) -> Callable[[Path], Door]:
    """Return a function that makes a door to the tiny corpus for a log folder."""
    return lambda log_folder: Door(log_folder, tuple(_tiny_settings(tiny_corpus, log_folder)))


@pytest.fixture
def run_door(make_door: Callable[[Path], Door], tmp_path: Path) -> Door:
    """Return a door to the tiny corpus; runs go to this test's own log folder."""
    return make_door(tmp_path / "logs")


@pytest.fixture(scope="session")
def make_ssl_door(tiny_corpus: Path) -> Callable[[Path], Door]:
    """Return a function that makes a door to pre-training on the tiny corpus: door("ssl")."""
    overrides = (*TINY_NETWORK, *TINY_PRETRAINING)
    return lambda log_folder: Door(log_folder, (*_places(tiny_corpus, log_folder), *overrides))


@pytest.fixture
def run_ssl_door(make_ssl_door: Callable[[Path], Door], tmp_path: Path) -> Door:
    """Return a door to pre-training on the tiny corpus; runs go to this test's own log folder."""
    return make_ssl_door(tmp_path / "logs")


@pytest.fixture(scope="session")
def make_ft_door(tiny_corpus: Path) -> Callable[[Path], Door]:
    """Return a function that makes a door to fine-tuning on the tiny corpus: door("ft_asr")."""
    overrides = (*TINY_ARCHITECTURE, *TINY_FINE_TUNING)
    return lambda log_folder: Door(log_folder, (*_places(tiny_corpus, log_folder), *overrides))


@pytest.fixture
def run_ft_door(make_ft_door: Callable[[Path], Door], tmp_path: Path) -> Door:
    """Return a door to fine-tuning on the tiny corpus; runs go to this test's own log folder."""
    return make_ft_door(tmp_path / "logs")


@pytest.fixture(scope="session")
def pretrained_run(
    make_ssl_door: Callable[[Path], Door], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the folder of a pre-training run. Copy it before you change it."""
    door = make_ssl_door(tmp_path_factory.mktemp("pretrained"))
    door("ssl", "eval_model=false")
    return door.run_folder


@pytest.fixture(scope="session")
def finished_run(
    make_door: Callable[[Path], Door], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the folder of a scored multi-task run. Copy it before you change it."""
    door = make_door(tmp_path_factory.mktemp("finished"))
    door("mt_speech_speaker", "optim.algo.lr=3e-3", "trainer.max_steps=12")
    return door.run_folder


def _tiny_settings(corpus: Path, log_folder: Path) -> list[str]:
    return [*_places(corpus, log_folder), "data=demo", "trainer=debug_trainer", *TINY_NETWORK]


def _places(corpus: Path, log_folder: Path) -> list[str]:
    return [f"data_folder={corpus}", f"log_folder={log_folder}"]


def _in_process(name: str) -> list[str]:
    """Return the overrides that keep a door's loaders in this process."""
    speech = ["speech.dataloader.num_workers=0"]
    speaker = ["speaker.dataloader.num_workers=0", "network.stat_pooling_type=mean"]
    known = {"speech": speech, "speaker": speaker, "ssl": [], "ft_asr": []}
    return known.get(name, speech + speaker)


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
