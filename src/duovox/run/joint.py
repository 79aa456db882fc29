"""What the tasks learn from: a source for each, or one whose utterances have both labels."""

from __future__ import annotations

from collections.abc import Mapping

from duovox.data.source.joint import JointSource
from duovox.run.data import Source
from duovox.run.pretraining import SslSets
from duovox.run.settings import Settings
from duovox.run.speaker_data import SpeakerSets
from duovox.run.speech_data import SpeechSets


def training_sources(
    sets: Mapping[str, SpeechSets | SpeakerSets | SslSets], *, is_joint: bool
) -> dict[str, Source]:
    """Return the sources that training draws from, by task, or one called "joint"."""
    if not is_joint:
        return {task: one.training() for task, one in sets.items()}
    speech, speaker = sets["speech"], sets["speaker"]
    assert isinstance(speech, SpeechSets)
    assert isinstance(speaker, SpeakerSets)
    speaker.check_tests()
    heard = speech.training(needs_speaker=True)
    num_voices = len(speaker.classes) // len(speaker.speakers)
    return {"joint": JointSource(heard, speaker.speakers, num_voices=num_voices)}


def check_joint(settings: Settings) -> None:
    """Refuse settings that joint batches contradict: each utterance is one wave for both tasks.

    Raises:
        ValueError: naming the setting to change.
    """
    speech, speaker = settings.speech, settings.speaker
    if speech is None or speaker is None:
        raise ValueError(
            "data.batches=joint is for two tasks: take run_mt_speech_speaker.py, or leave it out"
        )
    words, voices = speech.pipeline, speaker.pipeline
    rules = {
        "network.use_data_source_head must be false: all utterances are of one source": (
            not settings.network.use_data_source_head
        ),
        "optim.loss.triplet_weight must be 0: batches are cut by length, not by speaker": (
            settings.optim.loss.triplet_weight == 0
        ),
        "speaker.pipeline.speeds must be those of speech.pipeline.speeds": (
            set(voices.speeds) == set(words.speeds)
        ),
        "speaker.pipeline.speeds must have 1.0, where speeds_are_speakers": (
            1 in voices.speeds or not voices.speeds_are_speakers
        ),
        "speaker.pipeline.normalize must be chunk where speech.pipeline.normalize is true, and "
        "none where it is false": words.normalize == (voices.normalize != "none"),
        "speaker.pipeline.augmentations must be empty: speech.pipeline.augmentations counts": (
            not voices.augmentations
        ),
        "speaker.pipeline.min_seconds must be 0: speech.pipeline.min_seconds counts": (
            voices.min_seconds == 0
        ),
    }
    for rule, is_kept in rules.items():
        if not is_kept:
            raise ValueError(f"with data.batches=joint, {rule}")
