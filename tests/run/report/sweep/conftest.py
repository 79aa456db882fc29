"""Folders of runs as training leaves them, without the training."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

WERS = {1: 0.40, 2: 0.44, 3: 0.48}  # by sample


def _result_of(measure: str, value: float) -> dict[str, Any]:
    return {measure: value, f"{measure}_interval": [value - 0.01, value + 0.02]}


def _write_run(
    folder: Path,
    *,
    wer: float | None = None,
    eer: float | None = None,
    validation: float | None = None,
    **settings: Any,
) -> None:
    """Write a run folder; `validation` is its WER (or EER) in validation, else that of the test.

    Other settings lie at the top of the tree.
    """
    sample_seed, lr = settings.pop("sample_seed", None), settings.pop("lr", 1e-4)
    config = {
        "data": {"speech": {"sample": {"minutes": 10, "seed": sample_seed}}},
        "optim": {"algo": {"lr": lr}},
        "trainer": {"max_steps": 400},
        "seed": 0,
        "tag": "a",
        **settings,
    }
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    scored = {"words": ("wer", wer), "voices": ("eer", eer)}
    test = {name: _result_of(m, value) for name, (m, value) in scored.items() if value is not None}
    if not test:
        return
    valid = {
        name: _result_of(m, value if validation is None else validation)
        for name, (m, value) in scored.items()
        if value is not None
    }
    (folder / "training.json").write_text('{"steps": 400}')
    (folder / "metrics.json").write_text(json.dumps({"validation": valid, "test": test}))


@pytest.fixture(scope="session")
def write_run() -> Callable[..., None]:
    """Return a function that writes the folder of a run."""
    return _write_run


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Three samples, in folders of another order, and one that has not been scored."""
    experiment = tmp_path / "project" / "digits"
    for seed, wer in WERS.items():
        _write_run(experiment / f"c{9 - seed}", sample_seed=seed, wer=wer)
    _write_run(experiment / "d", sample_seed=10)
    return experiment


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Three doors: words alone at three rates, speakers alone, both in two ways and two seeds."""
    project = tmp_path / "study"
    for number, (lr, wer) in enumerate({1e-4: 0.3, 1e-3: 0.1, 1e-2: 0.2}.items()):
        _write_run(project / "words-alone" / f"w{number}", lr=lr, wer=wer)
    _write_run(project / "voices-alone" / "a", eer=0.05)
    for seed, step in ((1, 0.0), (2, 0.02)):
        _write_run(project / "both" / f"n{seed}", seed=seed, wer=0.2 + step, eer=0.1 + step)
        loss = {"algo": {"lr": 1e-4}, "loss": {"scale_method": "min"}}
        _write_run(project / "both" / f"m{seed}", seed=seed, optim=loss, wer=0.12, eer=0.15 + step)
    return project


@pytest.fixture
def drawn() -> Callable[[Any], Any]:
    """Return a function that draws a plot and returns its axes."""
    from matplotlib.figure import Figure

    from duovox.run.report.canvas import LIGHT

    def draw(plot: Any) -> Any:
        axes = Figure().add_subplot()
        plot.draw(axes, LIGHT)
        return axes

    return draw
