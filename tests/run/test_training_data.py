"""The training stream goes on where a checkpoint left it, and replicas share it out."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from duovox.data.source.speech import SpeechSource
from duovox.run.speech_data import SpeechSets
from duovox.run.training_data import TrainingData


@pytest.fixture
def source(settings_of, tmp_path: Path) -> SpeechSource:
    settings = settings_of("speech", "speech.dataloader.train_max_num_samples=30000")
    sets = SpeechSets(settings.data.speech, settings.speech, settings.seed, tmp_path)
    return sets.training()


def stream_of(
    source: SpeechSource, *, size: int = 1, rank: int = 0, ready: int = 0
) -> TrainingData:
    """Return the stream of one of `size` processes; Lightning has counted `ready` batches."""
    data = TrainingData({"speech": source}, [], num_workers=0, pin_memory=False)
    progress = SimpleNamespace(total=SimpleNamespace(ready=ready))
    trainer: Any = SimpleNamespace(world_size=size, global_rank=rank)
    trainer.fit_loop = SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress))
    data.trainer = trainer
    return data


def keys(data: TrainingData, number: int) -> list[tuple[str, ...]]:
    return [batch.keys for batch in islice(data.train_dataloader(), number)]


def test_the_stream_goes_on_behind_the_batches_of_a_checkpoint(source) -> None:
    whole = keys(stream_of(source), 4)
    rest = stream_of(source)
    rest.load_state_dict(stream_of(source, ready=2).state_dict())
    assert keys(rest, 2) == whole[2:]
    assert keys(rest, 2) != whole[:2]


def test_replicas_share_the_stream_out(source) -> None:
    alone = keys(stream_of(source), 4)
    first, second = (keys(stream_of(source, size=2, rank=rank), 2) for rank in (0, 1))
    assert alone == [first[0], second[0], first[1], second[1]]
