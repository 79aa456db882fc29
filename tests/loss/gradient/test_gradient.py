"""What every gradient method promises, and that each is the published one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torchjd.aggregation import IMTLG, MGDA, PCGrad

from duovox.loss.gradient import GradientMethod
from duovox.loss.gradient.cagrad import CaGrad
from duovox.loss.gradient.imtl_g import ImtlG
from duovox.loss.gradient.mgda import Mgda
from duovox.loss.gradient.pcgrad import PcGrad

METHODS: dict[str, GradientMethod] = {  # a new method adds its line here
    "pcgrad": PcGrad(),
    "cagrad": CaGrad(c=0.4),
    "mgda": Mgda(),
    "imtl_g": ImtlG(),
}
SEEDS = range(20)


def jacobian(seed: int) -> Tensor:
    """Return (2, P) float64: gradients of any angle and of lengths that differ up to 30 times."""
    generator = torch.Generator().manual_seed(seed)
    size = int(torch.randint(2, 60, (), generator=generator))
    rows = torch.randn(2, size, generator=generator, dtype=torch.float64)
    rows[1] += rows[0] * torch.randn((), generator=generator, dtype=torch.float64)
    return rows * torch.exp(torch.randn(2, 1, generator=generator, dtype=torch.float64))


def is_conflict(gradients: Tensor) -> bool:
    return bool(gradients[0].dot(gradients[1]) < 0)


@pytest.fixture(params=METHODS.values(), ids=METHODS.keys())
def method(request: pytest.FixtureRequest) -> GradientMethod:
    made: GradientMethod = request.param
    return made


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_the_tasks_does_not_matter(method: GradientMethod, seed: int) -> None:
    gradients = jacobian(seed)
    torch.testing.assert_close(method(gradients.flip(0)), method(gradients))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_multiplies_both_gradients_multiplies_the_result(
    method: GradientMethod, seed: int
) -> None:
    gradients = jacobian(seed)
    torch.testing.assert_close(method(65_536 * gradients), 65_536 * method(gradients))


def test_equal_gradients_keep_their_direction(method: GradientMethod) -> None:
    row = jacobian(0)[0]
    found = method(torch.stack([row, row]))
    assert torch.cosine_similarity(found, row, dim=0).item() == pytest.approx(1)


@pytest.mark.parametrize("silent", [0, 1])
def test_a_task_without_a_gradient_does_not_silence_the_other(
    method: GradientMethod, silent: int
) -> None:
    gradients = jacobian(1)
    gradients[silent] = 0
    torch.testing.assert_close(method(gradients), gradients[1 - silent])


def test_two_tasks_without_gradients_have_none(method: GradientMethod) -> None:
    assert not method(torch.zeros(2, 5)).any()


def test_opposite_gradients_give_a_finite_one(method: GradientMethod) -> None:
    row = jacobian(2)[0]
    assert method(torch.stack([row, -row])).isfinite().all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("task", [0, 1])
def test_what_is_not_finite_stays_so(method: GradientMethod, value: float, task: int) -> None:
    gradients = jacobian(3)
    gradients[task, 1] = value
    assert not method(gradients).isfinite().all()


@pytest.mark.parametrize("name", ["pcgrad", "mgda", "imtl_g"])
@pytest.mark.parametrize("seed", SEEDS)
def test_no_step_is_against_a_task(name: str, seed: int) -> None:
    gradients = jacobian(seed)
    assert (gradients @ METHODS[name](gradients) >= -1e-9).all()


@pytest.mark.parametrize(
    ("name", "oracle"),
    [("pcgrad", PCGrad()), ("mgda", MGDA(epsilon=1e-9)), ("imtl_g", IMTLG())],
    ids=["pcgrad", "mgda", "imtl_g"],
)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_gradient_is_that_of_torchjd(
    name: str, oracle: Callable[[Tensor], Tensor], seed: int
) -> None:
    gradients = jacobian(seed)
    torch.testing.assert_close(METHODS[name](gradients), oracle(gradients), rtol=1e-6, atol=1e-9)


def test_the_cases_compared_hold_conflicts_and_agreements() -> None:
    conflicts = [is_conflict(jacobian(seed)) for seed in SEEDS]
    assert 5 <= sum(conflicts) <= 15


@pytest.mark.parametrize("c", [0.1, 0.4, 0.9])
@pytest.mark.parametrize("seed", SEEDS)
def test_cagrad_minimises_its_dual(c: float, seed: int) -> None:
    """By brute force over the mixes of the two gradients."""
    gradients = jacobian(seed)
    share = torch.linspace(0, 1, 200_001, dtype=torch.float64)
    gram, mean = gradients @ gradients.T, gradients.mean(dim=0)
    first, second = share, 1 - share
    squares = first**2 * gram[0, 0] + second**2 * gram[1, 1] + 2 * first * second * gram[0, 1]
    slopes = first * gradients[0].dot(mean) + second * gradients[1].dot(mean)
    best = share[(slopes + c * mean.norm() * squares.sqrt()).argmin()]
    mix = best * gradients[0] + (1 - best) * gradients[1]
    expected = mean + c * mean.norm() * mix / mix.norm()
    found = CaGrad(c=c)(gradients)
    assert (found - expected).norm() < 1e-4 * mean.norm()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_gradient_as_near_to_the_mean_serves_the_worse_off_task_better(seed: int) -> None:
    """The problem whose dual cagrad solves, against 2,000 directions of the tasks' plane."""
    gradients, c = jacobian(seed), 0.5
    mean = gradients.mean(dim=0)
    angles = torch.linspace(0, 2 * torch.pi, 2_000, dtype=torch.float64)
    plane, _ = torch.linalg.qr(gradients.T)  # (P, 2)
    around = torch.stack([angles.cos(), angles.sin()], dim=1) @ plane.T  # (2000, P)
    others = mean + c * mean.norm() * around
    found = CaGrad(c=c)(gradients)
    assert (found - mean).norm() <= c * mean.norm() * (1 + 1e-9)
    best = (others @ gradients.T).amin(dim=1).max()
    assert (gradients @ found).min() >= best - 1e-9 * best.abs()


@pytest.mark.parametrize(
    ("name", "gradients", "expected"),
    [
        ("pcgrad", [[1.0, 0.0], [-1.0, 1.0]], [0.5, 1.5]),  # (.5, .5) + (0, 1)
        ("pcgrad", [[1.0, 0.0], [1.0, 1.0]], [2.0, 1.0]),  # they agree: the sum
        ("mgda", [[1.0, 0.0], [-1.0, 1.0]], [0.2, 0.4]),  # w = 3 / 5
        ("mgda", [[1.0, 0.0], [3.0, 1.0]], [1.0, 0.0]),  # the shorter one alone
        ("imtl_g", [[3.0, 0.0], [0.0, 4.0]], [12 / 7, 12 / 7]),
        ("cagrad", [[1.0, 1.0], [1.0, -1.0]], [1.4, 0.0]),  # w = 1 / 2: along the mean
    ],
)
def test_a_case_worked_out_by_hand(
    name: str, gradients: list[list[float]], expected: list[float]
) -> None:
    found = METHODS[name](torch.tensor(gradients))
    torch.testing.assert_close(found, torch.tensor(expected))


def test_cagrad_without_a_reach_is_the_mean() -> None:
    gradients = jacobian(5)
    torch.testing.assert_close(CaGrad(c=0)(gradients), gradients.mean(dim=0))


@pytest.mark.parametrize("c", [-0.1, 1.0, float("nan")])
def test_cagrad_refuses_a_reach_without_a_guarantee(c: float) -> None:
    with pytest.raises(ValueError, match=r"c must lie in \[0, 1\).*optim\.loss\.cagrad_c"):
        CaGrad(c=c)
