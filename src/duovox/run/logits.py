"""Token logits on the disk: what a network said of a set, to be decoded without it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from duovox.data.atomic import atomic_file
from duovox.task.evaluation import Hypothesis, SpeechEvaluation, check_finite


@dataclass(frozen=True, kw_only=True)
class StoredLogits:
    """The logits of N utterances, and what was said in them."""

    vocabulary: tuple[str, ...]  # V symbols, the first is the CTC blank
    frame_seconds: float  # from one frame to the next
    utterances: tuple[Hypothesis, ...]  # N, with the text of the decoder that came first
    logits: list[Tensor]  # N times (T, V)

    def write(self, path: Path) -> None:
        """Write a .npz file of plain arrays."""
        path.parent.mkdir(parents=True, exist_ok=True)
        none = torch.zeros(0, len(self.vocabulary))
        with atomic_file(path) as file:
            np.savez(
                file,
                vocabulary=np.array(self.vocabulary),
                frame_seconds=np.array(self.frame_seconds),
                keys=np.array([one.key for one in self.utterances]),
                references=np.array([one.reference for one in self.utterances]),
                hypotheses=np.array([one.hypothesis for one in self.utterances]),
                num_samples=np.array([one.num_samples for one in self.utterances]),
                num_frames=np.array([len(one) for one in self.logits]),
                logits=torch.cat([none, *self.logits]).numpy(),  # (sum of T, V)
            )


def stored_logits(evaluation: SpeechEvaluation, *, frame_seconds: float) -> StoredLogits:
    """Return what an evaluation kept."""
    return StoredLogits(
        vocabulary=tuple(evaluation.task.vocabulary),
        frame_seconds=frame_seconds,
        utterances=tuple(evaluation.hypotheses),
        logits=evaluation.logits,
    )


def read_logits(path: Path) -> StoredLogits:
    """Read what `StoredLogits.write` wrote.

    Raises:
        ValueError: the file is missing, damaged or something else, or the logits are not finite.
    """
    try:
        with path.open("rb") as file, np.load(file) as content:
            columns = ("keys", "references", "hypotheses", "num_samples")
            rows = zip(*(content[name].tolist() for name in columns), strict=True)
            utterances = tuple(
                Hypothesis(key=key, reference=said, hypothesis=heard, num_samples=number)
                for key, said, heard, number in rows
            )
            num_frames = content["num_frames"].tolist()
            stored = StoredLogits(
                vocabulary=tuple(content["vocabulary"].tolist()),
                frame_seconds=float(content["frame_seconds"]),
                utterances=utterances,
                logits=list(torch.split(torch.from_numpy(content["logits"]), num_frames)),
            )
    except (OSError, KeyError, ValueError, RuntimeError, EOFError, TypeError, BadZipFile) as error:
        raise ValueError(
            f"{path} holds no logits ({error}); `duovox evaluate --store-logits` writes them"
        ) from error
    keys = [one.key for one in stored.utterances]
    check_finite(keys, stored.logits, torch.tensor(num_frames))
    return stored
