"""The config tree: every file composes, fits the settings, and can be made into what it names."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hydra import compose, initialize_config_dir

from duovox.network.pooling import Pooling
from duovox.network.wav2vec2.architecture import base, large, tiny
from duovox.run.build import read_settings
from duovox.run.option import ALGORITHMS, ARCHITECTURES, POOLINGS, SCHEDULES, make
from duovox.run.settings import Network, Settings

CONFIG = Path(__file__).resolve().parents[1] / "config"
ROOTS = ("speech", "speaker", "mt_speech_speaker")
COMMAND = "# poetry run python "  # in the second line of an experiment; what others share has none
EXPERIMENTS = sorted(
    path.stem for path in (CONFIG / "experiment").glob("*.yaml") if COMMAND in path.read_text()
)
GROUPS = (
    "callbacks",
    "network/architecture",
    "network/regularisation",
    "optim/algo",
    "optim/schedule",
    "trainer",
)


def options(group: str) -> list[str]:
    """Return the names of a group's files."""
    return sorted(path.stem for path in (CONFIG / group).glob("*.yaml"))


def rounds() -> list[list[str]]:
    """Return overrides that between them choose every option of every group that all roots have."""
    longest = max(len(options(group)) for group in GROUPS)
    return [
        [f"{group}={names[turn % len(names)]}" for group in GROUPS if (names := options(group))]
        for turn in range(longest)
    ]


def settings_of(root: str, *overrides: str) -> Settings:
    with initialize_config_dir(str(CONFIG), version_base="1.3"):
        return read_settings(compose(root, list(overrides)))[0]


def command_of(experiment: str) -> tuple[str, list[str]]:
    """Return the root and the overrides of the command in the second line of an experiment."""
    line = (CONFIG / "experiment" / f"{experiment}.yaml").read_text().splitlines()[1]
    script, *overrides = shlex.split(line.removeprefix(COMMAND))
    return script.removeprefix("run_").removesuffix(".py"), overrides


@pytest.mark.parametrize("choices", rounds(), ids=lambda choices: choices[4].split("=")[1])
@pytest.mark.parametrize("root", ROOTS)
def test_every_option_of_every_group_fits_the_settings(root: str, choices: list[str]) -> None:
    assert settings_of(root, *choices).trainer.max_steps > 0


@pytest.mark.parametrize(
    ("root", "overrides"),
    [
        *(("speech", [f"data={name}"]) for name in ("librispeech", "digits", "demo")),
        *(("speaker", [f"data={name}"]) for name in ("voxceleb1", "voxceleb2", "commands")),
        *(("mt_speech_speaker", [f"data={name}"]) for name in options("data") if name[:2] == "mt"),
        ("speaker", ["optim/loss=aam_softmax", "network.use_cosine_linear=true"]),
        ("speaker", ["optim/loss=triplet"]),
        ("speaker", ["optim/loss=triplet_ce"]),
        ("mt_speech_speaker", ["optim/loss=mt_speech_speaker_loss"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_every_data_set_and_loss_fits_its_door(root: str, overrides: list[str]) -> None:
    settings = settings_of(root, *overrides)
    has_speech, has_speaker = root != "speaker", root != "speech"
    assert (settings.speech is not None) == has_speech
    assert (settings.speaker is not None) == has_speaker
    assert settings.data.speech is not None or not has_speech
    assert settings.data.speaker is not None or not has_speaker


def test_the_published_experiments_are_all_there() -> None:
    assert set(EXPERIMENTS) >= set(PUBLISHED)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_command_in_an_experiment_composes(experiment: str) -> None:
    root, overrides = command_of(experiment)
    assert f"+experiment={experiment}" in overrides
    settings = settings_of(root, *overrides)
    assert settings.project_name != root  # runs of an experiment lie together
    if settings.speaker is not None:  # AAM-softmax wants cosines, cross-entropy logits
        assert settings.network.use_cosine_linear != settings.optim.loss.use_cross_entropy


@pytest.mark.parametrize("experiment", ["tiny", "digits", "commands", "demo", "digits_commands"])
def test_a_small_experiment_takes_another_schedule(experiment: str) -> None:
    root = "speech" if experiment == "tiny" else command_of(experiment)[0]
    settings = settings_of(root, f"+experiment={experiment}", "optim/schedule=constant")
    assert list(settings.optim.schedule) == ["_target_"]


# What the published experiments say of themselves; the speaker rate is the one they meant.
PUBLISHED: dict[str, dict[str, Any]] = {
    "baseline_speech": {
        "optim.algo.lr": 1e-4,
        "data.speech.validation": {
            "clean": "D/librispeech_shards/dev-clean",
            "other": "D/librispeech_shards/dev-other",
        },
        "speech.dataloader.train_max_num_samples": 3_200_000,
        "callbacks.early_stopping": [("val_wer", 4, None), ("val_loss_speech", 1_000_000, 10)],
    },
    "baseline_speaker_mean": {
        "optim.algo.lr": 3e-5,
        "network.stat_pooling_type": "mean",
        "speaker.dataloader.train_batch_size": 66,
        "speaker.dataloader.val_batch_size": 66,
        "speaker.pipeline.selector_train.desired_chunk_length_sec": 3.0,
        "speaker.pipeline.selector_val.desired_chunk_length_sec": 3.0,
        "network.use_cosine_linear": True,
        "optim.loss.use_cross_entropy": False,
        "callbacks.early_stopping": [("val_eer", 4, None)],
    },
    "multi_task_2heads_vanilla": {
        "optim.algo.lr": 2e-5,
        "network.stat_pooling_type": "first+cls+learnable",
        "network.use_cosine_linear": True,
        "optim.loss.use_cross_entropy": False,
        "optim.loss.scale_method": "min",
        "optim.loss.static_speech_weight": 0.5,
        "speaker.dataloader.train_batch_size": 64,
        "speaker.dataloader.num_workers": 1,
        "speaker.pipeline.selector_train.desired_chunk_length_sec": 3.0,
        "speech.dataloader.train_max_num_samples": 3_200_000,
        "speech.dataloader.num_workers": 1,
        "callbacks.early_stopping": [
            ("val_wer", 4, None),
            ("val_loss_speech", 1_000_000, 10),
            ("val_eer", 4, None),
        ],
    },
}
PUBLISHED["baseline_speaker_first+cls"] = PUBLISHED["baseline_speaker_mean"] | {
    "network.stat_pooling_type": "first+cls"
}
OF_ALL = {
    "trainer.max_steps": 100_000,
    "trainer.val_check_interval": 5_000,
    "trainer.precision": 16,
    "trainer.accumulate_grad_batches": 1,
    "network.wav2vec_checkpoint": "facebook/wav2vec2-base",
    "network.wav2vec_initially_frozen": True,
    "network.num_frozen_steps": 10_000,
    "network.completely_freeze_feature_extractor": True,
    "network.regularisation.mask_time_prob": 0.0,
    "network.regularisation.hidden_dropout": 0.0,
    "optim.algo._target_": "torch.optim.Adam",
    "optim.algo.weight_decay": 0.0,
    "optim.schedule._target_": "duovox.optim.schedule.tri_stage.tri_stage",
    "optim.schedule.warmup_ratio": 0.1,
    "optim.schedule.constant_ratio": 0.4,
    "optim.schedule.initial_lr": 5e-6,
    "seed": 42133724,
}


@pytest.mark.parametrize("experiment", PUBLISHED)
def test_a_published_experiment_has_its_published_numbers(experiment: str) -> None:
    settings = settings_of(*_flat(command_of(experiment)), "data_folder=D")
    expected = OF_ALL | PUBLISHED[experiment]
    assert {path: _value(settings, path) for path in expected} == expected


def _flat(command: tuple[str, list[str]]) -> list[str]:
    return [command[0], *command[1]]


def _value(node: Any, path: str) -> Any:
    for name in path.split("."):
        node = node[name] if isinstance(node, dict) else getattr(node, name)
    if path == "callbacks.early_stopping":
        return [(stop.monitor, stop.patience, stop.divergence_threshold) for stop in node]
    return node


def test_the_regularisation_of_the_with_reg_runs_has_its_published_numbers() -> None:
    published = dict.fromkeys(
        ("activation_dropout", "attention_dropout", "feat_proj_dropout", "hidden_dropout"), 0.1
    )
    published |= {"final_dropout": 0.05, "layerdrop": 0.1, "mask_time_length": 10}
    published |= {"mask_feature_length": 64, "mask_feature_prob": 0.1, "mask_time_prob": 0.5}
    found = yaml.safe_load(
        (CONFIG / "network" / "regularisation" / "wav2vec2_default_asr.yaml").read_text()
    )
    assert found == published


def test_every_architecture_is_the_preset_it_names() -> None:
    made = {
        name: make(_file("network/architecture", name), path="a", within=ARCHITECTURES)
        for name in ("base", "large", "tiny")
    }
    assert made == {"base": base(), "large": large(), "tiny": tiny()}


@pytest.mark.parametrize("name", options("optim/algo"))
def test_every_algorithm_makes_a_step(name: str) -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    algorithm = make(_file("optim/algo", name), [weight], path="optim.algo", within=ALGORITHMS)
    weight.grad = torch.ones(2)
    algorithm.step()
    assert bool((weight < 1).all())


@pytest.mark.parametrize("name", options("optim/schedule"))
def test_every_schedule_drives_every_algorithm(name: str) -> None:
    option = settings_of("mt_speech_speaker", f"optim/schedule={name}").optim.schedule
    for algo in options("optim/algo"):
        weights = [torch.nn.Parameter(torch.ones(2))]
        algorithm = make(_file("optim/algo", algo), weights, path="a", within=ALGORITHMS)
        schedule = make(option, algorithm, path="s", within=SCHEDULES, max_steps=10)
        for _ in range(10):
            algorithm.step()
            schedule.step(*([0.5] if name == "reduce_on_plateau" else []))
        assert 0 <= algorithm.param_groups[0]["lr"] < 0.1


def test_every_pooling_of_the_table_can_be_made() -> None:
    table = settings_of("mt_speech_speaker").network.pooling
    made: list[Pooling] = [
        make(option, 8, path=f"network.pooling.{name}", within=POOLINGS, class_width=8)
        for name, option in table.items()
    ]
    assert {pooling.out_dim for pooling in made} == {8, 16, 40}
    files = {path.stem for path in Path("src/duovox/network/pooling").glob("[!_]*.py")} - {"ctc"}
    assert {option["_target_"].split(".")[-2] for option in table.values()} >= files


def test_every_file_says_in_its_first_comment_what_it_is_for() -> None:
    lone_values = {"optim/algo", "optim/schedule"}  # named by their target
    for path in CONFIG.rglob("*.yaml"):
        first = path.read_text().splitlines()[0]
        group = str(path.parent.relative_to(CONFIG))
        assert first.startswith("#") or group in lone_values, path


def test_every_interpolation_of_the_machine_comes_from_a_documented_variable() -> None:
    text = "".join(path.read_text() for path in CONFIG.rglob("*.yaml"))
    example = (CONFIG.parent / ".env.example").read_text()
    for variable in re.findall(r"oc\.env:(\w+)", text):
        assert f"{variable}=" in example


def test_a_setting_of_the_network_record_is_set_by_some_root() -> None:
    given = {name for root in ROOTS for name in vars(settings_of(root).network)}
    assert given == set(Network.__dataclass_fields__)


def _file(group: str, name: str) -> dict[str, Any]:
    node: dict[str, Any] = yaml.safe_load((CONFIG / group / f"{name}.yaml").read_text())
    return {key: _number(value) for key, value in node.items()}


def _number(value: Any) -> Any:
    """Read `1e-4` as a number: PyYAML takes it for text, Hydra does not."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
