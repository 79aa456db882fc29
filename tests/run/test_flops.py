"""Training counts its operations: those that torch counts in a forward and a backward pass."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from duovox.batch import JointBatch, MultiTaskBatch, SpeakerBatch, SpeechBatch
from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.head.ctc import CtcHead
from duovox.network.pooling.mean import MeanPooling
from duovox.network.wav2vec2.architecture import tiny
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.run.flops import TrainingFlops, batch_flops, flops_per_second

NUM_SAMPLES = 16_000
# torch counts the backward pass of a grouped convolution as if it had one group.
ARCHITECTURE = replace(tiny(), num_layers=3, position_groups=1)
BRANCHES: dict[str, dict[str, int]] = {
    "shared": {},
    "branched": {"num_shared_layers": 1},
    "split": {"num_speaker_dimensions": 96},
    "early": {"speaker_layer": 1},
}


def network_of(**branch: int) -> SpeechSpeakerNetwork:
    width = 96 if "num_speaker_dimensions" in branch else ARCHITECTURE.width
    return SpeechSpeakerNetwork(
        Wav2Vec2Backbone(ARCHITECTURE),
        speech_head=CtcHead(width, 4),
        pooling=MeanPooling(width),
        **branch,
    )


def batch_of(kind: str) -> Any:
    lengths = torch.tensor([NUM_SAMPLES])
    speech = SpeechBatch(
        keys=("a",),
        waves=torch.randn(1, NUM_SAMPLES),
        num_samples=lengths,
        tokens=torch.tensor([[1]]),
        num_tokens=torch.tensor([1]),
        transcripts=("A",),
    )
    ids = torch.tensor([0])
    speaker = SpeakerBatch(keys=("a",), waves=speech.waves, num_samples=lengths, speaker_ids=ids)
    return {
        "speech": speech,
        "speaker": speaker,
        "disjoint": MultiTaskBatch(speech=speech, speaker=speaker),
        "joint": JointBatch(speech=speech, speaker_ids=ids),
    }[kind]


def counted(network: SpeechSpeakerNetwork, tasks: list[Any]) -> float:
    """Return what torch counts in the passes of some tasks, forward and backward."""
    waves, lengths = torch.randn(1, NUM_SAMPLES), torch.tensor([NUM_SAMPLES])
    plain = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
    with FlopCounterMode(display=False) as counter, plain:
        for task in tasks:
            output = network(waves, lengths, task=task)
            made = [output.token_logits, output.embedding]
            torch.stack([one.sum() for one in made if one is not None]).sum().backward()
    return counter.get_total_flops()


@pytest.mark.parametrize("branch", BRANCHES.values(), ids=BRANCHES)
@pytest.mark.parametrize(
    ("kind", "tasks"),
    [
        ("speech", ["speech"]),
        ("speaker", ["speaker"]),
        ("disjoint", ["speech", "speaker"]),
        ("joint", ["both"]),
    ],
)
def test_a_batch_costs_what_torch_counts(branch: dict[str, int], kind: str, tasks) -> None:
    network = network_of(**branch)
    found = batch_flops(network, batch_of(kind))
    assert found == pytest.approx(counted(network, tasks), rel=0.03)


def test_frozen_convolutions_have_no_backward_pass() -> None:
    network = network_of()
    whole = batch_flops(network, batch_of("speech"))
    network.backbone.feature_encoder.requires_grad_(False)
    frozen = batch_flops(network, batch_of("speech"))
    forward = flops_per_second(network, "speech", seconds=1.0)
    assert whole == pytest.approx(3 * forward)
    assert forward < frozen < whole


def test_the_cost_is_printed_before_training_and_the_sum_after_it(capsys) -> None:
    trainer: Any = SimpleNamespace(global_step=0, world_size=1, is_global_zero=True)
    flops, module = TrainingFlops(), _module(network_of(speaker_layer=1))
    flops.on_train_start(trainer, module)
    flops.on_train_batch_end(trainer, module, None, batch_of("disjoint"), 0)
    flops.on_train_end(trainer, module)
    costs = [f"{flops_per_second(module.network, task):.3g}" for task in ("speech", "speaker")]
    assert float(costs[0]) > float(costs[1])  # which leaves after a layer
    assert capsys.readouterr().out.splitlines() == [
        f"network FLOPs by second of audio, forward: speech {costs[0]}, speaker {costs[1]}",
        f"training FLOPs: {flops.total:.3g}",
    ]


def test_the_count_goes_on_where_a_run_resumes() -> None:
    trainer: Any = SimpleNamespace(global_step=0, world_size=2, is_global_zero=True)
    flops, module = TrainingFlops(), _module(network_of())
    flops.on_train_start(trainer, module)
    flops.on_train_batch_end(trainer, module, None, batch_of("disjoint"), 0)
    assert flops.total == 2 * batch_flops(module.network, batch_of("disjoint"))  # two processes
    resumed = TrainingFlops()
    resumed.load_state_dict(flops.state_dict())
    trainer.global_step = 1
    resumed.on_train_start(trainer, module)
    resumed.on_train_batch_end(trainer, module, None, batch_of("disjoint"), 0)
    assert resumed.total == 2 * flops.total


def test_a_run_that_began_without_counting_has_no_count() -> None:
    trainer: Any = SimpleNamespace(global_step=7, world_size=1, is_global_zero=False)
    flops, module = TrainingFlops(), _module(network_of())
    flops.on_train_start(trainer, module)
    flops.on_train_batch_end(trainer, module, None, batch_of("speech"), 0)
    assert flops.total is None
    assert flops.state_dict() == {"flops": None}


def _module(network: SpeechSpeakerNetwork) -> Any:
    from duovox.task.multitask import MultiTask

    module = MultiTask.__new__(MultiTask)
    torch.nn.Module.__init__(module)
    module.network = network
    module.tasks = {"speech": None, "speaker": None}
    return module
