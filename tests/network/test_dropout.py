from __future__ import annotations

import pytest
import torch

from duovox.network.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_forgets_its_share_and_keeps_the_mean(p: float) -> None:
    torch.manual_seed(0)
    dropped = Dropout(p)(torch.ones(1001, 999))
    share = (dropped == 0).float().mean().item()
    deviation = (p * (1 - p) / dropped.numel()) ** 0.5
    assert abs(share - p) < 5 * deviation
    assert dropped.mean().item() == pytest.approx(1, abs=5 * deviation / (1 - p))
    assert dropped.max().item() == pytest.approx(1 / (1 - p), rel=1e-4)


def test_decides_on_neighbours_independently() -> None:
    torch.manual_seed(0)
    is_dropped = (Dropout(0.3)(torch.ones(400_000)) == 0).view(-1, 4).float()
    correlation = torch.corrcoef(torch.cat([is_dropped, is_dropped.roll(1, 0)], 1).T)
    assert (correlation - torch.eye(8)).abs().max().item() < 0.01


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3,), (2, 5, 7)])
def test_takes_any_shape(shape: tuple[int, ...]) -> None:
    assert Dropout(0.5)(torch.ones(shape)).shape == shape


def test_its_gradient_passes_where_the_value_does() -> None:
    values = torch.randn(3, 50, requires_grad=True)
    dropped = Dropout(0.4)(values)
    dropped.sum().backward()
    assert values.grad is not None
    torch.testing.assert_close(values.grad, (dropped / values).detach())


def test_keeps_the_type_and_takes_views() -> None:
    values = torch.randn(6, 8, dtype=torch.bfloat16).T
    dropped = Dropout(0.5)(values)
    assert dropped.dtype == torch.bfloat16
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], values[kept] * 2)


def test_the_seed_decides_whatever_the_number_of_threads() -> None:
    values, threads = torch.ones(300_000), torch.get_num_threads()
    drawn = []
    for num_threads in (1, 2):
        torch.set_num_threads(num_threads)
        torch.manual_seed(5)
        drawn.append(Dropout(0.2)(values))
    torch.set_num_threads(threads)
    assert torch.equal(*drawn)


def test_forgets_nothing_outside_training_and_all_at_one() -> None:
    values = torch.randn(4, 4)
    assert Dropout(0.5).eval()(values) is values
    assert Dropout(0.0)(values) is values
    assert not Dropout(1.0)(values).any()
