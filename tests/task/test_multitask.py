"""A training step of several tasks, on a network of three weights and under Lightning's trainer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from duovox.loss.gradient.imtl_g import ImtlG
from duovox.loss.weighting.static import StaticWeighting
from tests.task.training import LR, Square, fit, make_module


@dataclass
class FixedScores:
    """A validation whose result is known."""

    name: str = "set"
    eers: tuple[float, ...] = (0.5,) * 9
    num_passes: int = 0

    def start(self) -> None:
        self.num_passes += 1

    def add(self, network: torch.nn.Module, batch: Any) -> None:
        pass

    def result(self) -> dict[str, float]:
        return {"eer": self.eers[self.num_passes - 1]}


def weights(network: torch.nn.Module) -> dict[str, float]:
    return {name: weight.item() for name, weight in network.named_parameters()}


def test_a_step_adds_the_weighted_losses_and_updates_once(network, batches) -> None:
    """L_speech = (shared speech)^2 mean(1, 9), L_speaker = (shared speaker)^2 4."""
    weighting = StaticWeighting(speech_weight=0.75)
    fit(make_module(network, Square("speech"), Square("speaker"), weighting=weighting), batches(1))
    speech, speaker = 0.75 * 2 * 5, 0.25 * 2 * 4  # slopes of each term at weights of 1
    expected = {
        "shared": 1 - LR * (speech + speaker),
        "speech": 1 - LR * speech,
        "speaker": 1 - LR * speaker,
    }
    assert weights(network) == pytest.approx(expected)


def test_a_task_alone_takes_its_own_batches(network, speaker_batch) -> None:
    fit(make_module(network, Square("speaker")), [speaker_batch([2.0])])
    assert weights(network) == pytest.approx({"shared": 0.2, "speech": 1.0, "speaker": 0.2})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_leaves_the_other_task_alone(network, batches, value) -> None:
    bad = Square("speech", bend=lambda loss: loss * value)
    module = make_module(network, bad, Square("speaker"))
    fit(module, batches(1))
    assert weights(network) == pytest.approx({"shared": 0.2, "speech": 1.0, "speaker": 0.2})
    assert module.dropped_tasks == {"speech": ("speech/1.0", "speech/3.0")}
    assert module.bad_steps_in_a_row == 0  # the step was made


def test_the_dropped_task_comes_back_in_the_next_step(network, batches) -> None:
    seen = iter([math.nan, 1.0])
    module = make_module(network, Square("speech", bend=lambda loss: loss * next(seen)))
    fit(module, [batch.speech for batch in batches(2)])
    expected = {"shared": 0.0, "speech": 0.0, "speaker": 1.0}
    assert weights(network) == pytest.approx(expected, abs=1e-6)
    assert module.dropped_tasks == {}


def adam(module: torch.nn.Module) -> dict[str, Any]:
    return {"optimizer": torch.optim.Adam(module.parameters(), lr=LR, weight_decay=0.1)}


@pytest.mark.parametrize("method", [None, ImtlG()])
def test_a_step_without_any_finite_loss_changes_nothing_not_even_by_momentum(
    network, batches, method
) -> None:
    good = [Square("speech"), Square("speaker")]
    bad = [Square(name, bend=lambda loss: loss * math.nan) for name in ("speech", "speaker")]
    module = make_module(network, *good, make_optimizer=adam, gradient_method=method)
    module.at_step = lambda step: module.tasks.update((t.name, t) for t in (bad if step else good))
    fit(module, batches(1))
    moved = weights(network)
    for parameter in network.parameters():
        parameter.data.fill_(1.0)
    fit(module, batches(4))
    assert weights(network) == moved
    assert 1.0 not in moved.values()
    assert module.bad_steps_in_a_row == 3


def steep(loss: Tensor) -> Tensor:
    """Return a finite loss whose gradient is not: the slope of a root at zero."""
    return loss + (loss - loss.detach()).abs().sqrt()


def test_gradients_that_are_not_finite_drop_the_whole_step(network, batches) -> None:
    module = make_module(network, Square("speech", bend=steep), Square("speaker"))
    fit(module, batches(1))
    assert set(weights(network).values()) == {1.0}
    assert module.is_step_dropped
    assert module.dropped_tasks == {}  # no loss tells which task it was
    assert module.bad_steps_in_a_row == 1


@pytest.mark.parametrize("bend", [steep, lambda loss: loss * math.nan], ids=["gradient", "loss"])
def test_too_many_bad_steps_in_a_row_end_training_with_advice(network, batches, bend) -> None:
    module = make_module(network, Square("speech", bend=bend))
    with pytest.raises(ValueError, match=r"4 steps in a row .*max_bad_steps=3\).*optim\.algo\.lr"):
        fit(module, [batch.speech for batch in batches(9)])


def test_a_good_step_sets_the_count_back(network, batches) -> None:
    seen = iter([math.nan, math.nan, 1.0, math.nan])
    module = make_module(network, Square("speech", bend=lambda loss: loss * next(seen)))
    fit(module, [batch.speech for batch in batches(4)])
    assert module.bad_steps_in_a_row == 1


def test_a_bad_batch_of_several_leaves_the_step_to_the_others(network, batches) -> None:
    seen = iter([1.0, math.nan])
    module = make_module(network, Square("speech", bend=lambda loss: loss * next(seen)))
    fit(module, [batch.speech for batch in batches(2)], accumulate_grad_batches=2)
    expected = 1 - LR * 2 * 5 / 2  # half of the mean gradient of two batches
    assert weights(network) == pytest.approx({"shared": expected, "speech": expected, "speaker": 1})


def test_gradients_are_clipped_to_a_global_norm(network, batches) -> None:
    fit(make_module(network, Square("speech"), clip_norm=0.5), [batches(1)[0].speech])
    moved = 1 - torch.tensor([weights(network)["shared"], weights(network)["speech"]])
    assert moved.norm().item() == pytest.approx(LR * 0.5)


def test_curves_hold_means_between_two_points_and_a_glance_at_the_last_batch(
    network, batches
) -> None:
    module = make_module(network, Square("speech"), Square("speaker"), log_every_n_steps=2)
    module.make_optimizer = lambda module: {"optimizer": torch.optim.SGD(module.parameters(), 0.0)}
    rows = fit(module, batches(4)).rows
    assert set(rows) == {2, 4}
    norm = math.hypot(18, 10, 8)  # of the gradients of shared, speech, speaker
    assert rows[4] == pytest.approx(
        {
            "train_loss": 9.0,
            "train_speech_loss": 5.0,
            "train_speaker_loss": 4.0,
            "train_speech_loss_weight": 1.0,
            "train_speaker_loss_weight": 1.0,
            "gradient_norm": norm,
            "glance_speech": 2.0,
            "glance_speaker": 1.0,
            "learning_rate": 0.0,
        }
    )


def test_steps_of_the_curves_are_optimiser_steps(network, batches) -> None:
    module = make_module(network, Square("speech"))
    rows = fit(module, [b.speech for b in batches(6)], accumulate_grad_batches=3).rows
    assert set(rows) == {1, 2}


def test_the_number_of_finished_steps_decides_what_is_frozen(network, batches) -> None:
    asked: list[int] = []
    module = make_module(network, Square("speech"), at_step=asked.append)
    fit(module, [batch.speech for batch in batches(4)], accumulate_grad_batches=2)
    assert asked == [0, 0, 1, 1]


def test_what_a_batch_draws_depends_on_its_number_and_the_seed_alone(network, batches) -> None:
    drawn: list[list[float]] = []
    for seed, num_draws in ((1, 1), (1, 5), (2, 1)):  # a batch that draws more moves no other
        numbers: list[float] = []

        def draw(loss: Tensor, numbers: list[float] = numbers, count: int = num_draws) -> Tensor:
            numbers.append(torch.rand(count)[0].item())
            return loss

        module = make_module(network, Square("speech", bend=draw), seed=seed)
        fit(module, [batch.speech for batch in batches(3)])
        drawn.append(numbers)
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 3


def test_a_validation_steps_the_plateau_and_reaches_the_curves(network, batches) -> None:
    def plateau(module: torch.nn.Module) -> dict[str, Any]:
        optimizer = torch.optim.SGD(module.parameters(), lr=LR)
        schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
        every = {"scheduler": schedule, "monitor": "val_eer", "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": every | {"frequency": 10**9}}

    module = make_module(network, Square("speech"), make_optimizer=plateau)
    module.validation = [FixedScores(eers=(0.5, 0.5, 0.4, 0.4, 0.4))]
    module.val_dataloader = lambda: torch.utils.data.DataLoader([batches(1)[0]], batch_size=None)
    rows = fit(module, [batch.speech for batch in batches(5)], val_check_interval=1).rows
    rates = [rows[step]["learning_rate"] for step in range(1, 6)]
    assert rates == pytest.approx([LR, LR, LR / 2, LR / 2, LR / 4])
    assert [rows[step]["val_eer"] for step in (1, 3)] == [0.5, 0.4]


def test_a_checkpoint_holds_what_lies_between_two_points_of_the_curves(network) -> None:
    first, second = make_module(network), make_module(network)
    first.curves.add({"loss": torch.tensor(2.0)})
    first.bad_steps_in_a_row = 2
    checkpoint: dict[str, Any] = {}
    first.on_save_checkpoint(checkpoint)
    second.on_load_checkpoint(checkpoint)
    assert second.curves.flush() == {"loss": 2.0}
    assert second.bad_steps_in_a_row == 2
