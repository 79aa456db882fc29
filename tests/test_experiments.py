"""The commands of the multi-task studies, as docs/experiments.md prints them.

Every job of every sweep composes; the first and the last of each are run, on real speech with a
small network: digits stand in for LibriSpeech, commands for VoxCeleb.
"""

from __future__ import annotations

import csv
import itertools
import json
import math
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf, open_dict
from typer.testing import CliRunner

from duovox.cli import app
from duovox.run.build import read_settings
from duovox.run.door import register_tasks
from duovox.run.train import run

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = (REPOSITORY / "docs" / "experiments.md").read_text(encoding="utf-8")
STUDY = dict(re.findall(r"^# (\w+)\npoetry run python (run_\w+\.py .+)$", PAGE, re.M))
NUM_JOBS = {"W": 28, "S": 56, "M": 80, "B": 48, "D": 18, "J": 12}
NUM_STEPS = {"disjoint": 200_000, "joint": 200_000}  # of the study that followed; 100,000 before
TRAINED_ON = ("train-clean-100", "train-clean-360", "train-other-500")
SCORED_ON = ("dev-clean", "dev-other", "test-clean", "test-other")
VOXCELEB_LISTS = ("veri_test2", "list_test_all2", "list_test_hard2")
TASKS = {
    "speech": ("speech",),
    "speaker": ("speaker",),
    "mt_speech_speaker": ("speech", "speaker"),
}
TESTS = {"speech": ("clean", "other"), "speaker": ("vox1_o", "vox1_e", "vox1_h")}
SMALL = (
    "network.wav2vec_checkpoint=null",
    "network/architecture=tiny",
    "network.architecture.conv_channels=[8,8,8,8,8,8,8]",
    "network.architecture.num_heads=2",
    "network.architecture.feed_forward_width=32",
    "network.architecture.position_kernel=16",
    "network.architecture.position_groups=2",
    "network.num_frozen_steps=1",  # one step with a frozen backbone, one without
    "trainer.max_steps=2",
    "trainer.val_check_interval=2",
    "trainer.precision=32",
)


PARSER = OverridesParser.create()


def jobs_of(command: str) -> list[tuple[str, list[str]]]:
    """Return the config and the overrides of each job of a command."""
    script, *words = shlex.split(command)
    parsed = PARSER.parse_overrides([word for word in words if word != "-m"])
    choices = []
    for override in parsed:
        swept = [*override.sweep_string_iterator()] if override.is_sweep_override() else None
        name = override.key_or_group
        choices.append([f"{name}={value}" for value in swept] if swept else [override.input_line])
    name = script.removeprefix("run_").removesuffix(".py")
    return [(name, [str(word) for word in job]) for job in itertools.product(*choices)]


def composed(name: str, overrides: list[str], *, with_hydra: bool = False) -> DictConfig:
    register_tasks()
    with initialize_config_dir(str(REPOSITORY / "config"), version_base="1.3"):
        return compose(name, overrides, return_hydra_config=with_hydra)


def test_all_commands_of_the_studies_are_there() -> None:
    assert len([name for name in STUDY if name[0] in "WSMB"]) == 25
    assert len(STUDY) == 25 + 8
    for study, num_jobs in NUM_JOBS.items():
        numbers = [name for name in STUDY if name.startswith(study)]
        assert sum(len(jobs_of(STUDY[name])) for name in numbers) == num_jobs
        assert all(f"| {name} |" in PAGE for name in numbers)


@pytest.mark.parametrize("number", STUDY)
def test_every_job_of_a_command_composes(number: str) -> None:
    """Its first as Hydra composes it; of the others, what their values change in it."""
    (name, first), *others = jobs_of(STUDY[number])
    in_all = {*first}.intersection(*(job for _, job in others))
    config = composed(name, first, with_hydra=True)
    wanted = dict(word.split("=", 1) for word in first)
    assert config.hydra.runtime.choices["hydra/launcher"] == wanted["hydra/launcher"]
    assert config.hydra.launcher.tasks_per_node == 1
    with open_dict(config):
        del config["hydra"]
    seen = [check(config, first)]
    for _, job in others:
        for override in PARSER.parse_overrides(sorted({*job} - in_all)):
            OmegaConf.update(config, override.key_or_group, override.value())
        seen.append(check(config, job))
    assert len({json.dumps(plain, sort_keys=True) for plain in seen}) == len(seen)


def check(config: DictConfig, job: list[str]) -> dict[str, Any]:
    settings, plain = read_settings(config)
    words = dict(word.split("=", 1) for word in job)
    assert settings.optim.algo["lr"] == float(words["optim.algo.lr"])
    num_steps = NUM_STEPS.get(words["+experiment"], 100_000)
    assert settings.trainer.max_steps == int(words.get("trainer.max_steps", num_steps))
    assert isinstance(settings.tag, list)
    return plain


def small(job: list[str]) -> list[str]:
    """Return a network with as many layers and dimensions as a job shares out, and no more."""
    halves = {"network.use_multi_branch_encoder=true", "network.speaker_head_layer=6"}
    splits = any(word.startswith("network.num_speaker_dimensions=") for word in job)
    layers = f"network.architecture.num_layers={10 if halves & {*job} else 2}"
    return [*SMALL, layers, f"network.architecture.width={640 if splits else 16}"]


@pytest.fixture(scope="module")
def data_folder(speech_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with small data sets where the scripts of the study put theirs."""
    folder = tmp_path_factory.mktemp("study")
    digits = rows_of(speech_data / "digits" / "train.csv")
    for name in (*TRAINED_ON, *(f"{name}-val" for name in TRAINED_ON), *SCORED_ON):
        chosen = [digits.pop(37 * n % len(digits)) for n in range(8)]
        prepare(speech_data / "digits", chosen, folder / "librispeech_shards" / name)
    voices = folder / "voxceleb2_shards"
    for split, name, count in (
        ("train", "train", 70),
        ("valid", "val", 20),
        ("test", "test_o", 20),
    ):
        chosen = rows_of(speech_data / "commands" / f"{split}.csv")[:count]
        prepare(speech_data / "commands", chosen, voices / name)
    (folder / "voxceleb_meta").mkdir()
    lists = [folder / "voxceleb_meta" / f"{name}.txt" for name in VOXCELEB_LISTS]
    duovox("trials", "make", voices / "val", "--out", voices / "val_trials.txt")
    for name, path in zip("oeh", lists, strict=True):
        if name != "o":
            (voices / f"test_{name}").symlink_to(voices / "test_o")
        duovox("trials", "make", voices / "test_o", "--out", path)
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def prepare(root: Path, rows: list[dict[str, str]], out: Path) -> None:
    out.parent.mkdir(exist_ok=True)
    table = out.with_suffix(".csv")
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    duovox("prepare", "manifest", table, "--data-root", root, "--out", out, "--name", out.name)


def duovox(*arguments: object) -> None:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == 0, result.output


@pytest.mark.slow
@pytest.mark.parametrize("number", STUDY)
def test_the_first_and_the_last_job_of_a_command_run(
    number: str, data_folder: Path, tmp_path: Path
) -> None:
    jobs = jobs_of(STUDY[number])
    here = [f"data_folder={data_folder}", f"log_folder={tmp_path}"]
    for name, job in (jobs[0], jobs[-1])[: len(jobs)]:
        loading = [f"{task}.dataloader.num_workers=0" for task in TASKS[name]]
        objective = run(composed(name, [*job, *here, *small(job), *loading]))
        assert objective is not None
        assert math.isfinite(objective)
    found = [json.loads(path.read_text()) for path in tmp_path.glob("*/*/*/metrics.json")]
    assert len(found) == min(2, len(jobs))
    for metrics in found:
        assert metrics["training"]["steps"] == 2
        assert metrics["test"].keys() == {one for task in TASKS[name] for one in TESTS[task]}
