"""Each pooling against a direct rewrite, a library, or a hand-worked case."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

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

NUM_FRAMES = torch.tensor([9, 4, 2])
DIRECT = [
    (MeanPooling, lambda x: x.mean(axis=0)),
    (MeanStdPooling, lambda x: np.concatenate([x.mean(axis=0), x.std(axis=0, ddof=1)])),
    (QuantilePooling, lambda x: np.quantile(x, [0, 0.25, 0.5, 0.75, 1], axis=0).ravel()),
    (MaxPooling, lambda x: x.max(axis=0)),
    (FirstPooling, lambda x: x[0]),
    (FirstClassPooling, lambda x: x[0]),
    (LastPooling, lambda x: x[-1]),
    (MiddlePooling, lambda x: x[len(x) // 2]),
]


@pytest.fixture
def frames() -> Tensor:
    return torch.randn(3, 9, 6)


@pytest.mark.parametrize(("pooling", "direct"), DIRECT, ids=lambda p: getattr(p, "__name__", ""))
def test_pooling_agrees_with_numpy_utterance_by_utterance(
    pooling: type, direct: object, frames: Tensor
) -> None:
    pooled = pooling(6)(frames, NUM_FRAMES)
    for row, count in enumerate(NUM_FRAMES):
        expected = torch.from_numpy(direct(frames[row, :count].numpy())).float()
        torch.testing.assert_close(pooled[row], expected, atol=1e-6, rtol=1e-5)


def test_mean_and_std_agree_with_speechbrain(frames: Tensor) -> None:
    from speechbrain.nnet.pooling import StatisticsPooling

    theirs = StatisticsPooling()(frames, NUM_FRAMES / 9)[:, 0]  # relative lengths; adds noise
    torch.testing.assert_close(MeanStdPooling(6)(frames, NUM_FRAMES), theirs, atol=1e-4, rtol=1e-4)


def _attentive_of_speechbrain(ours: AttentivePooling, frames: Tensor) -> Tensor:
    """Run the weights and the statistics of ECAPA-TDNN on our scores' bottleneck."""
    from speechbrain.lobes.models.ECAPA_TDNN import AttentiveStatisticsPooling

    theirs = AttentiveStatisticsPooling(6, attention_channels=4)
    theirs.tdnn = torch.nn.Sequential(_Transposed(ours.inner, torch.relu), _Transposed(ours.norm))
    theirs.conv = _Transposed(ours.scores)
    return theirs(frames.transpose(1, 2), NUM_FRAMES / 9)[..., 0]


class _Transposed(torch.nn.Module):
    """A frame-wise module on (B, C, T)."""

    def __init__(self, module: torch.nn.Module, activation: object = torch.nn.Identity()) -> None:
        super().__init__()
        self.module, self.activation = module, activation

    def forward(self, channels: Tensor) -> Tensor:
        return self.activation(self.module(channels.transpose(1, 2))).transpose(1, 2)


def test_attentive_statistics_agree_with_speechbrain(frames: Tensor) -> None:
    ours = AttentivePooling(6, bottleneck=4)
    torch.nn.init.normal_(ours.scores.weight, std=2.0)
    expected = _attentive_of_speechbrain(ours, frames)
    torch.testing.assert_close(ours(frames, NUM_FRAMES), expected, atol=1e-5, rtol=1e-5)


def test_attention_looks_at_some_frames_more(frames: Tensor) -> None:
    pooling = AttentivePooling(6, bottleneck=4)
    torch.nn.init.zeros_(pooling.scores.weight)
    torch.nn.init.zeros_(pooling.scores.bias)
    mean = MeanPooling(6)(frames, NUM_FRAMES)
    torch.testing.assert_close(pooling(frames, NUM_FRAMES)[:, :6], mean)
    torch.nn.init.normal_(pooling.scores.weight, std=2.0)
    assert not torch.allclose(pooling(frames, NUM_FRAMES)[:, :6], mean, atol=0.01)


def _logits(tokens: list[list[int]]) -> Tensor:
    """Logits of a vocabulary of 4 whose argmax are the tokens."""
    return 5 * torch.nn.functional.one_hot(torch.tensor(tokens), 4).float()


def test_ctc_pooling_keeps_the_symbols_or_the_blanks() -> None:
    frames = torch.tensor([[[1.0], [2.0], [4.0], [8.0]]])
    logits = _logits([[0, 3, 0, 2]])
    full = torch.tensor([4])
    assert CtcPooling(1)(frames, full, logits).item() == (2 + 8) / 2
    assert CtcPooling(1, pool_blanks=True)(frames, full, logits).item() == (1 + 4) / 2
    assert CtcPooling(1, blank=3)(frames, full, logits).item() == pytest.approx((1 + 4 + 8) / 3)
    assert CtcPooling(1)(frames, torch.tensor([3]), logits).item() == 2  # the last is padding


@pytest.mark.parametrize(("tokens", "pool_blanks"), [([0, 0, 1], False), ([2, 1, 0], True)])
def test_ctc_pooling_keeps_all_frames_where_none_qualifies(
    tokens: list[int], pool_blanks: bool
) -> None:
    frames = torch.tensor([[[1.0], [2.0], [100.0]]])
    pooling = CtcPooling(1, pool_blanks=pool_blanks)
    assert pooling(frames, torch.tensor([2]), _logits([tokens])).item() == 1.5


def test_random_pooling_takes_each_true_frame_as_often() -> None:
    frames = torch.arange(5.0)[None, :, None].expand(3000, -1, -1)
    pooling = RandomPooling(1, generator=torch.Generator().manual_seed(0))
    chosen = pooling(frames, torch.full((3000,), 3))
    counts = torch.bincount(chosen[:, 0].long(), minlength=5)
    assert counts[3:].sum() == 0  # padding
    assert (counts[:3] - 1000).abs().max() < 100  # deviation 26


def test_random_pooling_repeats_with_its_seed() -> None:
    frames = torch.randn(8, 50, 2)

    def pool(seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return RandomPooling(2, generator=generator)(frames, torch.full((8,), 50))

    assert torch.equal(pool(1), pool(1))
    assert not torch.equal(pool(1), pool(2))


def test_the_class_frame_is_ones_and_trained_only_if_asked() -> None:
    constant, learnable = FirstClassPooling(4), FirstClassPooling(4, is_learnable=True)
    assert list(constant.parameters()) == []
    assert [p.shape for p in learnable.parameters()] == [(4,)]
    assert constant.class_frame.eq(1).all()
    assert learnable.class_frame.eq(1).all()
    assert FirstClassPooling(4, class_width=10).class_frame.shape == (10,)
