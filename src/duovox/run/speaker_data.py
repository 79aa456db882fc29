"""Make the data of the speaker task: the source it learns from, the sets it is scored on."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from duovox.batch import SAMPLE_RATE
from duovox.data.dataset.index import Index
from duovox.data.frames import WAV2VEC2, Frames
from duovox.data.plan.batching import Batching
from duovox.data.source.selection import Limits
from duovox.data.source.speaker import SpeakerSource, training_speakers
from duovox.data.stage.chunk import ChunkRule
from duovox.data.stage.speed import SpeedPerturbation
from duovox.data.trial.check import check_unseen_speakers
from duovox.data.trial.list import read_trials
from duovox.data.trial.resolution import resolve
from duovox.data.wave.preparation import Preparation
from duovox.run.cohort import Cohort, draw_per_speaker
from duovox.run.data import evaluation_batches, evaluation_set, load_file, load_index
from duovox.run.evaluate import EvaluationSet
from duovox.run.option import AUGMENTATIONS, make_all
from duovox.run.speaker_settings import (
    Selector,
    Speaker,
    SpeakerData,
    SpeakerLoading,
    TrialSet,
)
from duovox.task.evaluation import SpeakerEvaluation, Trials
from duovox.task.speaker import SpeakerTask

_SPEAKER_BLOCK = 100_000  # utterances, of which VoxCeleb 2 has 17 per speaker in a block


@dataclass(frozen=True)
class SpeakerSets:
    """The sets of the speaker task."""

    data: SpeakerData
    settings: Speaker
    seed: int
    cache_folder: Path  # for copies of what lies in object stores
    frames: Frames = WAV2VEC2  # that the network makes of a wave

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

    def check_tests(self) -> None:
        """Raise a ValueError where a speaker of a test's trials is among the training speakers."""
        for trial_set in self.data.test.values():
            index = load_index(trial_set.folder, self.cache_folder)
            trials = resolve(read_trials(load_file(trial_set.trials, self.cache_folder)), index)
            check_unseen_speakers(trials, index, self.speakers)

    def training(self) -> SpeakerSource:
        """Return the source that training draws from, once the tests are checked."""
        self.check_tests()
        pipeline = self.settings.pipeline
        return SpeakerSource.for_training(
            self._training_index,
            self.speakers,
            batching=_speaker_batching(self.settings.dataloader),
            seed=self.seed,
            preparation=Preparation(
                chunk=chunk_rule(pipeline.selector_train),
                speed=SpeedPerturbation(pipeline.speeds),
                augmentations=make_all(
                    pipeline.augmentations,
                    path="speaker.pipeline.augmentations",
                    within=AUGMENTATIONS,
                ),
                normalize=pipeline.normalize,
            ),
            limits=Limits(min_seconds=pipeline.min_seconds, frames=self.frames),
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

    def cohort(self) -> Cohort | None:
        """Return the training speakers as the cohort of AS-norm, or None where none is asked for.

        Test sets only are scored with it: a validation's speakers may be among them.
        """
        scoring = self.settings.scoring
        if scoring.as_norm_utterances == 0:
            return None
        rows = draw_per_speaker(self._training_index, scoring.as_norm_utterances, seed=self.seed)
        source = self._source(
            self._training_index.select(rows),
            self.settings.dataloader.test_batch_size,
            self.settings.pipeline.selector_test,
        )
        return Cohort(
            batches=evaluation_batches(source, self.settings.dataloader.num_workers),
            num_batches=source.num_batches,
            num_nearest=scoring.as_norm_nearest,
        )

    def _source(self, index: Index, batch_size: int, selector: Selector) -> SpeakerSource:
        return SpeakerSource.for_evaluation(
            index,
            self.speakers,
            batching=Batching(batch_size=batch_size),
            chunk_samples=chunk_rule(selector).num_samples,
            normalize=self.settings.pipeline.normalize,
            frames=self.frames,
        )

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
        source = self._source(index, batch_size, selector)
        path = load_file(trial_set.trials, self.cache_folder)
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


def chunk_rule(selector: Selector) -> ChunkRule:
    """Return the chunks that a selector asks for."""
    num_samples = round(selector.desired_chunk_length_sec * SAMPLE_RATE)
    return ChunkRule(num_samples=num_samples, start=selector.start)
