"""A run whose codebooks have collapsed stops, and says why."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from duovox.run.collapse import CollapseStop
from duovox.run.ssl_settings import Collapse
from duovox.task.multitask import MultiTask

RULE = Collapse(min_code_share=0.1, patience=2)


class Module(MultiTask):
    """A module with a given point of the curves."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        self.point = {}


def hear(stop: CollapseStop, *points: dict[str, float]) -> None:
    module = Module()
    trainer: Any = SimpleNamespace(
        global_step=70, strategy=SimpleNamespace(broadcast=lambda decision: decision)
    )
    for point in points:
        module.point = point
        stop.on_train_batch_end(trainer, module, None, None, 0)


def point(first: float, second: float = 100.0) -> dict[str, float]:
    return {"train_code_perplexity_1": first, "train_code_perplexity_2": second, "train_loss": 0.0}


def test_a_codebook_that_stays_below_its_share_ends_the_run() -> None:
    stop = CollapseStop(RULE, num_entries=320)
    hear(stop, point(31.0), point(100.0, 2.0))
    with pytest.raises(ValueError, match=r"collapsed by step 70: codebook 1 uses 1\.5 of its 320"):
        hear(stop, point(1.5))


def test_a_codebook_that_recovers_is_forgiven() -> None:
    stop = CollapseStop(RULE, num_entries=320)
    hear(stop, point(1.0), point(1.0), point(32.0), point(1.0), point(1.0))
    assert stop.num_points == 2


def test_batches_between_two_points_of_the_curves_do_not_count() -> None:
    stop = CollapseStop(RULE, num_entries=320)
    hear(stop, point(1.0), {}, {}, {}, {}, {}, point(1.0))
    assert stop.num_points == 2


def test_a_resumed_run_goes_on_counting() -> None:
    first, second = (CollapseStop(RULE, num_entries=320) for _ in "ab")
    hear(first, point(1.0), point(1.0))
    second.load_state_dict(first.state_dict())
    with pytest.raises(ValueError, match=r"for 3 points of the curves"):
        hear(second, point(1.0))


def test_the_limit_is_a_setting(run_ssl_door) -> None:
    limit = ["callbacks.collapse.min_code_share=1", "callbacks.collapse.patience=1"]
    with pytest.raises(ValueError, match=r"collapsed by step 2: .*callbacks\.collapse\.patience"):
        run_ssl_door("ssl", *limit)


def test_without_a_limit_a_run_goes_on(run_ssl_door) -> None:
    run_ssl_door("ssl", "callbacks.collapse=null", "eval_model=false")
    assert (run_ssl_door.run_folder / "training.json").is_file()
