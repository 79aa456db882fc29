"""How much gradients differ, against numpy and through the door."""

from __future__ import annotations

import csv
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from duovox.run.gradient_variance import GradientVariance
from duovox.task.multitask import MultiTask


class Module(MultiTask):
    """Two parameters whose gradients a test sets; what is logged is kept."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        self.first = torch.nn.Parameter(torch.zeros(3))
        self.second = torch.nn.Parameter(torch.zeros(2, 2))
        self.logged: dict[int, dict[str, float]] = {}

    def log_curves(self, values: Any, *, step: int) -> None:
        self.logged[step] = dict(values)


def hear(variance: GradientVariance, module: Module, gradients: np.ndarray) -> None:
    trainer: Any = SimpleNamespace(global_step=0)
    optimizer: Any = None
    for gradient in torch.from_numpy(gradients):
        module.first.grad = gradient[:3].clone()
        module.second.grad = gradient[3:].view(2, 2).clone()
        variance.on_before_optimizer_step(trainer, module, optimizer)
        trainer.global_step += 1


def test_the_variance_is_that_of_numpy_summed_over_parameters() -> None:
    module, variance = Module(), GradientVariance(5)
    gradients = np.random.default_rng(0).normal(3.0, 2.0, (9, 7)).astype(np.float32)
    hear(variance, module, gradients)
    window = gradients[:5].astype(np.float64)
    expected = window.var(axis=0, ddof=1).sum()
    (values,) = module.logged.values()
    assert [*module.logged] == [5]
    assert values["gradient_variance"] == pytest.approx(expected, rel=1e-5)
    share = expected / np.square(window.mean(axis=0)).sum()
    assert values["gradient_variance_share"] == pytest.approx(share, rel=1e-5)


def test_each_validation_begins_a_new_window() -> None:
    module, variance = Module(), GradientVariance(2)
    hear(variance, module, np.ones((3, 7), dtype=np.float32))
    variance.on_validation_end(None, module)  # type: ignore[arg-type]
    hear(variance, module, np.array([[0] * 7, [2] * 7], dtype=np.float32))
    assert module.logged[2]["gradient_variance"] == pytest.approx(2 * 7)


def test_gradients_that_are_not_finite_are_left_out() -> None:
    module, variance = Module(), GradientVariance(2)
    hear(variance, module, np.array([[np.inf] * 7, [0] * 7, [np.nan] * 7, [2] * 7], np.float32))
    assert [*module.logged] == [4]
    assert module.logged[4]["gradient_variance"] == pytest.approx(2 * 7)


def test_it_is_logged_on_request(run_ssl_door) -> None:
    run_ssl_door("ssl", "callbacks.gradient_variance_steps=2", "eval_model=false")
    with (run_ssl_door.run_folder / "metrics.csv").open() as file:
        found = {row["step"]: row["gradient_variance"] for row in csv.DictReader(file)}
    assert {step for step, value in found.items() if value} == {"2", "4"}
    assert float(found["4"]) > 0


def test_one_gradient_has_no_variance() -> None:
    with pytest.raises(ValueError, match=r"callbacks\.gradient_variance_steps"):
        GradientVariance(1)
