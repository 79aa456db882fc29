"""Training keeps account of what it leaves out, and knows when it is too much."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from duovox.batch import BadUtterance, MultiTaskBatch, SpeakerBatch, SpeechBatch
from duovox.run.faults import FaultLog
from duovox.task.multitask import MultiTask

NO_BAD: tuple[BadUtterance, ...] = ()


def bad(key: str, cause: str = "silence") -> BadUtterance:
    return BadUtterance(key=key, shard="a.tar", cause=cause, detail="why")


def waves(keys: Sequence[str]) -> dict[str, Any]:
    return {
        "keys": tuple(keys),
        "waves": torch.zeros(len(keys), 4),
        "num_samples": torch.full((len(keys),), 4),
    }


def batch(
    speech: Sequence[str] = ("a",),
    speaker: Sequence[str] = ("x", "y"),
    bad_speech: Sequence[BadUtterance] = NO_BAD,
    bad_speaker: Sequence[BadUtterance] = NO_BAD,
) -> MultiTaskBatch:
    ones = torch.ones(len(speech), dtype=torch.int64)
    return MultiTaskBatch(
        speech=SpeechBatch(
            **waves(speech),
            tokens=ones[:, None],
            num_tokens=ones,
            transcripts=("A",) * len(speech),
            bad_utterances=tuple(bad_speech),
        ),
        speaker=SpeakerBatch(
            **waves(speaker),
            speaker_ids=torch.zeros(len(speaker), dtype=torch.int64),
            bad_utterances=tuple(bad_speaker),
        ),
    )


class Steps:
    """Lead a FaultLog through batches as Lightning would, `accumulate` of them to a step."""

    def __init__(self, log: FaultLog, *, accumulate: int = 1, step: int = 0) -> None:
        self.log = log
        self.num_batches = 0
        self.accumulate = accumulate
        self.trainer: Any = SimpleNamespace(
            global_step=step, fit_loop=SimpleNamespace(_should_accumulate=self._should_accumulate)
        )
        self.module = MultiTask.__new__(MultiTask)
        torch.nn.Module.__init__(self.module)
        self.log.on_train_start(self.trainer, self.module)

    def take(
        self, batch: MultiTaskBatch, *, loses: str | None = None, drops_step: bool = False
    ) -> None:
        self.num_batches += 1
        self.log.on_train_batch_start(self.trainer, self.module, batch, 0)
        self.module.dropped_tasks = {loses: batch.by_task[loses].keys} if loses else {}
        self.module.is_step_dropped = drops_step
        self.trainer.global_step += not self._should_accumulate()
        self.log.on_train_batch_end(self.trainer, self.module, None, batch, 0)

    def _should_accumulate(self) -> bool:
        return self.num_batches % self.accumulate > 0


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_bad_utterances_are_named_with_their_step_and_counted_by_cause(tmp_path) -> None:
    steps = Steps(FaultLog(tmp_path, share=0.5, count=20))
    steps.take(batch())
    steps.take(batch(bad_speech=[bad("s/1")], bad_speaker=[bad("s/2", "undecodable")]))
    steps.take(batch(bad_speaker=[bad("s/1")]))
    row = {"shard": "a.tar", "detail": "why"}
    assert lines(tmp_path / "bad_utterances.jsonl") == [
        {"key": "s/1", "cause": "silence", "step": 2} | row,
        {"key": "s/2", "cause": "undecodable", "step": 2} | row,
        {"key": "s/1", "cause": "silence", "step": 3} | row,
    ]
    assert steps.log.state_dict() == {
        "num_utterances": 12,
        "causes": {"silence": 2, "undecodable": 1},
    }


def test_a_clean_run_leaves_no_files(tmp_path) -> None:
    Steps(FaultLog(tmp_path, share=0, count=0)).take(batch())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("share", "count", "stops_at"),
    [
        (0.0, 0, 1),  # the first
        (0.0, 2, 3),  # more than two
        (0.24, 0, 1),  # one of four is more than 24 %
        (0.25, 0, None),  # but not more than 25 %
        (0.24, 5, 6),  # both limits must be passed
    ],
)
def test_a_run_stops_when_both_limits_are_passed(tmp_path, share, count, stops_at) -> None:
    steps = Steps(FaultLog(tmp_path, share=share, count=count))
    stopped = None
    for number in range(1, 9):
        try:
            steps.take(batch(bad_speech=[bad(f"s/{number}")]))  # one of four
        except ValueError:
            stopped = number
            break
    assert stopped == stops_at


def test_the_message_counts_the_causes_and_names_limits_file_and_command(tmp_path) -> None:
    steps = Steps(FaultLog(tmp_path, share=0.01, count=2))
    steps.take(batch(bad_speech=[bad("s/1"), bad("s/2")]))
    with pytest.raises(ValueError, match="could not be used") as caught:
        steps.take(batch(bad_speaker=[bad("s/3", "not finite")]))
    message = str(caught.value)
    for part in (
        "3 of 9 training utterances",
        "(silence: 2, not finite: 1)",
        "the limit is 1.0% and 2 (callbacks.bad_utterance_share, callbacks.bad_utterance_count)",
        "The last: s/3: why",
        str(tmp_path / "bad_utterances.jsonl"),
        "duovox shards verify",
    ):
        assert part in message
    assert len(lines(tmp_path / "bad_utterances.jsonl")) == 3  # the last one, too


def test_a_resumed_run_goes_on_counting_and_writes_repeated_steps_once(tmp_path) -> None:
    first = Steps(FaultLog(tmp_path, share=1, count=9))
    for number in range(1, 5):
        first.take(batch(bad_speech=[bad(f"s/{number}")]), loses="speech")
        if number == 2:
            kept = first.log.state_dict()
    log = FaultLog(tmp_path, share=1, count=9)
    log.load_state_dict(kept)
    second = Steps(log, step=2)
    for number in range(3, 5):
        second.take(batch(bad_speech=[bad(f"s/{number}")]), loses="speech")
    assert [row["step"] for row in lines(tmp_path / "bad_utterances.jsonl")] == [1, 2, 3, 4]
    assert [row["step"] for row in lines(tmp_path / "bad_steps.jsonl")] == [1, 2, 3, 4]
    assert log.state_dict() == first.log.state_dict()


@pytest.mark.parametrize("cut", [1, 20])  # 1: the end of the line alone is missing
def test_a_run_goes_on_behind_a_line_that_a_kill_cut_short(tmp_path: Path, cut: int) -> None:
    first = Steps(FaultLog(tmp_path, share=1, count=9))
    for number in range(1, 3):
        first.take(batch(bad_speech=[bad(f"s/{number}")]))
    path = tmp_path / "bad_utterances.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    Steps(FaultLog(tmp_path, share=1, count=9), step=1).take(batch(bad_speech=[bad("s/2")]))
    assert [row["key"] for row in lines(path)] == ["s/1", "s/2"]


def test_a_dropped_loss_is_named_with_its_utterances(tmp_path) -> None:
    steps = Steps(FaultLog(tmp_path, share=1, count=9))
    steps.take(batch(), loses="speaker")
    steps.take(batch())
    assert lines(tmp_path / "bad_steps.jsonl") == [
        {"step": 1, "not_finite": "loss", "task": "speaker", "keys": ["x", "y"]}
    ]


def test_a_dropped_step_is_named_with_all_that_was_heard_since_the_one_before(tmp_path) -> None:
    steps = Steps(FaultLog(tmp_path, share=1, count=9), accumulate=2)
    steps.take(batch(["a"], ["x"]))
    steps.take(batch(["b"], ["y"]))
    steps.take(batch(["c"], ["z"]), loses="speech")
    steps.take(batch(["d"], ["w"]), drops_step=True)
    assert lines(tmp_path / "bad_steps.jsonl") == [
        {"step": 2, "not_finite": "loss", "task": "speech", "keys": ["c"]},
        {"step": 2, "not_finite": "gradient", "task": "speech", "keys": ["c", "d"]},
        {"step": 2, "not_finite": "gradient", "task": "speaker", "keys": ["z", "w"]},
    ]
