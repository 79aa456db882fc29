"""GradNorm against the paper's loss, differentiated by torch and stepped by its Adam."""

from __future__ import annotations

import io

import pytest
import torch
from torch import Tensor, nn

from duovox.loss.weighting.gradnorm import GradNormWeighting

TASKS = ("speech", "speaker")
INPUTS = torch.tensor([[1.0, -2.0, 0.5], [4.0, 3.0, -1.0]])


def losses_of(layer: nn.Parameter) -> dict[str, Tensor]:
    speech, speaker = INPUTS @ layer
    return {"speech": speech.square() + 0.3, "speaker": 2 * speaker.square() + 0.1}


def layers(num_steps: int) -> list[nn.Parameter]:
    """Return the layer as training might move it."""
    generator = torch.Generator().manual_seed(3)
    return [nn.Parameter(torch.randn(3, generator=generator)) for _ in range(num_steps)]


def train(weighting: GradNormWeighting, steps: list[nn.Parameter]) -> list[list[float]]:
    weights = []
    for layer in steps:
        weighting.shared = (layer,)
        weights.append([weight.item() for weight in weighting(losses_of(layer)).values()])
    return weights


class Reference:
    """Algorithm 1, with a graph through the gradients."""

    def __init__(self, alpha: float, lr: float) -> None:
        self.weights = nn.Parameter(torch.ones(2))
        self.adam = torch.optim.Adam([self.weights], lr=lr)
        self.alpha = alpha
        self.first: Tensor | None = None

    def step(self, layer: nn.Parameter) -> list[float]:
        used: list[float] = self.weights.tolist()
        losses = torch.stack([*losses_of(layer).values()])
        self.first = losses.detach() if self.first is None else self.first
        lengths = torch.stack(
            [
                torch.autograd.grad(weight * loss, layer, create_graph=True)[0].norm()
                for weight, loss in zip(self.weights, losses, strict=True)
            ]
        )
        ratios = losses.detach() / self.first
        targets = lengths.mean() * (ratios / ratios.mean()) ** self.alpha
        self.adam.zero_grad()
        (lengths - targets.detach()).abs().sum().backward(inputs=[self.weights])
        self.adam.step()
        self.weights.data *= 2 / self.weights.data.sum()
        return used


@pytest.mark.parametrize(("alpha", "lr"), [(1.5, 0.025), (0.0, 0.01), (0.12, 0.05)])
def test_weights_equal_the_rewrite(alpha: float, lr: float) -> None:
    steps, reference = layers(12), Reference(alpha, lr)
    found = train(GradNormWeighting(shared=(), alpha=alpha, lr=lr), steps)
    expected = [reference.step(layer) for layer in steps]
    torch.testing.assert_close(torch.tensor(found), torch.tensor(expected))
    assert found[0] == [1.0, 1.0]
    assert found[-1] != [1.0, 1.0]


def test_lengths_become_equal_where_that_is_asked_for() -> None:
    layer = nn.Parameter(torch.tensor([0.3, 0.2, -0.4]))
    weighting = GradNormWeighting(shared=(layer,), alpha=0, lr=0.003)
    for _ in range(600):
        weights = weighting(losses_of(layer))
    terms = [weights[task] * loss for task, loss in losses_of(layer).items()]
    lengths = [
        torch.autograd.grad(term, layer, retain_graph=True)[0].norm().item() for term in terms
    ]
    assert lengths[0] == pytest.approx(lengths[1], rel=0.05)
    assert sum(weight.item() for weight in weights.values()) == pytest.approx(2)


def test_resume_goes_on_with_the_same_weights() -> None:
    steps = layers(9)
    whole = train(GradNormWeighting(shared=()), steps)
    first, file = GradNormWeighting(shared=()), io.BytesIO()
    train(first, steps[:4])
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = GradNormWeighting(shared=())
    second.load_state_dict(torch.load(file, weights_only=True))
    assert train(second, steps[4:]) == whole[4:]


def test_the_shared_layer_is_not_a_part_of_the_weighting() -> None:
    weighting = GradNormWeighting(shared=(nn.Parameter(torch.ones(3)),))
    assert list(weighting.parameters()) == []


def test_no_gradient_is_left_behind() -> None:
    layer = layers(1)[0]
    losses = losses_of(layer)
    GradNormWeighting(shared=(layer,))(losses)
    assert layer.grad is None
    torch.stack([*losses.values()]).sum().backward()  # its graph is still whole


@pytest.mark.parametrize("case", ["frozen", "alone", "evaluation", "not finite"])
def test_the_weights_stay_where_there_is_nothing_to_learn_from(case: str) -> None:
    layer = layers(1)[0]
    weighting = GradNormWeighting(shared=(layer,))
    losses = losses_of(layer)
    if case == "frozen":
        layer.requires_grad_(False)
    elif case == "alone":
        del losses["speaker"]
    elif case == "evaluation":
        weighting.eval()
    else:
        losses["speech"] = losses["speech"] + (layer[0] - layer[0].detach()).abs().sqrt()
    weighting(losses)
    assert weighting.weights.tolist() == [1.0, 1.0]
    assert weighting.num_updates == 0


def test_a_first_loss_of_zero_is_not_what_later_ones_are_measured_by() -> None:
    layer = layers(1)[0]
    weighting = GradNormWeighting(shared=(layer,))
    silent = losses_of(layer)
    silent["speech"] = silent["speech"] * 0
    weighting(silent)
    weighting(losses_of(layer))
    assert weighting.weights.isfinite().all()
    assert weighting.first_losses[0] == losses_of(layer)["speech"]


def test_no_weight_reaches_zero() -> None:
    layer = nn.Parameter(torch.tensor([0.3, 0.2, -0.4]))
    weighting = GradNormWeighting(shared=(layer,), lr=5.0)
    for _ in range(5):
        weights = weighting(losses_of(layer))
        assert min(weights.values()) > 0
