"""The data of each task that a run learns."""

from __future__ import annotations

from pathlib import Path

from duovox.run.frames import frames_of_settings
from duovox.run.joint import check_joint
from duovox.run.pretraining import SslSets
from duovox.run.settings import Settings
from duovox.run.speaker_data import SpeakerSets
from duovox.run.speech_data import SpeechSets

AnySets = SpeechSets | SpeakerSets | SslSets


def build_sets(settings: Settings) -> dict[str, AnySets]:
    """Return the sets of each task, by its name.

    Raises:
        ValueError: a task has no data, or settings contradict each other.
    """
    if settings.data.batches == "joint":
        check_joint(settings)
    sets: dict[str, AnySets] = {}
    seed, cache_folder = settings.seed, Path(settings.temp_folder).expanduser()
    frames = frames_of_settings(settings.network)
    if settings.speech is not None and settings.data.speech is not None:
        sets["speech"] = SpeechSets(
            settings.data.speech, settings.speech, seed, cache_folder, frames
        )
    if settings.speaker is not None and settings.data.speaker is not None:
        sets["speaker"] = SpeakerSets(
            settings.data.speaker, settings.speaker, seed, cache_folder, frames
        )
    if settings.ssl is not None and settings.data.ssl is not None:
        if settings.network.ssl_cfg is None:
            raise ValueError("pre-training needs an objective: network.ssl_cfg is not set")
        objective = settings.network.ssl_cfg
        sets["ssl"] = SslSets(
            settings.data.ssl, settings.ssl, objective, seed, cache_folder, frames
        )
    for task in ("speech", "speaker", "ssl"):
        if getattr(settings, task) is not None and task not in sets:
            raise ValueError(f"this run learns {task}, but its data has none (data.{task})")
    return sets


def normalizes(settings: Settings) -> dict[str, bool]:
    """Return whether the waves of each task have zero mean and unit variance, by its name."""
    normalizes = {}
    if settings.speech is not None:
        normalizes["speech"] = settings.speech.pipeline.normalize
    if settings.speaker is not None:
        normalizes["speaker"] = settings.speaker.pipeline.normalize != "none"
    if settings.ssl is not None:
        normalizes["ssl"] = settings.ssl.pipeline.normalize
    return normalizes
