"""Joint batches and the data-source head in training steps, on a network of four weights.

With weights of 1 a wave w has the speech logits w, the speaker scores w and -w, and the source
logits w and 0. The speech batch (1, 3) has the loss 5 and the slope 10.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from duovox.batch import JointBatch, MultiTaskBatch, NetworkOutput, SpeechBatch, TrainingBatch
from duovox.loss.gradient.imtl_g import ImtlG
from duovox.loss.weighting.gradnorm import GradNormWeighting
from duovox.loss.weighting.uncertainty import UncertaintyWeighting
from duovox.network.head.data_source import reverse_gradient
from duovox.task.data_source import DataSource
from duovox.task.multitask import MultiTask
from tests.task.training import Square, fit, make_module

LR = 0.01
SAMPLES = (1.0, 3.0)


class CountingNetwork(nn.Module):
    """Hear a wave as its first sample, and count how often."""

    def __init__(self) -> None:
        super().__init__()
        names = ("shared", "speech", "speaker", "source")
        self.weights = nn.ParameterDict({name: nn.Parameter(torch.ones(())) for name in names})
        self.calls: list[str] = []

    def forward(self, waves: Tensor, num_samples: Tensor, *, task: str) -> NetworkOutput:
        self.calls.append(task)
        heard = self.weights["shared"] * waves[:, :1]  # (B, 1)
        guess = self.weights["source"] * reverse_gradient(heard, 1.0)
        return NetworkOutput(
            frames=heard[:, :, None],
            num_frames=torch.ones(len(waves), dtype=torch.int64),
            token_logits=(self.weights["speech"] * heard)[:, :, None],
            speaker_logits=torch.cat([self.weights["speaker"] * heard, -heard], dim=1),
            source_logits=torch.cat([guess, torch.zeros_like(guess)], dim=1),
        )


@pytest.fixture
def speech(speech_batch) -> SpeechBatch:
    return speech_batch(SAMPLES)


@pytest.fixture
def joint(speech: SpeechBatch) -> JointBatch:
    return JointBatch(speech=speech, speaker_ids=torch.tensor([0, 1]))


@pytest.fixture
def disjoint(joint: JointBatch) -> MultiTaskBatch:
    """Return the same utterances, once for each task."""
    return MultiTaskBatch(**joint.by_task)  # type: ignore[arg-type]


def train(
    *batches: TrainingBatch, tasks: tuple[Square, ...] = (), accumulation: int = 1, **settings: Any
) -> tuple[dict[str, float], MultiTask, CountingNetwork]:
    """Return the gradients of the one step made of the batches, and what made it."""
    network = CountingNetwork()
    if "weighting" in settings:
        settings["weighting"] = settings["weighting"](network)
    module = make_module(network, *tasks, lr=LR, **settings)
    fit(module, batches, accumulate_grad_batches=accumulation)
    gradients = {name: (1 - weight.item()) / LR for name, weight in network.weights.items()}
    return gradients, module, network


METHODS = {
    "sum": {},
    "gradient method": {"gradient_method": ImtlG()},
    "curves of the gradients": {"log_task_gradients": True},
    "a weighting that learns": {
        "weighting": lambda _: UncertaintyWeighting(),
        "gradient_method": ImtlG(),
    },
    "a weighting that looks at gradients": {
        "weighting": lambda network: GradNormWeighting(shared=[network.weights["shared"]])
    },
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("accumulation", [1, 2])
def test_a_joint_batch_teaches_the_same_as_two_batches_and_is_heard_once(
    joint, disjoint, method: str, accumulation: int
) -> None:
    settings = METHODS[method] | {"accumulation": accumulation}
    found, _, hearing = train(*[joint] * accumulation, **settings)
    expected, _, _ = train(*[disjoint] * accumulation, **settings)
    assert found == pytest.approx(expected, rel=1e-4)
    assert found["speech"] != 0 != found["speaker"]
    assert hearing.calls == ["both"] * accumulation


def test_a_bad_loss_of_a_joint_batch_leaves_the_other_task_alone(joint) -> None:
    bad = Square("speech", bend=lambda loss: loss * math.nan)
    found, module, _ = train(joint, tasks=(bad, Square("speaker")))
    assert found == pytest.approx({"shared": 10, "speech": 0, "speaker": 10, "source": 0}, rel=1e-4)
    assert module.dropped_tasks == {"speech": joint.speech.keys}


def test_the_curves_of_a_joint_batch_are_those_of_both_tasks(joint) -> None:
    _, module, _ = train(joint)
    assert {"train_speech_loss", "train_speaker_loss", "glance_speech"} <= module.point.keys()
    assert module.point["glance_speaker"] == 2


def guesses() -> tuple[float, float, float]:
    """Return loss and slopes of the source's guesses, worked out: logits (1, 0) and (3, 0).

    Of both utterances the first source is right where they are speech, the second where they are
    the speakers'. The slope of a cross-entropy by its first logit is p - 1, or p.
    """
    shares = [1 / (1 + math.exp(-sample)) for sample in SAMPLES]
    losses = [-math.log(p) for p in shares], [-math.log(1 - p) for p in shares]
    loss = (sum(losses[0]) / 2 + sum(losses[1]) / 2) / 2
    slope = sum((2 * p - 1) * w for p, w in zip(shares, SAMPLES, strict=True)) / 4
    return loss, slope, -slope


def test_the_source_head_learns_and_what_it_hears_unlearns(disjoint) -> None:
    found, module, _ = train(disjoint, data_source=DataSource(weight=0.5))
    loss, of_head, of_shared = guesses()
    expected = {
        "shared": 10 + 10 + 0.5 * of_shared,
        "speech": 10,
        "speaker": 10,
        "source": 0.5 * of_head,
    }
    assert found == pytest.approx(expected, rel=1e-3)
    assert module.point["train_data_source_loss"] == pytest.approx(loss, rel=1e-4)
    assert module.point["train_data_source_accuracy"] == 0.5  # all are taken for speech


def test_no_method_sees_the_gradient_of_the_source(disjoint) -> None:
    chosen = {"gradient_method": ImtlG(), "data_source": DataSource(weight=1.0)}
    found, _, _ = train(disjoint, disjoint, accumulation=2, **chosen)
    _, of_head, of_shared = guesses()
    shared = 10 + of_shared  # the method makes 10 of two equal gradients of 10
    assert found["shared"] == pytest.approx(shared, rel=1e-3)
    assert found["source"] == pytest.approx(of_head, rel=1e-3)


def test_curves_of_the_tasks_gradients_leave_the_source_out(disjoint) -> None:
    chosen = {"data_source": DataSource(weight=1.0)}
    plain, _, _ = train(disjoint, **chosen)
    logged, _, _ = train(disjoint, log_task_gradients=True, **chosen)
    assert logged == pytest.approx(plain, rel=1e-5)


def test_frames_that_are_not_finite_drop_the_source_as_well(disjoint, speech_batch) -> None:
    broken = MultiTaskBatch(speech=speech_batch([math.nan]), speaker=disjoint.speaker)
    found, module, _ = train(broken, data_source=DataSource(weight=1.0))
    expected = {"shared": 10, "speech": 0, "speaker": 10, "source": 0}
    assert found == pytest.approx(expected, rel=1e-4)
    everyone = (*broken.speech.keys, *broken.speaker.keys)
    assert module.dropped_tasks == {"speech": broken.speech.keys, "data_source": everyone}
