"""The tables of loss weightings and gradient methods: every line can be made into what it names."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir

from duovox.loss.weighting.static import StaticWeighting
from duovox.run.build import read_settings
from duovox.run.option import GRADIENT_METHODS, WEIGHTINGS, make
from duovox.run.settings import Loss

REPOSITORY = Path(__file__).resolve().parents[1]


def loss_of(*overrides: str) -> Loss:
    """Return the loss settings of the multi-task door."""
    with initialize_config_dir(str(REPOSITORY / "config"), version_base="1.3"):
        return read_settings(compose("mt_speech_speaker", [*overrides]))[0].optim.loss


def test_every_weighting_of_the_table_can_be_made_with_the_settings_beside_it() -> None:
    loss = loss_of("optim.loss.static_speech_weight=0.88")
    assert loss.weighting is not None
    losses = {"speech": torch.tensor(2.0), "speaker": torch.tensor(8.0)}
    table = loss.weighting.items()
    made = {name: make(option, path=name, within=WEIGHTINGS, shared=()) for name, option in table}
    del made["random"]
    weights = {name: [float(w) for w in weigh(losses).values()] for name, weigh in made.items()}
    assert weights == {
        "none": [1.0, 1.0],
        "static": pytest.approx([0.88, 0.12]),
        "min": [1.0, 0.25],
        "max": [4.0, 1.0],
        "dwa": [0.5, 0.5],
        "uncertainty": [1.0, 1.0],
        "geometric": pytest.approx([1.0, 0.25]),
        "gradnorm": [1.0, 1.0],
    }
    assert isinstance(made["static"], StaticWeighting)


def test_every_gradient_method_of_the_table_can_be_made_with_the_settings_beside_it() -> None:
    table = loss_of().gradient
    assert table is not None
    gradients = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    for name, option in table.items():
        method = make(option, path=name, within=GRADIENT_METHODS)
        assert method(gradients).shape == (2,)
    files = (REPOSITORY / "src/duovox/loss/gradient").glob("[!_]*.py")
    assert set(table) == {path.stem for path in files} - {"gram"}


@pytest.mark.parametrize("setting", ["aam_inter_top_k", "aam_margin_warmup_steps"])
def test_what_cross_entropy_lacks_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=rf"optim\.loss\.{setting} belongs to AAM-softmax.*got 3"):
        loss_of("optim.loss.use_cross_entropy=true", f"optim.loss.{setting}=3")
