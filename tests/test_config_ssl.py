"""Pre-training from the command line: the source's commands to the letter, and our experiments."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf, open_dict

from duovox.run.build import read_settings
from duovox.run.door import register_tasks
from duovox.run.settings import Settings

CONFIG = Path(__file__).resolve().parents[1] / "config"
COMMANDS = """\
optim.algo.lr=7.29E-06,6.04E-05,5.00E-04 train.devices=1 train.accumulation=1 \
tags="[0gpu,cyclic]" data.pipe.train.max_tokens=1_400_000 hydra/launcher=das_preempt
optim.algo.lr=1.25E-05,7.91E-05,5.00E-04 train.devices=1 train.accumulation=1 \
tags="[1gpu,cyclic]" network.ssl_cfg.diversity_loss_epsilon=0,1e-7 hydra/launcher=das_preempt
optim.algo.lr=7.910E-05,1.25E-04,5.00E-04 train.devices=2 train.accumulation=1 \
tags="[2gpu,cyclic]" network.ssl_cfg.diversity_loss_epsilon=0,1e-7 hydra/launcher=das_preempt
optim.algo.lr=5.00E-05,1.58E-04,5.00E-04 train.devices=4 train.accumulation=1 \
tags="[4gpu,cyclic]" hydra/launcher=das_preempt
optim.algo.lr=1.00E-04,2.24E-04,5.00E-04 train.devices=4 train.accumulation=2 \
tags="[8gpu,cyclic]" hydra/launcher=icis_preempt
optim.algo.lr=2.00E-04,3.16E-04,5.00E-04 train.devices=4 train.accumulation=4 \
tags="[16gpu,cyclic]" hydra/launcher=icis_preempt
optim.algo.lr=5.00E-04 train.devices=4 train.accumulation=8 \
tags="[32gpu,cyclic]" hydra/launcher=icis_preempt
"""  # each: python run_ssl.py -m ... hydra.launcher.timeout_min=30240
LINES = [f"{line} hydra.launcher.timeout_min=30240" for line in COMMANDS.splitlines()]
SECONDS = (87.5, 150, 300, 600, 1200, 2400, 4800)  # of speech a step
CONDITIONS = ("87s", "150s", "5min", "10min", "20min", "40min", "80min")


def composed(*overrides: str, with_hydra: bool = False, root: str = "ssl") -> Any:
    register_tasks()
    with initialize_config_dir(str(CONFIG), version_base="1.3"):
        return compose(root, list(overrides), return_hydra_config=with_hydra)


def settings_of(*overrides: str, root: str = "ssl") -> Settings:
    return read_settings(composed(*overrides, root=root))[0]


def jobs_of(line: str) -> list[list[str]]:
    """Return the overrides of each job of a sweep."""
    parser = OverridesParser.create()
    choices = []
    for override in parser.parse_overrides(shlex.split(line)):
        text = str(override.input_line)
        values = [*override.sweep_string_iterator()] if override.is_sweep_override() else [None]
        choices.append([text if v is None else f"{override.key_or_group}={v}" for v in values])
    return [list(job) for job in itertools.product(*choices)]


def seconds_a_step(settings: Settings) -> float:
    assert settings.ssl is not None
    budget = settings.ssl.dataloader.train_max_num_samples
    assert budget is not None
    return budget / 16_000 * settings.gpus * settings.trainer.accumulate_grad_batches


@pytest.mark.parametrize(("line", "seconds"), [*zip(LINES, SECONDS, strict=True)])
def test_every_job_of_a_published_command_composes(line: str, seconds: float) -> None:
    """Its first as Hydra composes it; of the others, what their values change in it."""
    jobs = jobs_of(line)
    assert len(jobs) in (1, 3, 6)
    in_all = {*jobs[0]}.intersection(*jobs)
    config = composed(*jobs[0], with_hydra=True)
    assert config.hydra.launcher.timeout_min == 30_240
    assert config.hydra.launcher.tasks_per_node == config.train.devices
    with open_dict(config):
        del config["hydra"]
    rates = set()
    for job in jobs:
        for override in OverridesParser.create().parse_overrides(sorted({*job} - in_all)):
            OmegaConf.update(config, override.key_or_group, override.value())
        settings = read_settings(config)[0]
        assert seconds_a_step(settings) == seconds
        assert isinstance(settings.tag, list)
        assert settings.tag[1] == "cyclic"
        rates.add(settings.optim.algo["lr"])
    assert max(rates) == 5e-4


@pytest.mark.parametrize(
    ("name", "seconds"), [*zip(CONDITIONS, SECONDS, strict=True)], ids=CONDITIONS
)
def test_every_condition_of_the_study_is_an_experiment(name: str, seconds: float) -> None:
    settings = settings_of(f"+experiment=batch_{name}")
    assert seconds_a_step(settings) == seconds
    assert settings.trainer.max_steps == 400_000
    assert settings.network.ssl_cfg is not None
    assert not settings.network.ssl_cfg.scale_penalties


PUBLISHED: dict[str, dict[str, Any]] = {
    "batch_150s": {
        "optim.algo.lr": 7.91e-5,
        "optim.algo.betas": [0.9, 0.98],
        "optim.algo.weight_decay": 0.01,
        "optim.schedule.num_steps_up": 25_000,
        "optim.schedule.base_lr_ratio": 0.01,
        "network.ssl_cfg.percentage_masked": 0.5,
        "network.ssl_cfg.num_negative_samples": 100,
        "network.ssl_cfg.l2_loss_weight": 10.0,
        "network.ssl_cfg.gumbel_temperature_factor": 0.999995,
        "network.ssl_cfg.cnn_grad_factor": 0.1,
        "network.regularisation.attention_dropout": 0.1,
        "ssl.pipeline.max_num_samples": 480_000,
        "ssl.pipeline.normalize": False,
        "trainer.val_check_interval": 5_000,
        "callbacks.keep_progress": True,
    },
    "speechbrain_base": {
        "optim.algo.lr": 5e-4,
        "optim.algo.eps": 1e-6,
        "trainer.gradient_clip_val": 100.0,
        "trainer.max_steps": 400_000,
        "optim.schedule.warmup_ratio": 0.075,
        "ssl.dataloader.train_max_num_samples": 3_200_000,
        "ssl.pipeline.min_num_samples": 24_000,
        "network.architecture.num_heads": 8,
        "network.regularisation.layerdrop": 0.05,
        "network.ssl_cfg.gumbel_temperature_floor": 0.25,
        "network.ssl_cfg.l2_loss_weight": 0.0,
    },
    "hf_base": {
        "optim.algo.lr": 1e-3,
        "optim.algo.eps": 1e-6,
        "trainer.max_steps": 200_000,
        "trainer.accumulate_grad_batches": 4,
        "optim.schedule.warmup_ratio": 0.16,
        "ssl.dataloader.train_batch_size": 8,
        "ssl.pipeline.min_num_samples": 32_000,
        "ssl.pipeline.crop_num_samples": 320_000,
        "ssl.pipeline.crop_start": "first",
        "network.architecture.pre_norm": True,
        "network.use_gradient_checkpointing": True,
        "network.ssl_cfg.mask_convention": "huggingface",
    },
    "hf_demo": {
        "optim.algo.lr": 5e-5,
        "data.ssl.train": ["D/librispeech_shards/dev-clean"],
        "ssl.dataloader.train_batch_size": 8,
        "trainer.max_steps": 1_014,
    },
}
PUBLISHED["hf_large"] = PUBLISHED["hf_base"] | {
    "network.architecture.num_layers": 24,
    "ssl.dataloader.train_batch_size": 2,
    "trainer.accumulate_grad_batches": 8,
}


@pytest.mark.parametrize("experiment", PUBLISHED)
def test_a_recipe_has_its_published_numbers(experiment: str) -> None:
    settings = settings_of(f"+experiment={experiment}", "data_folder=D")
    found = {path: _value(settings, path) for path in PUBLISHED[experiment]}
    assert found == PUBLISHED[experiment]


def _value(node: Any, path: str) -> Any:
    for name in path.split("."):
        node = node[name] if isinstance(node, dict) else getattr(node, name)
    return node


@pytest.mark.parametrize(
    ("root", "experiment"),
    [("speech", "digits"), ("speaker", "commands"), ("mt_speech_speaker", "digits_commands")],
)
def test_small_experiments_from_scratch_have_the_network_that_ssl_tiny_pretrains(
    root: str, experiment: str
) -> None:
    pretrained = settings_of("+experiment=ssl_tiny")
    scratch = settings_of(f"+experiment={experiment}", root=root)
    assert scratch.network.architecture == pretrained.network.architecture
    assert scratch.network.length_aware == pretrained.network.length_aware
    assert pretrained.ssl is not None
    assert pretrained.ssl.pipeline.normalize
    for part in (scratch.speech, scratch.speaker):
        assert part is None or part.pipeline.normalize in (True, "chunk")  # waves alike


def commands_in_the_docs() -> list[str]:
    """Return the commands of doors in docs/pretraining.md that are whole."""
    text = (CONFIG.parent / "docs" / "pretraining.md").read_text(encoding="utf-8")
    lines = re.findall(r"run_\w+\.py[^`\n#]*", text)
    return sorted({line.strip() for line in lines if "..." not in line and "=" in line})


@pytest.mark.parametrize("command", commands_in_the_docs())
def test_every_command_in_the_docs_composes(command: str) -> None:
    door, *overrides = shlex.split(re.sub(r"\$\w+", "PLACE", command))
    if door == "run_ft_asr.py":
        pytest.skip("the source's door, in the left column of a table")
    root = door.removeprefix("run_").removesuffix(".py")
    assert settings_of(*overrides, root=root).trainer.max_steps > 0


@pytest.mark.parametrize("name", ["ls10m", "ls100h", "ls960h", "librispeech", "demo"])
def test_every_set_of_speech_can_be_pretrained_on(name: str) -> None:
    data = settings_of(f"data/set={name}").data
    assert data.speech is not None
    assert data.ssl is not None
    assert data.ssl.train == data.speech.train
    assert data.ssl.validation == data.speech.validation


@pytest.mark.parametrize("name", sorted(p.stem for p in (CONFIG / "network/ssl_cfg").glob("*")))
def test_every_objective_fits_the_settings(name: str) -> None:
    assert settings_of(f"network/ssl_cfg={name}").network.ssl_cfg is not None


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("+train.acumulation=2", r"unknown setting train\.acumulation\. Did you mean train\.acc"),
        ("+data.pipe.train.crop=2", r"unknown setting data\.pipe\.train\.crop"),
        ("train.devices=two", r"train\.devices must be of type int"),
        ("data.pipe.train.batch_size=8", r"ssl\.dataloader\.train_max_num_samples or train_batch"),
        ("network.ssl_cfg.mask_convention=own", r"mask_convention must be one of fairseq, hugg"),
        ("network.ssl_cfg.gumbel_temperature=0", r"gumbel_temperature must be above 0"),
    ],
)
def test_a_wrong_word_is_refused_by_name(override: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings_of(override)


def test_the_dialect_stays_at_the_door() -> None:
    _, plain = read_settings(composed("tags=[a]"))
    assert not {"train", "tags", "compile", "load_from_ckpt"} & set(plain)
    assert "pipe" not in plain["data"]
    assert plain["tag"] == ["a"]
