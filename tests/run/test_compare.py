from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from duovox.network.wav2vec2 import pretrained
from duovox.network.wav2vec2.format.checkpoint import Checkpoint
from duovox.run.compare import fixed_wave, largest_differences

GOLDEN = Path(__file__).parents[1] / "network" / "wav2vec2" / "format" / "golden"


@pytest.fixture
def checkpoint() -> Checkpoint:
    return pretrained.read(GOLDEN / "fairseq_ctc.pt")


def test_the_fixed_wave_is_always_the_same() -> None:
    torch.manual_seed(1)
    first = fixed_wave()
    torch.manual_seed(2)
    assert torch.equal(first, fixed_wave())
    assert first.shape == (16_000,)
    assert 0.05 < first.std() < 0.1


@pytest.mark.parametrize("name", ["fairseq_ctc.pt", "fairseq_pretraining.pt"])
def test_a_network_differs_from_itself_by_nothing(name: str) -> None:
    same = pretrained.read(GOLDEN / name)
    assert set(largest_differences("a.pt", same, same).values()) == {0.0}


def test_a_changed_weight_is_heard(checkpoint: Checkpoint) -> None:
    state = dict(checkpoint.state)
    state["speech_head.linear.bias"] = state["speech_head.linear.bias"] + 0.5
    found = largest_differences("a.pt", checkpoint, replace(checkpoint, state=state))
    assert found == {"token logits": pytest.approx(0.5)}


def test_a_backbone_is_compared_by_its_frames(checkpoint: Checkpoint) -> None:
    state = {name: one for name, one in checkpoint.state.items() if name.startswith("backbone.")}
    backbone = replace(checkpoint, state=state, vocabulary=None)
    assert largest_differences("a.pt", backbone, backbone) == {"frames": 0.0}


def test_frames_that_only_one_network_makes_are_passed_over(checkpoint: Checkpoint) -> None:
    padded = replace(checkpoint.architecture, conv_paddings=(3, 1, 1, 1, 1, 0, 0))
    found = largest_differences("a.pt", replace(checkpoint, architecture=padded), checkpoint)
    assert found["token logits"] > 1e-3
