"""`data/set=...` picks how much of LibriSpeech to train on, from every door that reads speech."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from duovox.run.build import read_settings
from duovox.run.settings import Data

CONFIG = Path(__file__).resolve().parents[1] / "config"
SUBSETS = ("train-clean-100", "train-clean-360", "train-other-500")
TRAINING = {
    "ls10m": ["librilight-10m"],
    "ls10m_light": ["librilight-10m"],
    "ls1h": ["librilight-10m", "librilight-50m"],
    "ls10h": ["librilight-10m", "librilight-50m", "librilight-9h"],
    "ls100h": ["train-clean-100"],
    "ls960h": list(SUBSETS),
}
VALIDATION = {
    name: f"{subset}-val"
    for name, subset in zip(("clean_100", "clean_360", "other_500"), SUBSETS, strict=True)
}
TEST = {
    name: name.replace("_", "-") for name in ("dev_clean", "dev_other", "test_clean", "test_other")
}


def data_of(root: str, *overrides: str) -> Data:
    with initialize_config_dir(str(CONFIG), version_base="1.3"):
        return read_settings(compose(root, ["data_folder=D", *overrides]))[0].data


def names(folders: dict[str, str]) -> dict[str, str]:
    assert all(folder.startswith("D/librispeech_shards/") for folder in folders.values())
    return {name: folder.rpartition("/")[2] for name, folder in folders.items()}


@pytest.mark.parametrize("chosen", TRAINING)
@pytest.mark.parametrize(
    ("root", "others"), [("speech", ()), ("mt_speech_speaker", ("data=mt_vox1_libri",))]
)
def test_a_set_replaces_training_validation_and_test(chosen, root, others) -> None:
    data = data_of(root, *others, f"data/set={chosen}")
    assert data.speech is not None
    assert [folder.rpartition("/")[2] for folder in data.speech.train] == TRAINING[chosen]
    light = chosen == "ls10m_light"
    assert names(data.speech.validation) == (
        dict([*VALIDATION.items()][:1]) if light else VALIDATION
    )
    assert names(data.speech.test) == (dict([*TEST.items()][:1]) if light else TEST)
    assert (data.speaker is not None) == bool(others)


def test_all_of_librispeech_is_the_default() -> None:
    data = data_of("speech")
    assert data.speech is not None
    trained = {folder.rpartition("/")[2] for folder in data.speech.train}
    assert trained == {*SUBSETS, *(f"{subset}-val" for subset in SUBSETS)}
    assert names(data.speech.validation) == {"clean": "dev-clean", "other": "dev-other"}
