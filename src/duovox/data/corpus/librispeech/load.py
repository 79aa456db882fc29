"""Load an utterance for its shard, unless its transcript is missing or holds odd characters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from duovox.data.corpus.librispeech.transcript import unknown_characters, vocabulary
from duovox.data.fault import Fault
from duovox.data.shard.clip import AudioFormat, Clip, load_as, load_clip
from duovox.data.shard.write import LoadedUtterance
from duovox.data.utterance import Utterance

Loaded = LoadedUtterance | Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """How audio becomes what shards store; can be sent to other processes."""

    audio_format: AudioFormat
    known_characters: frozenset[str]

    @classmethod
    def into(cls, audio_format: AudioFormat) -> Loading:
        """Return the loading for LibriSpeech's characters."""
        return cls(audio_format=audio_format, known_characters=vocabulary())

    def utterance(self, utterance: Utterance) -> Loaded:
        """Load from a file, and decode all of it."""
        return self._checked(utterance, lambda: load_as(utterance, audio_format=self.audio_format))

    def vouched_clip(self, clip: Clip) -> Loaded:
        """Load what a checksum stands for."""
        return self._checked(
            clip.utterance, lambda: load_clip(clip, audio_format=self.audio_format)
        )

    def clip(self, clip: Clip) -> Loaded:
        """Load what nothing stands for: all of it is decoded."""
        return self._checked(
            clip.utterance,
            lambda: load_clip(clip, audio_format=self.audio_format, is_vouched=False),
        )

    def _checked(self, utterance: Utterance, load: Callable[[], Loaded]) -> Loaded:
        where, key = utterance.place, utterance.key
        if unknown := unknown_characters(utterance.transcript, self.known_characters):
            detail = f"the transcript holds {unknown}, which no official transcript does"
            return Fault(where=where, key=key, cause="unknown characters", detail=detail)
        loaded = load()
        if not utterance.transcript and not isinstance(loaded, Fault):
            detail = "there is audio, but no transcript of it"
            return Fault(where=where, key=key, cause="no transcript", detail=detail)
        return loaded
