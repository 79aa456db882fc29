"""What every pooling promises. A new one adds a line to POOLINGS."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

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

DIM, VOCABULARY = 6, 5
POOLINGS: dict[str, tuple[Callable[[], nn.Module], int]] = {  # and how often DIM fits in out_dim
    "mean": (lambda: MeanPooling(DIM), 1),
    "mean+std": (lambda: MeanStdPooling(DIM), 2),
    "attentive": (lambda: AttentivePooling(DIM, bottleneck=4), 2),
    "quantile": (lambda: QuantilePooling(DIM), 5),
    "max": (lambda: MaxPooling(DIM), 1),
    "first": (lambda: FirstPooling(DIM), 1),
    "first+cls": (lambda: FirstClassPooling(DIM), 1),
    "first+cls+learnable": (lambda: FirstClassPooling(DIM, is_learnable=True), 1),
    "last": (lambda: LastPooling(DIM), 1),
    "middle": (lambda: MiddlePooling(DIM), 1),
    "random": (lambda: RandomPooling(DIM, generator=torch.Generator()), 1),
    "ctc": (lambda: CtcPooling(DIM), 1),
    "ctc, blanks": (lambda: CtcPooling(DIM, pool_blanks=True), 1),
}
NUM_FRAMES = torch.tensor([9, 4, 1])


@pytest.fixture(params=POOLINGS)
def pooling(request: pytest.FixtureRequest) -> nn.Module:
    return POOLINGS[request.param][0]()


@pytest.fixture
def frames() -> Tensor:
    return torch.randn(3, 9, DIM)


@pytest.fixture
def token_logits() -> Tensor:
    return torch.randn(3, 9, VOCABULARY)


def _pool(pooling: nn.Module, *inputs: Tensor) -> Tensor:
    """Pool; what is random draws the same lots each time."""
    if isinstance(pooling, RandomPooling):
        pooling.generator.manual_seed(5)
    return pooling(*inputs)


@pytest.mark.parametrize("name", POOLINGS)
def test_out_dim_is_the_width_of_the_embedding(
    name: str, frames: Tensor, token_logits: Tensor
) -> None:
    make, factor = POOLINGS[name]
    pooling = make()
    assert pooling.out_dim == factor * DIM
    assert _pool(pooling, frames, NUM_FRAMES, token_logits).shape == (3, factor * DIM)


@pytest.mark.parametrize("filling", [1e6, -1e6, float("nan")])
def test_padding_never_reaches_the_embedding(
    pooling: nn.Module, frames: Tensor, token_logits: Tensor, filling: float
) -> None:
    clean = _pool(pooling, frames, NUM_FRAMES, token_logits)
    is_padding = torch.arange(9) >= NUM_FRAMES[:, None]
    frames[is_padding], token_logits[is_padding] = filling, filling
    torch.testing.assert_close(_pool(pooling, frames, NUM_FRAMES, token_logits), clean)


def test_the_amount_of_padding_does_not_matter(
    pooling: nn.Module, frames: Tensor, token_logits: Tensor
) -> None:
    together = _pool(pooling, frames, NUM_FRAMES, token_logits)
    trimmed = _pool(pooling, frames[1:2, :4], NUM_FRAMES[1:2], token_logits[1:2, :4])
    if not isinstance(pooling, RandomPooling):  # its lot depends on the place in the batch
        torch.testing.assert_close(together[1:2], trimmed)


def test_utterances_do_not_see_each_other(
    pooling: nn.Module, frames: Tensor, token_logits: Tensor
) -> None:
    if isinstance(pooling, RandomPooling):
        return
    order = torch.tensor([2, 0, 1])
    inputs = (frames, NUM_FRAMES, token_logits)
    permuted = _pool(pooling, *(tensor[order] for tensor in inputs))
    torch.testing.assert_close(permuted, _pool(pooling, *inputs)[order])


def test_one_frame_is_finite_and_so_is_its_gradient(pooling: nn.Module) -> None:
    for frames in (torch.randn(2, 3, DIM), torch.zeros(2, 3, DIM)):
        frames.requires_grad_()
        logits = torch.randn(2, 3, VOCABULARY)
        embedding = _pool(pooling, frames, torch.tensor([1, 1]), logits)
        (gradient,) = torch.autograd.grad(embedding.square().sum() + embedding.sum(), frames)
        assert embedding.isfinite().all()
        assert gradient.isfinite().all()
        assert gradient[:, 1:].eq(0).all()  # the other two are padding


def test_bfloat16_frames_are_pooled(
    pooling: nn.Module, frames: Tensor, token_logits: Tensor
) -> None:
    exact = _pool(pooling, frames, NUM_FRAMES, token_logits)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = _pool(pooling, frames.bfloat16(), NUM_FRAMES, token_logits)
    torch.testing.assert_close(rounded.float(), exact, atol=0.05, rtol=0.05)


@pytest.mark.parametrize("name", POOLINGS)
def test_only_first_cls_asks_for_a_class_frame(name: str) -> None:
    pooling = POOLINGS[name][0]()
    assert (pooling.class_frame is not None) == name.startswith("first+cls")
    assert pooling.needs_token_logits == name.startswith("ctc")
