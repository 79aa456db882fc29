"""What the data of all tasks have in common: indexes and files to open, sets to score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader

from duovox.data.dataset.cache import local_copy, local_file
from duovox.data.dataset.index import Index
from duovox.data.loader import evaluation_loader
from duovox.data.source.joint import JointSource
from duovox.data.source.speaker import SpeakerSource
from duovox.data.source.speech import SpeechSource
from duovox.data.source.ssl import SslSource
from duovox.run.evaluate import EvaluationSet
from duovox.task.evaluation import Evaluation

Source = SpeechSource | SpeakerSource | JointSource | SslSource


def load_index(folders: str | Sequence[str], cache_folder: Path) -> Index:
    """Return the index of one or several dataset folders; what is remote is copied before."""
    names = [folders] if isinstance(folders, str) else folders
    return Index.load([local_copy(name, cache_folder).expanduser() for name in names])


def load_file(name: str, cache_folder: Path) -> Path:
    """Return the path of a file; what is remote is copied before."""
    return local_file(name, cache_folder).expanduser()


def evaluation_set(evaluation: Evaluation, source: Source, num_workers: int) -> EvaluationSet:
    """Return a set with the loader of its batches."""
    return EvaluationSet(
        evaluation=evaluation,
        batches=evaluation_batches(source, num_workers),
        num_batches=source.num_batches,
    )


def evaluation_batches(source: Source, num_workers: int) -> DataLoader[Any]:
    """Return the loader of a source, with no more workers than it has batches."""
    return evaluation_loader(source, num_workers=min(num_workers, source.num_batches))
