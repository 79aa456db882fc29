from __future__ import annotations

import pytest
import torch

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.shuffle import shuffle_frames

NUM_FRAMES = torch.tensor([40, 25])
FRAMES = torch.arange(2 * 40 * 3, dtype=torch.float32).reshape(2, 40, 3)


@pytest.mark.parametrize("num_kept", [0, 1, 2])
def test_true_frames_change_places_and_no_others(num_kept: int) -> None:
    torch.manual_seed(0)
    shuffled = shuffle_frames(FRAMES, NUM_FRAMES, num_kept=num_kept)
    for before, after, number in zip(FRAMES, shuffled, NUM_FRAMES.tolist(), strict=True):
        assert torch.equal(after[:num_kept], before[:num_kept])
        assert torch.equal(after[number:], before[number:])
        assert not torch.equal(after[num_kept:number], before[num_kept:number])
        assert torch.equal(after[:number].sort(dim=0).values, before[:number])


def test_each_utterance_has_an_order_of_its_own() -> None:
    torch.manual_seed(0)
    first, second = shuffle_frames(FRAMES[:1].expand(2, -1, -1), torch.tensor([40, 40]))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("mode", ["before", "after"])
def test_only_training_shuffles(architecture: Architecture, mode) -> None:
    torch.manual_seed(0)
    backbone = Wav2Vec2Backbone(architecture, random_permutation_mode=mode)
    plain = Wav2Vec2Backbone(architecture)
    plain.load_state_dict(backbone.state_dict())
    waves, num_samples = torch.randn(2, 8000), torch.tensor([8000, 6000])
    told, shuffled = (
        network(waves, num_samples, class_frame=torch.ones(network.width)).frames
        for network in (plain, backbone)
    )
    assert not torch.allclose(told, shuffled, atol=1e-3)
    heard, same = (network.eval()(waves, num_samples).frames for network in (plain, backbone))
    assert torch.equal(heard, same)
