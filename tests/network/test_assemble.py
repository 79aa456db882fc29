"""The whole network: each pair of options together, and the pairs that are refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from duovox.network.assemble import SpeechSpeakerNetwork, Task
from duovox.network.head.cosine import CosineHead
from duovox.network.head.ctc import CtcHead
from duovox.network.head.linear import LinearHead
from duovox.network.pooling.ctc import CtcPooling
from duovox.network.pooling.first_cls import FirstClassPooling
from duovox.network.pooling.mean import MeanPooling
from duovox.network.pooling.mean_std import MeanStdPooling
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone

BRANCHES = {
    "shared": {},
    "branched": {"num_shared_layers": 1},
    "split": {"num_speaker_dimensions": 8},
}
POOLINGS = {
    "mean": lambda dim: MeanPooling(dim),
    "mean+std": lambda dim: MeanStdPooling(dim),
    "first+cls": lambda dim: FirstClassPooling(dim, class_width=32),
    "first+cls+learnable": lambda dim: FirstClassPooling(dim, class_width=32, is_learnable=True),
    "ctc": lambda dim: CtcPooling(dim),
}


def _network(
    architecture: Architecture, *, pooling: str = "mean", branch: str = "shared", **backbone: Any
) -> SpeechSpeakerNetwork:
    speaker_dim, speech_dim = (8, 24) if branch == "split" else (32, 32)
    made = POOLINGS[pooling](speaker_dim)
    return SpeechSpeakerNetwork(
        Wav2Vec2Backbone(architecture, **backbone),
        speech_head=CtcHead(speech_dim, 5),
        pooling=made,
        speaker_head=CosineHead(made.out_dim, 7),
        **BRANCHES[branch],
    ).eval()


@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_pooling_goes_with_every_branch(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, pooling: str, branch: str
) -> None:
    network = _network(architecture, pooling=pooling, branch=branch)
    speech = network(waves, num_samples, task="speech")
    speaker = network(waves, num_samples, task="speaker")
    both = network(waves, num_samples, task="both")
    assert speech.token_logits.shape == (3, 24, 5)
    assert speaker.speaker_logits.shape == (3, 7)
    assert speaker.embedding.shape == (3, network.pooling.out_dim)
    for output in (speech, speaker, both):
        assert output.num_frames.tolist() == [24, 15, 1]
        assert output.frames.shape[:2] == (3, 24)
    torch.testing.assert_close(both.token_logits, speech.token_logits)
    torch.testing.assert_close(both.speaker_logits, speaker.speaker_logits)


@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_both_tasks_together_reach_every_parameter(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, pooling: str, branch: str
) -> None:
    network = _network(architecture, pooling=pooling, branch=branch, layerdrop=0.5).train()
    speech = network(waves, num_samples, task="speech")
    speaker = network(waves, num_samples, task="speaker")
    loss = speech.token_logits.square().sum() + speaker.speaker_logits.square().sum()
    loss.backward()
    without = [name for name, value in network.named_parameters() if value.grad is None]
    assert without == []


@pytest.mark.parametrize("task", ["speech", "speaker"])
def test_only_what_the_task_needs_is_computed(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, task: Task
) -> None:
    network = _network(architecture, branch="branched")
    other = {"speech": "speaker", "speaker": "speech"}[task]
    unused = [network.branch.layers[other], getattr(network, f"{other}_head")]

    def fail(*_: object) -> None:
        raise AssertionError("not needed for this task")

    for module in unused:
        module.register_forward_pre_hook(fail)
    output = network(waves, num_samples, task=task)
    assert (output.token_logits is None) == (task == "speaker")
    assert (output.embedding is None) == (output.speaker_logits is None) == (task == "speech")


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("branch", BRANCHES)
def test_an_utterance_gives_the_same_output_alone_and_padded(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, pooling: str, branch: str
) -> None:
    network = _network(architecture, pooling=pooling, branch=branch)
    together = network(waves, num_samples, task="both")
    alone = network(waves[1:2, :5000], num_samples[1:2], task="both")
    for padded, single in (
        (together.token_logits[1:2, :15], alone.token_logits),
        (together.embedding[1:2], alone.embedding),
        (together.speaker_logits[1:2], alone.speaker_logits),
    ):
        torch.testing.assert_close(padded, single, atol=1e-5, rtol=1e-4)


def test_ctc_pooling_takes_the_frames_that_the_speech_head_calls_symbols(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    network = _network(architecture, pooling="ctc")
    output = network(waves, num_samples, task="both")
    is_symbol = output.token_logits[0].argmax(dim=-1) != 0
    assert is_symbol.any()
    torch.testing.assert_close(output.embedding[0], output.frames[0, is_symbol].mean(dim=0))


def test_the_class_frame_belongs_to_the_embedding_alone(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    network = _network(architecture, pooling="first+cls")
    encoded = network.backbone(waves, num_samples, class_frame=torch.ones(32))
    output = network(waves, num_samples, task="both")
    torch.testing.assert_close(output.embedding, encoded.frames[:, 0])
    torch.testing.assert_close(output.frames, encoded.frames[:, 1:])


def test_a_network_of_one_task_refuses_the_other(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    speech = SpeechSpeakerNetwork(Wav2Vec2Backbone(architecture), speech_head=CtcHead(32, 5))
    speaker = SpeechSpeakerNetwork(Wav2Vec2Backbone(architecture), pooling=MeanPooling(32))
    assert speech(waves, num_samples, task="speech").token_logits.shape == (3, 24, 5)
    assert speaker(waves, num_samples, task="speaker").speaker_logits is None  # no classes
    with pytest.raises(ValueError, match="no pooling"):
        speech(waves, num_samples, task="both")
    with pytest.raises(ValueError, match="no speech head"):
        speaker(waves, num_samples, task="speech")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "needs a speech head or a pooling"),
    ({"speaker_head": LinearHead(32, 7)}, "needs a speech head or a pooling"),
    (
        {"speech_head": CtcHead(32, 5), "speaker_head": LinearHead(32, 7)},
        "a speaker head needs a pooling",
    ),
    ({"pooling": CtcPooling(32)}, "chooses frames by the token logits"),
    ({"speech_head": CtcHead(32, 5), "num_shared_layers": 1}, "but it has one"),
    ({"pooling": MeanPooling(8), "num_speaker_dimensions": 8}, "but it has one"),
    (
        {
            "speech_head": CtcHead(24, 5),
            "pooling": MeanPooling(8),
            "num_shared_layers": 1,
            "num_speaker_dimensions": 8,
        },
        "nothing to split",
    ),
    ({"speech_head": CtcHead(31, 5)}, "speech head must take vectors of width 32, got in_dim=31"),
    (
        {"pooling": MeanStdPooling(32), "speaker_head": LinearHead(32, 7)},
        "speaker head must take vectors of width 64, got in_dim=32",
    ),
]


@pytest.mark.parametrize(("parts", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_parts_that_do_not_fit_are_refused(
    architecture: Architecture, parts: dict[str, nn.Module | int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        SpeechSpeakerNetwork(Wav2Vec2Backbone(architecture), **parts)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["speech", "speaker"])
def test_the_network_compiles_into_one_graph(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, task: Task
) -> None:
    network = _network(architecture, pooling="ctc", branch="branched")
    compiled = torch.compile(network, fullgraph=True, backend="eager", dynamic=False)
    found, expected = (run(waves, num_samples, task=task) for run in (compiled, network))
    torch.testing.assert_close(found.frames, expected.frames)
