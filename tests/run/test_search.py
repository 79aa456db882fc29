"""A search in place of a grid: Optuna asks a door for its validation number."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir

REPOSITORY = Path(__file__).resolve().parents[2]
RATES = "optim.algo.lr=tag(log,interval(1e-4,1e-2))"


def sweeper_of(name: str, *overrides: str) -> Any:
    with initialize_config_dir(str(REPOSITORY / "config"), version_base="1.3"):
        words = [f"hydra/sweeper={name}", *overrides]
        return compose("ft_asr", words, return_hydra_config=True).hydra.sweeper


def test_a_search_can_be_repeated_and_gone_on_with() -> None:
    sweeper = sweeper_of("search")
    assert sweeper.sampler._target_ == "optuna.samplers.TPESampler"
    assert (sweeper.sampler.seed, sweeper.storage) == (1, None)


def test_the_published_search_is_half_random_and_names_settings_that_are_there() -> None:
    sweeper = sweeper_of("search_ft_10m", "+experiment=ft_min_10", "load_from_ckpt=x")
    assert sweeper.sampler.n_startup_trials == sweeper.n_trials / 2
    assert sweeper.n_trials == 24 * sweeper.n_jobs
    low = {"tag": "1e-8", "interval": "0.0", "choice": "0"}
    words = [
        f"{place}={low.get(space.split('(')[0], space)}" for place, space in sweeper.params.items()
    ]
    with initialize_config_dir(str(REPOSITORY / "config"), version_base="1.3"):
        config = compose("ft_asr", ["+experiment=ft_min_10", "load_from_ckpt=x", *words])
    assert config.optim.algo.lr == 1e-8
    assert config.optim.schedule.warmup_ratio == 0


@pytest.mark.slow
def test_the_best_trial_is_the_best_run_and_the_same_command_goes_on(run_door, tmp_path) -> None:
    script = str(REPOSITORY / "run_speech.py")
    short = ["trainer.max_steps=1", "speech.dataloader.num_workers=0", "hydra/sweeper=search"]
    command = [sys.executable, script, "-m", *run_door.overrides, *short, RATES]

    def search(num_trials: int) -> tuple[float, dict[Path, int]]:
        sweep = f"hydra.sweep.dir={tmp_path / 'sweep'}"
        words = [*command, f"hydra.sweeper.n_trials={num_trials}", sweep]
        subprocess.run(words, check=True, cwd=tmp_path)
        results = yaml.safe_load((tmp_path / "sweep" / "optimization_results.yaml").read_text())
        found = run_door.log_folder.glob("*/*/*/metrics.json")
        rate = results["best_params"]["optim.algo.lr"]
        best, times = results["best_value"], {path: path.stat().st_mtime_ns for path in found}
        configs = (yaml.safe_load((p.parent / "config.yaml").read_text()) for p in times)
        assert rate in [config["optim"]["algo"]["lr"] for config in configs]
        return best, times

    best_of_two, two = search(2)
    best_of_three, three = search(3)
    assert len(two) == 2
    assert len(three) == 3
    assert two.items() <= three.items()  # nothing was trained or scored anew
    assert best_of_three <= best_of_two
