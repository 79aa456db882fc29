"""What every weighting promises, and the values that the definitions give by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from duovox.loss.weighting.dwa import DwaWeighting
from duovox.loss.weighting.geometric import GeometricWeighting
from duovox.loss.weighting.gradnorm import GradNormWeighting
from duovox.loss.weighting.max import LARGEST_WEIGHT, MaxWeighting
from duovox.loss.weighting.min import MinWeighting
from duovox.loss.weighting.none import NoWeighting
from duovox.loss.weighting.random import RandomWeighting
from duovox.loss.weighting.static import StaticWeighting
from duovox.loss.weighting.uncertainty import UncertaintyWeighting

WEIGHTINGS: dict[str, Callable[[], nn.Module]] = {  # a new weighting adds its line here
    "none": NoWeighting,
    "static": lambda: StaticWeighting(speech_weight=0.88),
    "min": MinWeighting,
    "max": MaxWeighting,
    "dwa": DwaWeighting,
    "uncertainty": UncertaintyWeighting,
    "random": RandomWeighting,
    "geometric": GeometricWeighting,
    "gradnorm": lambda: GradNormWeighting(shared=()),
}


def losses_of(speech: float, speaker: float) -> dict[str, Tensor]:
    return {"speech": torch.tensor(speech), "speaker": torch.tensor(speaker)}


def weights_of(weighting: nn.Module, speech: float, speaker: float) -> tuple[float, float]:
    weights = weighting(losses_of(speech, speaker))
    return weights["speech"].item(), weights["speaker"].item()


@pytest.fixture(params=WEIGHTINGS.values(), ids=WEIGHTINGS.keys())
def weighting(request: pytest.FixtureRequest) -> nn.Module:
    made: nn.Module = request.param()
    return made


def test_weights_are_detached_scalars_for_the_same_tasks(weighting: nn.Module) -> None:
    speech = torch.tensor(3.0, requires_grad=True)
    weights = weighting({"speech": speech * 2, "speaker": torch.tensor(1.5)})
    assert list(weights) == ["speech", "speaker"]
    for weight in weights.values():
        assert weight.shape == ()
        assert weight.dtype == torch.float32
        assert not weight.requires_grad


@pytest.mark.parametrize("task", ["speech", "speaker"])
def test_a_task_alone_has_weight_one(weighting: nn.Module, task: str) -> None:
    for loss in (5.0, 2.0, 7.0):
        assert weighting({task: torch.tensor(loss)})[task].item() == 1.0


def test_a_loss_of_zero_gives_finite_weights_and_does_not_silence_the_other(
    weighting: nn.Module,
) -> None:
    for _ in range(5):
        weights = weights_of(weighting, 0.0, 2.0)
    assert all(torch.tensor(weights).isfinite())
    assert min(weights) > 0


def test_the_order_of_the_tasks_does_not_matter(weighting: nn.Module) -> None:
    torch.manual_seed(1)
    forwards = weighting(losses_of(4.0, 2.0))
    torch.manual_seed(1)
    backwards = weighting(dict(reversed(losses_of(4.0, 2.0).items())))
    assert forwards == backwards


def test_none_is_the_plain_sum() -> None:
    assert weights_of(NoWeighting(), 5.0, 9.0) == (1.0, 1.0)


def test_static_gives_speech_its_weight_and_speaker_the_rest() -> None:
    shares = weights_of(StaticWeighting(speech_weight=0.88), 5.0, 9.0)
    assert shares == pytest.approx((0.88, 0.12))


@pytest.mark.parametrize("speech_weight", [-0.1, 1.2, float("nan")])
def test_static_refuses_a_weight_outside_zero_to_one(speech_weight: float) -> None:
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\].*static_speech_weight"):
        StaticWeighting(speech_weight=speech_weight)


def test_min_makes_both_terms_the_smaller_loss() -> None:
    assert weights_of(MinWeighting(), 8.0, 2.0) == (0.25, 1.0)


def test_max_makes_both_terms_the_larger_loss() -> None:
    assert weights_of(MaxWeighting(), 8.0, 2.0) == (1.0, 4.0)


def test_max_never_exceeds_its_largest_weight() -> None:
    assert weights_of(MaxWeighting(), 1e-30, 2.0) == (LARGEST_WEIGHT, 1.0)


def test_min_gives_the_gradient_of_the_logarithms() -> None:
    shared = torch.tensor(1.3, requires_grad=True)
    losses = {"speech": shared.exp() * 3, "speaker": shared.square()}
    weights = MinWeighting()(losses)
    torch.stack([weights[task] * loss for task, loss in losses.items()]).sum().backward()
    expected = losses["speaker"].item() * (1 + 2 / 1.3)  # min(L) * (d log 3e^x + d log x^2)
    assert shared.grad is not None
    assert shared.grad.item() == pytest.approx(expected, rel=1e-5)


def test_geometric_makes_both_terms_half_of_the_mean() -> None:
    assert weights_of(GeometricWeighting(), 8.0, 2.0) == pytest.approx((0.25, 1.0))  # mean 4


def test_geometric_gives_the_gradient_of_the_geometric_mean() -> None:
    shared = torch.tensor(1.3, requires_grad=True)
    losses = {"speech": shared.exp() * 3, "speaker": shared.square()}
    weights = GeometricWeighting()(losses)
    total = torch.stack([weights[task] * loss for task, loss in losses.items()]).sum()
    mean = (losses["speech"] * losses["speaker"]).sqrt()
    torch.testing.assert_close(total, mean)
    (found,) = torch.autograd.grad(total, shared, retain_graph=True)
    (expected,) = torch.autograd.grad(mean, shared)
    torch.testing.assert_close(found, expected)
