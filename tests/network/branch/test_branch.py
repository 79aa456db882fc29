"""What the branches give to each task."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from duovox.network.branch.branched import BranchedLayers
from duovox.network.branch.early import EarlySpeakerBranch
from duovox.network.branch.shared import SharedBranch
from duovox.network.branch.split import SplitBranch
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Encoded, Wav2Vec2Backbone


@pytest.fixture
def encoded() -> Encoded:
    return Encoded(frames=torch.randn(2, 5, 32), num_frames=torch.tensor([5, 3]))


def test_shared_frames_are_the_same_for_both(encoded: Encoded) -> None:
    branch = SharedBranch(32)
    assert branch.dims == {"speech": 32, "speaker": 32}
    assert branch(encoded, "speech") is branch(encoded, "speaker") is encoded.frames


def test_split_dimensions_go_to_the_speaker_first(encoded: Encoded) -> None:
    branch = SplitBranch(32, num_speaker_dimensions=8)
    assert branch.dims == {"speech": 24, "speaker": 8}
    assert torch.equal(branch(encoded, "speaker"), encoded.frames[..., :8])
    assert torch.equal(branch(encoded, "speech"), encoded.frames[..., 8:])


@pytest.mark.parametrize("num_speaker_dimensions", [0, 32, -1])
def test_a_split_leaves_something_for_both(num_speaker_dimensions: int) -> None:
    with pytest.raises(ValueError, match="must lie between 1 and 31"):
        SplitBranch(32, num_speaker_dimensions=num_speaker_dimensions)


@pytest.mark.parametrize("num_shared_layers", [0, 1])
def test_new_branches_agree_with_the_whole_network(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, num_shared_layers: int
) -> None:
    backbone = Wav2Vec2Backbone(architecture).eval()
    whole = backbone(waves, num_samples).frames
    branch = BranchedLayers(backbone, num_shared_layers=num_shared_layers)
    shared = backbone(waves, num_samples)
    for task in ("speech", "speaker"):
        torch.testing.assert_close(branch(shared, task), whole, atol=1e-6, rtol=1e-5)


def test_branches_have_layers_of_their_own(
    architecture: Architecture, waves: Tensor, num_samples: Tensor
) -> None:
    backbone = Wav2Vec2Backbone(architecture)
    branch = BranchedLayers(backbone, num_shared_layers=1)
    branch(backbone(waves, num_samples), "speech").sum().backward()
    gradients = {name: p.grad is not None for name, p in branch.named_parameters()}
    assert all(has == name.startswith("layers.speech.") for name, has in gradients.items())
    assert all(parameter.grad is not None for parameter in backbone.parameters())


@pytest.mark.parametrize("num_shared_layers", [2, 3, -1])
def test_each_branch_needs_a_layer(architecture: Architecture, num_shared_layers: int) -> None:
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        BranchedLayers(Wav2Vec2Backbone(architecture), num_shared_layers=num_shared_layers)


@pytest.mark.parametrize("num_layers", [0, 1])
def test_an_early_speaker_task_takes_the_output_of_its_layer(
    architecture: Architecture, waves: Tensor, num_samples: Tensor, num_layers: int
) -> None:
    backbone = Wav2Vec2Backbone(architecture).eval()
    whole = backbone(waves, num_samples, with_layers=True)
    branch = EarlySpeakerBranch(backbone, num_layers=num_layers)
    early = backbone(waves, num_samples, num_layers=branch.num_shared_layers)
    torch.testing.assert_close(branch(early, "speech"), whole.frames, atol=1e-6, rtol=1e-5)
    expected = whole.layers[num_layers]
    if architecture.pre_norm:  # between its layers nothing is normalised
        expected = backbone.transformer.final_norm(expected)
    torch.testing.assert_close(branch(early, "speaker"), expected)


def test_an_early_speaker_task_has_at_most_a_norm_of_its_own(architecture: Architecture) -> None:
    backbone = Wav2Vec2Backbone(architecture)
    names = [*EarlySpeakerBranch(backbone, num_layers=1).state_dict()]
    assert names == (["norm.weight", "norm.bias"] if architecture.pre_norm else [])
