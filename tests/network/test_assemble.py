"""The whole network: each pair of options together, and the pairs that are refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from duovox.batch import NetworkOutput
from duovox.network.assemble import SpeechSpeakerNetwork, Task
from duovox.network.head.cosine import CosineHead
from duovox.network.head.ctc import CtcHead
from duovox.network.head.data_source import DataSourceHead
from duovox.network.pooling.attentive import AttentivePooling
from duovox.network.pooling.ctc import CtcPooling
from duovox.network.pooling.first import FirstPooling
from duovox.network.pooling.first_cls import FirstClassPooling
from duovox.network.pooling.last import LastPooling
from duovox.network.pooling.max import MaxPooling
from duovox.network.pooling.mean import MeanPooling
from duovox.network.pooling.mean_std import MeanStdPooling
from duovox.network.pooling.middle import MiddlePooling
from duovox.network.pooling.quantile import QuantilePooling
from duovox.network.pooling.random import RandomPooling
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.transformer import TransformerLayer

BRANCHES = {
    "shared": {},
    "branched": {"num_shared_layers": 1},
    "split": {"num_speaker_dimensions": 8},
    "early": {"speaker_layer": 1},
}
POOLINGS = {
    "mean": lambda dim: MeanPooling(dim),
    "mean+std": lambda dim: MeanStdPooling(dim),
    "attentive": lambda dim: AttentivePooling(dim, bottleneck=4),
    "quantile": lambda dim: QuantilePooling(dim),
    "max": lambda dim: MaxPooling(dim),
    "first": lambda dim: FirstPooling(dim),
    "last": lambda dim: LastPooling(dim),
    "middle": lambda dim: MiddlePooling(dim),
    "random": lambda dim: RandomPooling(dim, generator=torch.Generator()),
    "first+cls": lambda dim: FirstClassPooling(dim, class_width=32),
    "first+cls+learnable": lambda dim: FirstClassPooling(dim, class_width=32, is_learnable=True),
    "ctc": lambda dim: CtcPooling(dim),
    "ctc, blanks": lambda dim: CtcPooling(dim, pool_blanks=True),
}


def _network(
    architecture: Architecture,
    *,
    pooling: str = "mean",
    branch: str = "shared",
    layerdrop: float = 0.0,
    **parts: Any,
) -> SpeechSpeakerNetwork:
    speaker_dim, speech_dim = (8, 24) if branch == "split" else (32, 32)
    made = POOLINGS[pooling](speaker_dim)
    return SpeechSpeakerNetwork(
        Wav2Vec2Backbone(architecture, layerdrop=layerdrop),
        speech_head=CtcHead(speech_dim, 5),
        pooling=made,
        speaker_head=CosineHead(made.out_dim, 7),
        **BRANCHES[branch],
        **parts,
    ).eval()


def _hear(network: SpeechSpeakerNetwork, *inputs: Tensor, task: Task) -> NetworkOutput:
    """Run the network; what its pooling draws is the same each time."""
    if isinstance(network.pooling, RandomPooling):
        network.pooling.generator.manual_seed(5)
    return network(*inputs, task=task)


def _count_calls(*modules: nn.Module) -> Counter[nn.Module]:
    """Return a count that goes on with every call of one of the modules."""
    calls: Counter[nn.Module] = Counter()
    for module in modules:
        module.register_forward_pre_hook(lambda called, _: calls.update([called]))
    return calls


@pytest.mark.parametrize("branch", BRANCHES)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_pooling_goes_with_every_branch(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, pooling: str, branch: str
) -> None:
    network = _network(architecture, pooling=pooling, branch=branch)
    speech = _hear(network, waves, num_samples, task="speech")
    speaker = _hear(network, waves, num_samples, task="speaker")
    both = _hear(network, waves, num_samples, task="both")
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
    gradients = {name: value.grad for name, value in network.named_parameters()}
    assert [name for name, gradient in gradients.items() if gradient is None] == []
    assert all(gradient.isfinite().all() for gradient in gradients.values())
    torch.optim.SGD(network.parameters(), lr=1e-3).step()
    assert _hear(network.eval(), waves, num_samples, task="both").speaker_logits.isfinite().all()


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
    """The padded one comes first, where the random pooling draws it the same lot."""
    network = _network(architecture, pooling=pooling, branch=branch)
    order = torch.tensor([1, 0, 2])
    together = _hear(network, waves[order], num_samples[order], task="both")
    alone = _hear(network, waves[1:2, :5000], num_samples[1:2], task="both")
    for padded, single in (
        (together.token_logits[:1, :15], alone.token_logits),
        (together.embedding[:1], alone.embedding),
        (together.speaker_logits[:1], alone.speaker_logits),
    ):
        torch.testing.assert_close(padded, single, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("branch", BRANCHES)
def test_ctc_pooling_takes_the_frames_that_the_speech_head_calls_symbols(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, branch: str
) -> None:
    """The letters are those of the speech side, the frames those of the speaker side."""
    network = _network(architecture, pooling="ctc", branch=branch)
    logits = network(waves, num_samples, task="speech").token_logits[0].detach()
    lead = logits[:, 1:].amax(dim=-1) - logits[:, 0]  # of the symbols over the blank
    network.speech_head.linear.bias.data[0] += lead.mean()
    output = network(waves, num_samples, task="speaker")
    speech = network(waves, num_samples, task="speech")
    is_symbol = speech.token_logits[0].argmax(dim=-1) != 0
    assert 0 < is_symbol.sum() < len(is_symbol)
    torch.testing.assert_close(output.embedding[0], output.frames[0, is_symbol].mean(dim=0))


def test_choosing_frames_by_letters_gives_the_speech_side_no_gradient(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    network = _network(architecture, pooling="ctc", branch="branched")
    network(waves, num_samples, task="speaker").embedding.sum().backward()
    reached = {name for name, value in network.named_parameters() if value.grad is not None}
    assert not [name for name in reached if name.startswith(("branch.layers.speech", "speech_h"))]
    assert [name for name in reached if name.startswith("branch.layers.speaker")]


@pytest.mark.parametrize("pooling", ["mean", "ctc"])
@pytest.mark.parametrize("branch", BRANCHES)
def test_both_tasks_together_compute_each_layer_and_head_once(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, pooling: str, branch: str
) -> None:
    network = _network(architecture, pooling=pooling, branch=branch)
    layers = [part for part in network.modules() if isinstance(part, TransformerLayer)]
    calls = _count_calls(network.backbone, network.speech_head, network.speaker_head, *layers)
    network(waves, num_samples, task="both")
    assert len(calls) == len(layers) + 3
    assert set(calls.values()) == {1}


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_batch_of_speakers_ends_at_the_layer_of_their_head(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, layer: int
) -> None:
    network = _network(architecture, speaker_layer=layer)
    layers = network.backbone.transformer.layers
    calls = _count_calls(*layers)
    network(waves, num_samples, task="speaker")
    assert [calls[one] for one in layers] == [int(number < layer) for number in range(2)]


def test_a_data_source_head_hears_what_both_tasks_share(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    for branch, parts in BRANCHES.items():
        head = DataSourceHead(32, reversal_scale=1.0)
        network = _network(architecture, pooling="first+cls", branch=branch, source_head=head)
        encoded = network.backbone(
            waves,
            num_samples,
            class_frame=network.pooling.class_frame,
            num_layers=parts.get("speaker_layer"),
        )
        expected = head(encoded.frames[:, 1:], encoded.num_frames - 1)
        for task in ("speech", "speaker"):
            output = network(waves, num_samples, task=task)
            torch.testing.assert_close(output.source_logits, expected)


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


@pytest.mark.slow
@pytest.mark.parametrize("task", ["speech", "speaker"])
def test_the_network_compiles_into_one_graph(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, task: Task
) -> None:
    network = _network(architecture, pooling="ctc", branch="branched")
    compiled = torch.compile(network, fullgraph=True, backend="eager", dynamic=False)
    found, expected = (run(waves, num_samples, task=task) for run in (compiled, network))
    torch.testing.assert_close(found.frames, expected.frames)
