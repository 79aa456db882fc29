"""Make the data of a run: sources for learning, sets for scoring."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from duovox.batch import SAMPLE_RATE
from duovox.data.dataset.cache import local_copy, local_file
from duovox.data.dataset.index import Index
from duovox.data.loader import evaluation_loader
from duovox.data.plan.batching import Batching
from duovox.data.source.selection import Limits, check_unheard
from duovox.data.source.speaker import SpeakerSource, training_speakers
from duovox.data.source.speech import SpeechSource
from duovox.data.source.ssl import SslSource
from duovox.data.stage.chunk import ChunkRule
from duovox.data.stage.speed import SpeedPerturbation
from duovox.data.tokenizer import Tokenizer
from duovox.data.trial.check import check_unseen_speakers
from duovox.data.trial.list import read_trials
from duovox.data.trial.resolution import resolve
from duovox.data.wave.preparation import Preparation
from duovox.run.evaluate import EvaluationSet
from duovox.run.option import AUGMENTATIONS, make
from duovox.run.sample import draw, length_limits, warn_of_heard
from duovox.run.settings import (
    Option,
    Speaker,
    Speech,
)
from duovox.run.speaker_settings import Selector, SpeakerData, SpeakerLoading, TrialSet
from duovox.run.speech_settings import SpeechData
from duovox.task.evaluation import Evaluation, SpeakerEvaluation, SpeechEvaluation, Trials
from duovox.task.speaker import SpeakerTask
from duovox.task.speech import SpeechTask

Source = SpeechSource | SpeakerSource | SslSource
Sizes = tuple[int | None, int | None]  # of a batch: padded samples or utterances
_SPEAKER_BLOCK = 100_000  # utterances, of which VoxCeleb 2 has 17 per speaker in a block


@dataclass(frozen=True)
class SpeechSets:
    """The sets of the speech task."""

    data: SpeechData
    settings: Speech
    seed: int
    cache_folder: Path  # for copies of what lies in object stores

    @property
    def vocabulary(self) -> list[str]:
        """The symbols of the CTC head; the first is its blank."""
        return self.settings.tokenizer.vocabulary

    def training(self) -> SpeechSource:
        """Return the source that training draws from."""
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
                augmentations=_augmentations(pipeline.augmentations, "speech"),
                normalize="chunk" if pipeline.normalize else "none",
            ),
            limits=length_limits(pipeline),
            unknown_characters=pipeline.unknown_characters,
        )

    @cached_property
    def _training_index(self) -> Index:
        index = load_index(self.data.train, self.cache_folder)
        return draw(index, self.data.sample, length_limits(self.settings.pipeline))

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
        )
        evaluation = SpeechEvaluation(name=name, task=task)
        return evaluation_set(evaluation, source, self.settings.dataloader.num_workers)


@dataclass(frozen=True)
class SpeakerSets:
    """The sets of the speaker task."""

    data: SpeakerData
    settings: Speaker
    seed: int
    cache_folder: Path  # for copies of what lies in object stores

    @cached_property
    def speakers(self) -> tuple[str, ...]:
        """The sorted ids of the training speakers."""
        return training_speakers(self._training_index)

    @cached_property
    def classes(self) -> list[str]:
        """The names of the classes: speakers, or speakers at speeds."""
        factors = SpeedPerturbation(self.settings.pipeline.speeds).factors
        changed = factors[1:] if self.settings.pipeline.speeds_are_speakers else ()
        return [
            *self.speakers,
            *(f"{name} x{speed}" for speed in changed for name in self.speakers),
        ]

    @cached_property
    def _training_index(self) -> Index:
        return load_index(self.data.train, self.cache_folder)

    def training(self) -> SpeakerSource:
        """Return the source that training draws from.

        Raises:
            ValueError: a speaker of a test's trials is among the training speakers.
        """
        for trial_set in self.data.test.values():
            index = load_index(trial_set.folder, self.cache_folder)
            trials = resolve(read_trials(_file(trial_set.trials, self.cache_folder)), index)
            check_unseen_speakers(trials, index, self.speakers)
        pipeline = self.settings.pipeline
        return SpeakerSource.for_training(
            self._training_index,
            self.speakers,
            batching=_speaker_batching(self.settings.dataloader),
            seed=self.seed,
            preparation=Preparation(
                chunk=chunk_rule(pipeline.selector_train),
                speed=SpeedPerturbation(pipeline.speeds),
                augmentations=_augmentations(pipeline.augmentations, "speaker"),
                normalize=pipeline.normalize,
            ),
            limits=Limits(min_seconds=pipeline.min_seconds),
            speeds_are_speakers=pipeline.speeds_are_speakers,
        )

    def validation(self, task: SpeakerTask) -> list[EvaluationSet]:
        """Return the sets that a run is selected by."""
        size, selector = (
            self.settings.dataloader.val_batch_size,
            self.settings.pipeline.selector_val,
        )
        return [self._set(task, *item, size, selector) for item in self.data.validation.items()]

    def test(self, task: SpeakerTask) -> list[EvaluationSet]:
        """Return the sets that are reported."""
        size, selector = (
            self.settings.dataloader.test_batch_size,
            self.settings.pipeline.selector_test,
        )
        return [
            self._set(task, *item, size, selector, training_speakers=self.speakers)
            for item in self.data.test.items()
        ]

    def _set(
        self,
        task: SpeakerTask,
        name: str,
        trial_set: TrialSet,
        batch_size: int,
        selector: Selector,
        *,
        training_speakers: Sequence[str] = (),
    ) -> EvaluationSet:
        index = load_index(trial_set.folder, self.cache_folder)
        source = SpeakerSource.for_evaluation(
            index,
            self.speakers,
            batching=Batching(batch_size=batch_size),
            chunk_samples=chunk_rule(selector).num_samples,
            normalize=self.settings.pipeline.normalize,
        )
        path = _file(trial_set.trials, self.cache_folder)
        trials = resolve_trials(path, index, name=name, training_speakers=training_speakers)
        evaluation = SpeakerEvaluation(name=name, task=task, trials=trials)
        return evaluation_set(evaluation, source, self.settings.dataloader.num_workers)


def _speaker_batching(loading: SpeakerLoading) -> Batching:
    if loading.train_utterances_per_speaker == 1:
        return Batching(batch_size=loading.train_batch_size, order="random")
    return Batching(
        batch_size=loading.train_batch_size,
        utterances_per_speaker=loading.train_utterances_per_speaker,
        order="random",
        block_size=_SPEAKER_BLOCK,
    )


def resolve_trials(
    path: Path, index: Index, *, name: str, training_speakers: Sequence[str] = ()
) -> Trials:
    """Return the trials of a list, by the keys and speakers of the utterances they mean.

    Warns of a public list that is not the cleaned one, which papers report.

    Raises:
        ValueError: entries without audio, or speakers who are among `training_speakers`.
    """
    listed = read_trials(path)
    if listed.caution:
        warnings.warn(listed.caution, stacklevel=2)
    resolved = resolve(listed, index)
    check_unseen_speakers(resolved, index, training_speakers)
    return Trials(
        name=name,
        enroll_keys=index.key.take(resolved.enroll_rows),
        test_keys=index.key.take(resolved.test_rows),
        enroll_speakers=index.speaker_id.take(resolved.enroll_rows),
        test_speakers=index.speaker_id.take(resolved.test_rows),
        is_target=resolved.is_target.tolist(),
        known_as=listed.known_as,
    )


def load_index(folders: str | Sequence[str], cache_folder: Path) -> Index:
    """Return the index of one or several dataset folders; what is remote is copied before."""
    names = [folders] if isinstance(folders, str) else folders
    return Index.load([local_copy(name, cache_folder).expanduser() for name in names])


def _file(name: str, cache_folder: Path) -> Path:
    return local_file(name, cache_folder).expanduser()


def _augmentations(options: Mapping[str, Option], task: str) -> tuple[Any, ...]:
    path = f"{task}.pipeline.augmentations"
    return tuple(
        make(option, path=f"{path}.{name}", within=AUGMENTATIONS)
        for name, option in options.items()
    )


def chunk_rule(selector: Selector) -> ChunkRule:
    """Return the chunks that a selector asks for."""
    num_samples = round(selector.desired_chunk_length_sec * SAMPLE_RATE)
    return ChunkRule(num_samples=num_samples, start=selector.start)


def evaluation_set(evaluation: Evaluation, source: Source, num_workers: int) -> EvaluationSet:
    """Return a set with the loader of its batches."""
    return EvaluationSet(
        evaluation=evaluation,
        batches=evaluation_loader(source, num_workers=min(num_workers, source.num_batches)),
        num_batches=source.num_batches,
    )
