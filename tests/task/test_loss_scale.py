"""Half precision looks for its loss scale: torch's scaler on the CPU does what it does on a GPU."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from lightning.pytorch.plugins import MixedPrecision
from torch import Tensor

from duovox.loss.gradient.cagrad import CaGrad
from duovox.loss.gradient.imtl_g import ImtlG
from duovox.loss.gradient.mgda import Mgda
from duovox.loss.gradient.pcgrad import PcGrad
from tests.task.training import LR, Square, fit, make_module


def half(scale: float) -> MixedPrecision:
    """Return Lightning's half precision with a loss scale to begin with."""
    return MixedPrecision("16-mixed", "cpu", scaler=torch.amp.GradScaler("cpu", init_scale=scale))


def scale_of(precision: MixedPrecision) -> float:
    assert precision.scaler is not None
    return precision.scaler.get_scale()


def weights(network: torch.nn.Module) -> dict[str, float]:
    return {name: weight.item() for name, weight in network.named_parameters()}


def adam(module: torch.nn.Module) -> dict[str, Any]:
    return {"optimizer": torch.optim.Adam(module.parameters(), lr=LR, weight_decay=0.1)}


def steep(loss: Tensor) -> Tensor:
    """Return a finite loss whose gradient is not: the slope of a root at zero."""
    return loss + (loss - loss.detach()).abs().sqrt()


@pytest.mark.parametrize("method", [None, PcGrad(), CaGrad(), Mgda(), ImtlG()])
def test_the_search_for_the_scale_changes_nothing_and_is_no_bad_step(
    network, batches, method
) -> None:
    """Gradients of up to 18 times the scale are finite in float32 from a scale of 2**123 on."""
    settings = {"max_bad_steps": 0, "make_optimizer": adam, "gradient_method": method}
    module, precision = make_module(network, **settings), half(2.0**127)
    fit(module, batches(4), plugins=[precision])
    assert scale_of(precision) == 2.0**123
    assert set(weights(network).values()) == {1.0}
    assert not module.trainer.optimizers[0].state
    assert (module.is_step_dropped, module.dropped_tasks) == (False, {})
    assert module.bad_steps_in_a_row == 0
    fit(module, batches(3), plugins=[precision])
    assert scale_of(precision) == 2.0**123
    states = module.trainer.optimizers[0].state
    assert [state["step"] for state in states.values()] == [3, 3, 3]
    found = weights(network)
    for parameter in network.parameters():
        parameter.data.fill_(1.0)
    fit(make_module(network, **settings), batches(3))
    assert found == pytest.approx(weights(network), rel=1e-3)


def test_at_a_scale_of_one_it_is_a_bad_step(network, batches) -> None:
    module, precision = make_module(network, Square("speech", bend=steep)), half(1.0)
    fit(module, [batches(1)[0].speech], plugins=[precision])
    assert module.is_step_dropped
    assert module.bad_steps_in_a_row == 1
    assert set(weights(network).values()) == {1.0}


def test_gradients_that_are_finite_at_no_scale_end_training_with_advice(network, batches) -> None:
    """Two steps bring the scale from 4 to 1; two bad ones are allowed, the third is too much."""
    module = make_module(network, Square("speech", bend=steep), max_bad_steps=2)
    with pytest.raises(ValueError, match=r"3 steps in a row .*max_bad_steps=2"):
        fit(module, [batch.speech for batch in batches(9)], plugins=[half(4.0)])
    assert module.global_step == 4


def test_a_loss_that_is_not_finite_is_bad_at_any_scale(network, batches) -> None:
    module = make_module(network, Square("speech", bend=lambda loss: loss * math.nan))
    fit(module, [batches(1)[0].speech], plugins=[half(2.0**16)])
    assert module.dropped_tasks == {"speech": ("speech/1.0", "speech/3.0")}
    assert module.bad_steps_in_a_row == 1
