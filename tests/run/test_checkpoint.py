"""Which checkpoint is written when; `test_resume` proves that the last one is enough."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from duovox.run.checkpoint import BestAndLast
from duovox.run.stop import Stopped, StopSignal


class FakeTrainer:
    """What BestAndLast asks of Lightning's trainer."""

    is_global_zero = True
    sanity_checking = False
    accumulate_grad_batches = 2
    val_check_interval = 6  # batches
    global_step = 1
    max_steps = 100

    def __init__(self) -> None:
        self.callback_metrics: dict[str, float] = {}
        self.content = b"weights"
        self.error: OSError | None = None
        self.num_barriers = 0
        self.first_says: bool | None = None  # where this is not the first process
        self.others_say = False  # one of the processes that train together
        self.strategy = SimpleNamespace(
            barrier=self._wait, broadcast=self._broadcast, reduce_boolean_decision=self._any
        )
        self.at_batch(0)

    def at_batch(self, number: int) -> FakeTrainer:
        total = SimpleNamespace(total=SimpleNamespace(ready=number))
        self.fit_loop = SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=total))
        return self

    def save_checkpoint(self, path: Path, *, weights_only: bool) -> None:
        path.write_bytes(self.content + b" alone" * weights_only)
        if self.error is not None:
            raise self.error

    def _wait(self) -> None:
        self.num_barriers += 1

    def _broadcast(self, decision: bool) -> bool:
        return decision if self.first_says is None else self.first_says

    def _any(self, decision: bool, *, all: bool) -> bool:  # noqa: A002 - as Lightning calls it
        assert not all
        return decision or self.others_say


@pytest.fixture
def trainer() -> FakeTrainer:
    return FakeTrainer()


def callback(folder: Path, *, monitor: str | None = "val_wer", minutes: float = 0) -> BestAndLast:
    stop = StopSignal()
    return BestAndLast(folder, monitor=monitor, save_every_minutes=minutes, stop=stop)


def validate(checkpoints: BestAndLast, trainer: FakeTrainer, score: float) -> None:
    trainer.callback_metrics = {"val_wer": score}
    trainer.content = f"{score}".encode()
    checkpoints.on_validation_end(trainer, None)  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_every_validation_is_kept_as_the_last_and_the_lowest_as_the_best(tmp_path, trainer) -> None:
    checkpoints = callback(tmp_path)
    kept = []
    for score in (0.5, math.nan, 0.6, 0.4, 0.4):
        validate(checkpoints, trainer, score)
        kept.append(contents(tmp_path))
    assert [files["last.ckpt"] for files in kept] == ["0.5", "nan", "0.6", "0.4", "0.4"]
    assert [files["best.ckpt"] for files in kept] == [
        *["0.5 alone"] * 3,
        *["0.4 alone"] * 2,
    ]
    assert [files.get("previous.ckpt") for files in kept] == [None, "0.5", "nan", "0.6", "0.4"]
    assert set(kept[-1]) == {"best.ckpt", "last.ckpt", "previous.ckpt"}  # no drafts


def test_a_resumed_run_remembers_the_best_score(tmp_path, trainer) -> None:
    first = callback(tmp_path)
    validate(first, trainer, 0.3)
    second = callback(tmp_path)
    second.load_state_dict(first.state_dict())
    validate(second, trainer, 0.35)
    assert contents(tmp_path) == {
        "best.ckpt": "0.3 alone",
        "last.ckpt": "0.35",
        "previous.ckpt": "0.3",
    }


def test_without_a_monitor_there_is_no_best(tmp_path, trainer) -> None:
    checkpoints = callback(tmp_path, monitor=None)
    validate(checkpoints, trainer, 0.3)
    assert contents(tmp_path) == {"last.ckpt": "0.3"}


@pytest.mark.parametrize(
    ("batch", "is_saved"),
    [
        (1, False),  # in the middle of a step of two batches
        (2, True),
        (3, False),
        (4, True),
        (6, False),  # the validation comes first
        (8, True),
    ],
)
def test_between_validations_whole_steps_are_saved(tmp_path, trainer, batch, is_saved) -> None:
    callback(tmp_path).on_train_batch_end(trainer.at_batch(batch), None, None, None, 0)  # type: ignore[arg-type]
    assert (tmp_path / "last.ckpt").is_file() == is_saved


def test_between_validations_nothing_is_saved_before_it_is_time(tmp_path, trainer) -> None:
    checkpoints = callback(tmp_path, minutes=60)
    checkpoints.on_train_batch_end(trainer.at_batch(2), None, None, None, 0)  # type: ignore[arg-type]
    assert not contents(tmp_path)


@pytest.mark.parametrize("is_first", [True, False])
def test_the_first_process_decides_when_it_is_time(tmp_path, trainer, is_first) -> None:
    trainer.is_global_zero = is_first
    trainer.save_checkpoint = lambda path, **_: path.write_bytes(b"asked for")
    trainer.at_batch(2)
    callback(tmp_path).on_train_batch_end(trainer, None, None, None, 0)  # type: ignore[arg-type]
    assert bool(contents(tmp_path)) == is_first


def test_when_the_first_process_says_so_the_others_take_part(tmp_path, trainer) -> None:
    checkpoints = callback(tmp_path, minutes=60)  # this one's clock says the opposite
    trainer.others_say = True
    with pytest.raises(Stopped):  # here they say so to all questions
        checkpoints.on_train_batch_end(trainer.at_batch(2), None, None, None, 0)  # type: ignore[arg-type]
    assert contents(tmp_path) == {"last.ckpt": "weights"}


@pytest.mark.parametrize("is_saved", [True, False])
def test_the_first_process_decides_what_is_best(tmp_path, trainer, is_saved) -> None:
    checkpoints = callback(tmp_path)
    trainer.first_says = is_saved
    validate(checkpoints, trainer, math.nan if is_saved else 0.3)
    assert (tmp_path / "best.ckpt").is_file() == is_saved


def test_the_end_of_training_is_saved_and_needs_none_before_it(tmp_path, trainer) -> None:
    checkpoints = callback(tmp_path, monitor=None, minutes=60)
    for score in (0.5, 0.4):
        validate(checkpoints, trainer, score)
    trainer.content = b"weights"
    checkpoints.on_train_end(trainer, None)  # type: ignore[arg-type]
    assert contents(tmp_path) == {"last.ckpt": "weights"}


def test_on_a_full_disk_the_earlier_files_stay_and_training_goes_on(tmp_path, trainer) -> None:
    checkpoints = callback(tmp_path)
    validate(checkpoints, trainer, 0.5)
    trainer.error = OSError(28, "No space left on device")
    with pytest.warns(UserWarning, match=r"can't be saved: .*No space left") as said:
        validate(checkpoints, trainer, 0.4)
    assert [str(one.message).split("/")[-1].split()[0] for one in said] == [
        "best.ckpt",
        "last.ckpt",
    ]
    assert contents(tmp_path) == {"best.ckpt": "0.5 alone", "last.ckpt": "0.5"}
    assert trainer.num_barriers == 2  # or the other processes of a node would wait for ever
    trainer.error = None
    validate(checkpoints, trainer, 0.45)  # better than what is on the disk
    assert contents(tmp_path)["best.ckpt"] == "0.45 alone"


def test_other_processes_leave_the_file_to_the_first(tmp_path, trainer) -> None:
    trainer.is_global_zero = False
    trainer.save_checkpoint = lambda path, **_: None  # only the first writes
    checkpoints: Any = callback(tmp_path)
    validate(checkpoints, trainer, 0.5)
    assert not contents(tmp_path)


def test_the_first_weights_and_those_of_each_validation_are_kept_on_request(
    tmp_path: Path, trainer: FakeTrainer
) -> None:
    checkpoints = BestAndLast(
        tmp_path, monitor=None, save_every_minutes=9, stop=StopSignal(), keep_progress=True
    )
    for step in (0, 5000):
        trainer.global_step = step
        checkpoints.on_train_start(trainer, None)  # type: ignore[arg-type]
        trainer.content = f"after {step}".encode()
        checkpoints.on_validation_end(trainer, None)  # type: ignore[arg-type]
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert found == {
        "init.ckpt": b"weights alone",
        "step-000000.ckpt": b"after 0 alone",
        "step-005000.ckpt": b"after 5000 alone",
        "last.ckpt": b"after 5000",
        "previous.ckpt": b"after 0",
    }
