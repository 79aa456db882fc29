"""Keep account of what training left out, and stop when it is too much."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from duovox.batch import BadUtterance, TrainingBatch
from duovox.data.atomic import write_whole
from duovox.task.multitask import MultiTask

BAD_UTTERANCES_FILE = "bad_utterances.jsonl"
BAD_STEPS_FILE = "bad_steps.jsonl"


class FaultLog(Callback):
    """Name every bad utterance in bad_utterances.jsonl and every dropped loss in bad_steps.jsonl.

    Steps are counted from 1, as in metrics.csv. A resumed run keeps the lines before its
    checkpoint and writes the later ones again, as it does a last line that a kill has cut short.

    Raises:
        ValueError: more than `count` utterances and more than `share` of those drawn were bad.
    """

    def __init__(self, folder: Path, *, share: float, count: int) -> None:
        self.folder = folder
        self.share = share
        self.count = count
        self.num_utterances = 0
        self.causes: Counter[str] = Counter()
        self._heard: dict[str, list[str]] = defaultdict(list)  # since the last step: task -> keys

    def state_dict(self) -> dict[str, Any]:
        """Return the counts so far."""
        return {"num_utterances": self.num_utterances, "causes": dict(self.causes)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting."""
        self.num_utterances = state_dict["num_utterances"]
        self.causes = Counter(state_dict["causes"])

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget what an earlier attempt wrote about steps that are made again."""
        for name in (BAD_UTTERANCES_FILE, BAD_STEPS_FILE):
            path = self.folder / name
            if path.is_file():
                lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
                whole = [line for line in lines if line.endswith("\n")]
                kept = [line for line in whole if json.loads(line)["step"] <= trainer.global_step]
                write_whole(path, "".join(kept))

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: TrainingBatch, batch_idx: int
    ) -> None:
        """Count utterances, write down the bad ones, hold them against the limit."""
        parts = batch.parts
        for task, part in batch.by_task.items():
            self._heard[task] += part.keys
        bad = [utterance for part in parts for utterance in part.bad_utterances]
        self.num_utterances += sum(len(part) for part in parts) + len(bad)
        if not bad:
            return
        self.causes.update(utterance.cause for utterance in bad)
        step = trainer.global_step + 1
        rows = [asdict(utterance) | {"step": step} for utterance in bad]
        self._write(BAD_UTTERANCES_FILE, rows)
        self._hold_against_limit(bad[-1])

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: TrainingBatch,
        batch_idx: int,
    ) -> None:
        """Write down which utterances were in a batch, or a step, that was dropped."""
        assert isinstance(pl_module, MultiTask)
        is_step_done = not trainer.fit_loop._should_accumulate()
        step = trainer.global_step + (not is_step_done)
        dropped = [("loss", task, list(keys)) for task, keys in pl_module.dropped_tasks.items()]
        if is_step_done and pl_module.is_step_dropped:
            dropped += [("gradient", task, keys) for task, keys in self._heard.items()]
        rows = [
            {"step": step, "not_finite": what, "task": task, "keys": keys}
            for what, task, keys in dropped
        ]
        self._write(BAD_STEPS_FILE, rows)
        if is_step_done:
            self._heard.clear()

    def _hold_against_limit(self, last: BadUtterance) -> None:
        num_bad = self.causes.total()
        if num_bad <= self.count or num_bad <= self.share * self.num_utterances:
            return
        causes = ", ".join(f"{cause}: {number}" for cause, number in self.causes.most_common())
        raise ValueError(
            f"{num_bad} of {self.num_utterances} training utterances could not be used ({causes}); "
            f"the limit is {self.share:.1%} and {self.count} (callbacks.bad_utterance_share, "
            f"callbacks.bad_utterance_count). The last: {last.key}: {last.detail} All are named in "
            f"{self.folder / BAD_UTTERANCES_FILE}; `duovox shards verify` checks a dataset."
        )

    def _write(self, name: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            with (self.folder / name).open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows)
