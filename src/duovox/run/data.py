"""What the data of all tasks have in common: indexes and files to open, sets to score."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
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
from duovox.progress import Progress, console_on
from duovox.run.environment import is_main_process
from duovox.run.evaluate import EvaluationSet
from duovox.task.evaluation import Evaluation

Source = SpeechSource | SpeakerSource | JointSource | SslSource


def load_index(folders: str | Sequence[str], cache_folder: Path) -> Index:
    """Return the index of one or several dataset folders; what is remote is copied before."""
    names = [folders] if isinstance(folders, str) else folders
    copies = [local_copy(one, cache_folder, showing=partial(_copying, one)) for one in names]
    return Index.load([folder.expanduser() for folder in copies])


@contextmanager
def _copying(address: str, num_shards: int) -> Iterator[Callable[[], object]]:
    console = console_on(sys.stdout)
    console.quiet = not is_main_process()
    with Progress(console) as shown, shown.work(f"copying {address}", num_shards, "shards") as work:
        yield work.advance


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
