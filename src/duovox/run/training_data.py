"""The training stream of a run, which goes on where a checkpoint left it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader

from duovox.data.loader import training_loader
from duovox.run.data import Source
from duovox.run.evaluate import EvaluationSet
from duovox.run.settings import Settings


def build_training_data(
    settings: Settings, sources: Mapping[str, Source], validation: Sequence[EvaluationSet]
) -> TrainingData:
    """Return the training stream of a run, and the sets that it validates on."""
    parts = (settings.speech, settings.speaker, settings.ssl)
    loading = [part.dataloader for part in parts if part]
    return TrainingData(
        sources,
        [one.batches for one in validation],
        num_workers=sum(part.num_workers for part in loading),
        pin_memory=settings.gpus > 0 and all(part.pin_memory for part in loading),
    )


class TrainingData(LightningDataModule):
    """Hand Lightning the endless training stream, from where a checkpoint left it."""

    def __init__(
        self,
        sources: Mapping[str, Source],
        validation: Sequence[DataLoader[Any]],
        *,
        num_workers: int,
        pin_memory: bool,
    ) -> None:
        super().__init__()
        self._sources = sources
        self._validation = validation
        self._num_workers = num_workers
        self._pin_memory = pin_memory
        self._start_batch = 0

    def state_dict(self) -> dict[str, Any]:
        """Return how many batches each replica has had."""
        assert self.trainer is not None
        return {"num_batches": self.trainer.fit_loop.epoch_loop.batch_progress.total.ready}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on behind that many batches."""
        self._start_batch = state_dict["num_batches"]

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the training stream."""
        assert self.trainer is not None
        return training_loader(
            self._sources,
            start_batch=self._start_batch,
            num_workers=self._num_workers,
            num_replicas=self.trainer.world_size,
            replica=self.trainer.global_rank,
            pin_memory=self._pin_memory,
        )

    def val_dataloader(self) -> list[DataLoader[Any]]:
        """Return the validation sets."""
        return list(self._validation)
