"""Make the data of the speech task: the source it learns from, the sets it is scored on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from duovox.data.dataset.index import Index
from duovox.data.frames import WAV2VEC2, Frames
from duovox.data.plan.batching import Batching
from duovox.data.source.selection import check_unheard
from duovox.data.source.speech import SpeechSource
from duovox.data.stage.speed import SpeedPerturbation
from duovox.data.tokenizer import Tokenizer
from duovox.data.wave.preparation import Preparation
from duovox.run.data import evaluation_set, load_index
from duovox.run.evaluate import EvaluationSet
from duovox.run.option import AUGMENTATIONS, make_all
from duovox.run.sample import draw, length_limits, warn_of_heard
from duovox.run.settings import Speech
from duovox.run.speech_settings import SpeechData
from duovox.task.evaluation import SpeechEvaluation
from duovox.task.speech import SpeechTask

Sizes = tuple[int | None, int | None]  # of a batch: padded samples or utterances


@dataclass(frozen=True)
class SpeechSets:
    """The sets of the speech task."""

    data: SpeechData
    settings: Speech
    seed: int
    cache_folder: Path  # for copies of what lies in object stores
    frames: Frames = WAV2VEC2  # that the network makes of a wave

    @property
    def vocabulary(self) -> list[str]:
        """The symbols of the CTC head; the first is its blank."""
        return self.settings.tokenizer.vocabulary

    def training(self, *, needs_speaker: bool = False) -> SpeechSource:
        """Return the source that training draws from; `needs_speaker` asks for both labels."""
        pipeline, loading = self.settings.pipeline, self.settings.dataloader
        return SpeechSource.for_training(
            self._training_index,
            Tokenizer(self.vocabulary),
            batching=Batching(
                max_padded_samples=loading.train_max_num_samples,
                batch_size=loading.train_batch_size,
                length_jitter=loading.length_jitter,
            ),
            seed=self.seed,
            preparation=Preparation(
                speed=SpeedPerturbation(pipeline.speeds),
                augmentations=make_all(
                    pipeline.augmentations,
                    path="speech.pipeline.augmentations",
                    within=AUGMENTATIONS,
                ),
                normalize="chunk" if pipeline.normalize else "none",
            ),
            limits=length_limits(pipeline, self.frames),
            unknown_characters=pipeline.unknown_characters,
            needs_speaker=needs_speaker,
        )

    @cached_property
    def _training_index(self) -> Index:
        index = load_index(self.data.train, self.cache_folder)
        return draw(index, self.data.sample, length_limits(self.settings.pipeline, self.frames))

    def check_unheard(self, kinds: Iterable[str]) -> None:
        """Refuse test sets that hold what training hears, and warn of validation sets that do.

        Published sets do: Libri-light's were cut from LibriSpeech, chapters of which validate.

        Args:
            kinds: of sets: "validation", "test".

        Raises:
            ValueError: an utterance of a test set is in training; the message lists them.
        """
        for kind in kinds:
            check = check_unheard if kind == "test" else warn_of_heard
            for name, folder in getattr(self.data, kind).items():
                index = load_index(folder, self.cache_folder)
                check(index, self._training_index, name=f"data.speech.{kind}.{name}")

    def validation(self, task: SpeechTask) -> list[EvaluationSet]:
        """Return the sets that a run is selected by."""
        loading = self.settings.dataloader
        sizes = loading.val_max_num_samples, loading.val_batch_size
        return [self._set(task, *item, sizes) for item in self.data.validation.items()]

    def test(self, task: SpeechTask) -> list[EvaluationSet]:
        """Return the sets that are reported."""
        loading = self.settings.dataloader
        sizes = loading.test_max_num_samples, loading.test_batch_size
        return [self._set(task, *item, sizes) for item in self.data.test.items()]

    def _set(self, task: SpeechTask, name: str, folder: str, sizes: Sizes) -> EvaluationSet:
        source = SpeechSource.for_evaluation(
            load_index(folder, self.cache_folder),
            Tokenizer(self.vocabulary),
            batching=Batching(max_padded_samples=sizes[0], batch_size=sizes[1]),
            normalize="chunk" if self.settings.pipeline.normalize else "none",
            unknown_characters="drop",  # no output can match them: they count as errors
            frames=self.frames,
        )
        evaluation = SpeechEvaluation(name=name, task=task)
        return evaluation_set(evaluation, source, self.settings.dataloader.num_workers)
