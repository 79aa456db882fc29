"""Gradient methods within training steps, on a network of three weights.

With weights of 1 the speech batch (1, 3) has the loss 5 and the slope 10, the speaker batch (2) the
loss 4 and the slope 8, on the shared weight and on that of the task's own head.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from lightning.pytorch.plugins import MixedPrecision
from torch import nn

from duovox.batch import MultiTaskBatch
from duovox.loss.gradient.imtl_g import ImtlG
from duovox.loss.gradient.pcgrad import PcGrad
from duovox.loss.weighting.static import StaticWeighting
from duovox.loss.weighting.uncertainty import UncertaintyWeighting
from duovox.task.task_gradients import TaskGradients
from tests.task.training import Square, fit, make_module

LR = 0.01


@pytest.fixture
def train(network, speech_batch, speaker_batch) -> Callable[..., dict[int, dict[str, float]]]:
    """Return a function that trains on so many batches and returns the curves."""

    def run(
        *tasks: Square,
        samples: tuple[float, ...] = (1.0, 3.0),
        num_batches: int = 1,
        accumulation: int = 1,
        plugins: Any = None,
        **settings: Any,
    ) -> dict[int, dict[str, float]]:
        one = MultiTaskBatch(speech=speech_batch(samples), speaker=speaker_batch([2.0]))
        other = MultiTaskBatch(speech=speech_batch([1.0]), speaker=speaker_batch([2.0]))
        batches: Any = ([one, other] * num_batches)[:num_batches]
        module = make_module(network, *tasks, lr=LR, **settings)
        return fit(module, batches, accumulate_grad_batches=accumulation, plugins=plugins).rows

    return run


def moved(network: nn.Module) -> dict[str, float]:
    """Return the gradients of the one step that was made."""
    return {name: (1 - weight.item()) / LR for name, weight in network.named_parameters()}


IMPARTIAL = 2 * 10 * 8 / (10 + 8)  # each gradient times the length of the other, over both


def test_the_method_decides_on_shared_weights_alone(network, train) -> None:
    train(gradient_method=ImtlG())
    expected = {"shared": IMPARTIAL, "speech": 10, "speaker": 8}
    assert moved(network) == pytest.approx(expected, rel=1e-4)


def test_a_conflict_is_projected_away(network, train) -> None:
    """On one shared weight, opposite gradients have nothing in common."""
    against = Square("speaker", bend=lambda loss: -loss)
    train(Square("speech"), against, gradient_method=PcGrad())
    assert moved(network) == pytest.approx(
        {"shared": 0, "speech": 10, "speaker": -8}, rel=1e-4, abs=1e-4
    )


def test_a_method_sees_weighted_losses(network, train) -> None:
    train(gradient_method=ImtlG(), weighting=StaticWeighting(speech_weight=0.75))
    shared = 2 * 7.5 * 2 / (7.5 + 2)
    expected = {"shared": shared, "speech": 7.5, "speaker": 2}
    assert moved(network) == pytest.approx(expected, rel=1e-4)


def test_the_gradients_of_a_step_s_batches_are_added_up_by_task(network, train) -> None:
    train(gradient_method=ImtlG(), num_batches=2, accumulation=2)
    speech = (10 + 2) / 2
    expected = {"shared": 2 * speech * 8 / (speech + 8), "speech": speech, "speaker": 8}
    assert moved(network) == pytest.approx(expected, rel=1e-4)


def test_each_step_begins_anew(network, train) -> None:
    rows = train(gradient_method=ImtlG(), num_batches=2, log_task_gradients=True)
    shared, speech = 1 - LR * IMPARTIAL, 1 - LR * 10
    slope = 2 * (shared * speech) * speech  # of (shared speech)^2 by shared
    assert rows[2]["train_speech_gradient_norm"] == pytest.approx(slope, rel=1e-4)


def test_a_task_alone_in_a_step_has_its_own_gradient(network, train) -> None:
    bad = Square("speech", bend=lambda loss: loss * math.nan)
    train(bad, Square("speaker"), gradient_method=ImtlG())
    expected = {"shared": 8, "speech": 0, "speaker": 8}
    assert moved(network) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("bad_batch", [0, 1])
def test_a_bad_batch_of_several_leaves_the_step_to_the_others(
    network, train, bad_batch: int
) -> None:
    factors = [1.0, 1.0]
    factors[bad_batch] = math.nan
    bent = []
    for name in ("speech", "speaker"):
        seen = iter(factors)
        bent.append(Square(name, bend=lambda loss, seen=seen: loss * next(seen)))
    train(*bent, gradient_method=ImtlG(), num_batches=2, accumulation=2)
    speech, speaker = (10 / 2 if bad_batch else 2 / 2), 8 / 2
    shared = 2 * speech * speaker / (speech + speaker)
    expected = {"shared": shared, "speech": speech, "speaker": speaker}
    assert moved(network) == pytest.approx(expected, rel=1e-4)


def test_a_task_s_bad_batch_leaves_it_the_gradient_of_the_others(network, train) -> None:
    seen = iter([1.0, math.nan])
    bad = Square("speech", bend=lambda loss: loss * next(seen))
    train(bad, Square("speaker"), gradient_method=ImtlG(), num_batches=2, accumulation=2)
    expected = {"shared": 2 * 5 * 8 / (5 + 8), "speech": 5, "speaker": 8}
    assert moved(network) == pytest.approx(expected, rel=1e-4)


def test_gradients_that_are_not_finite_drop_the_step(network, train) -> None:
    steep = Square("speech", bend=lambda loss: loss + (loss - loss.detach()).abs().sqrt())
    train(steep, Square("speaker"), gradient_method=ImtlG())
    assert set(moved(network).values()) == {0.0}


def test_a_frozen_weight_keeps_still(network, train) -> None:
    network.shared.requires_grad_(False)
    train(gradient_method=ImtlG())
    assert moved(network) == pytest.approx({"shared": 0, "speech": 10, "speaker": 8}, rel=1e-4)


def test_the_scale_of_half_precision_is_undone(network, train) -> None:
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    half = MixedPrecision("16-mixed", "cpu", scaler=scaler)
    rows = train(gradient_method=ImtlG(), log_task_gradients=True, plugins=[half])
    expected = {"shared": IMPARTIAL, "speech": 10, "speaker": 8}
    assert moved(network) == pytest.approx(expected, rel=1e-2)
    assert rows[1]["train_speech_gradient_norm"] == pytest.approx(10, rel=1e-2)


def test_the_curves_hold_lengths_and_the_cosine_of_every_logged_step(network, train) -> None:
    against = Square("speaker", bend=lambda loss: -loss)
    rows = train(
        Square("speech"), against, num_batches=4, log_every_n_steps=2, log_task_gradients=True
    )
    logged = [step for step, row in rows.items() if "task_gradient_cosine" in row]
    assert logged == [2, 4]
    assert rows[2]["task_gradient_cosine"] == pytest.approx(-1)
    assert rows[2]["train_speaker_gradient_norm"] > 0


def test_the_curves_are_those_of_the_whole_step(network, train) -> None:
    rows = train(num_batches=2, accumulation=2, log_task_gradients=True)
    assert rows[1]["train_speech_gradient_norm"] == pytest.approx((10 + 2) / 2)
    assert rows[1]["train_speaker_gradient_norm"] == pytest.approx(8)


def test_the_optimiser_trains_a_weighting_that_learns(network, train) -> None:
    for method in (None, ImtlG()):
        weighting = UncertaintyWeighting()
        train(weighting=weighting, gradient_method=method)
        found = weighting.log_variances.tolist()
        assert found == pytest.approx([LR * (5 - 0.5), LR * (4 - 0.5)], rel=1e-4)
        for parameter in network.parameters():
            parameter.data.fill_(1.0)


def test_two_processes_combine_the_mean_of_their_gradients(tmp_path) -> None:
    """One hears (1, 3), the other (1): as accumulation does in one process."""
    places = (str(tmp_path / "meeting"), str(tmp_path))
    torch.multiprocessing.spawn(_combine_in_process, args=places, nprocs=2)  # type: ignore[no-untyped-call]
    found = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    speech = (10 + 2) / 2
    expected = torch.tensor([2 * speech * 8 / (speech + 8), speech, 8])
    torch.testing.assert_close(found[0], expected)
    assert torch.equal(found[0], found[1])


def _combine_in_process(rank: int, meeting: str, folder: str) -> None:
    torch.distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=2)
    weights = [nn.Parameter(torch.tensor(1.0)) for _ in range(3)]
    shared, speech, speaker = weights
    heard = torch.tensor([1.0, 3.0] if rank == 0 else [1.0])
    terms = {
        "speech": (shared * speech * heard).square().mean(),
        "speaker": (shared * speaker * 2).square(),
    }
    gradients = TaskGradients(terms)
    total = terms["speech"] + terms["speaker"]
    gradients.add(terms, total, parameters=weights, keeps_graph=False)
    gradients.write(gradients.shared(), ImtlG())
    torch.save(torch.stack([weight.grad for weight in weights]), f"{folder}/{rank}.pt")  # type: ignore[arg-type]
    torch.distributed.destroy_process_group()
