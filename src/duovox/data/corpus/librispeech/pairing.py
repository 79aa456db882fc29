"""Bring the audio of an archive together with its transcripts and tables, in whatever order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from duovox.data.archive.tar_stream import TarredFile
from duovox.data.corpus.librispeech.labelling import Labelling, no_tables
from duovox.data.corpus.librispeech.metadata import is_metadata
from duovox.data.corpus.librispeech.place import Place, is_limited, is_transcripts, parse_audio
from duovox.data.corpus.librispeech.transcript import parse_transcripts
from duovox.data.dataset.stream import Delivery
from duovox.data.fault import Fault
from duovox.data.shard.clip import Clip

_MOST_WAITING_BYTES = 1 << 29  # a chapter has some 20 MB


def is_wanted(name: str) -> bool:
    """Tell whether a file of an archive is read at all."""
    return is_metadata(name) or is_transcripts(name) or parse_audio(name) is not None


class Pairing:
    """Hold audio back until its transcripts and the tables have come.

    In official archives the tables come first, and transcripts lie among the audio of their
    chapter, so that little has to wait.
    """

    def __init__(self, archive: Path, labelling: Labelling) -> None:
        self._archive = archive
        self._labelling = labelling
        self._transcripts: dict[str, dict[str, str]] = {}  # chapter's folder -> still without audio
        self._waiting: dict[str, list[tuple[Place, TarredFile]]] = {}
        self._num_waiting_bytes = 0
        self._faults: list[Fault] = []  # of no data set
        self._dataset = ""  # that had the last delivery

    def deliveries(self, files: Iterable[TarredFile | Fault]) -> Iterator[Delivery]:
        """Yield an utterance as soon as all of it is there, and the faults at the end.

        Raises:
            ValueError: tables or transcripts do not come before much audio has had to wait.
        """
        for file in files:
            if isinstance(file, Fault):
                self._faults.append(file)
            else:
                yield from self._take(file)
        yield from self._leftovers()

    def _take(self, file: TarredFile) -> Iterator[Delivery]:
        place, folder = parse_audio(file.name), file.name.rpartition("/")[0]
        origin = f"{self._archive}/{file.name}"
        if place is not None:
            self._waiting.setdefault(folder, []).append((place, file))
            self._num_waiting_bytes += len(file.content)
            yield from self._release(folder)
            self._check_waiting()
        elif is_transcripts(file.name):
            self._transcripts[folder] = parse_transcripts(file.content, origin)
            yield from self._release(folder)
        else:
            name = file.name.rpartition("/")[2]
            self._labelling.metadata.add(name, file.content, origin)
            for waiting in list(self._waiting):
                yield from self._release(waiting)

    def _release(self, folder: str) -> Iterator[Delivery]:
        """Yield what waits in a chapter's folder, if everything else is there."""
        audio = self._waiting.get(folder, [])
        if folder not in self._transcripts or not audio:
            return
        if not self._labelling.missing_tables(audio[0][0].dataset):
            yield from self._deliver(self._waiting.pop(folder), self._transcripts[folder])

    def _deliver(
        self, audio: list[tuple[Place, TarredFile]], transcripts: dict[str, str]
    ) -> Iterator[Delivery]:
        for place, file in audio:
            self._num_waiting_bytes -= len(file.content)
            utterance = self._labelling.utterance(
                place,
                transcripts.pop(place.name, ""),
                path=self._archive,
                member=file.name,
            )
            self._dataset = self._labelling.dataset(place)
            yield Delivery(self._dataset, Clip(utterance, file.content))

    def _check_waiting(self) -> None:
        if self._num_waiting_bytes <= _MOST_WAITING_BYTES:
            return
        folder, audio = next(iter(self._waiting.items()))
        if missing := self._labelling.missing_tables(audio[0][0].dataset):
            raise no_tables(self._archive, missing)
        raise ValueError(
            f"{self._archive} keeps the transcripts of {folder} far from their audio, "
            f"{self._num_waiting_bytes} bytes wait for theirs: unpack it and name the folder"
        )

    def _leftovers(self) -> Iterator[Delivery]:
        """Yield audio without transcripts, transcripts without audio, and what was unsafe."""
        for audio in list(self._waiting.values()):
            if missing := self._labelling.missing_tables(audio[0][0].dataset):
                raise no_tables(self._archive, missing)
            yield from self._deliver(audio, {})
        for folder, transcripts in self._transcripts.items():
            for name in transcripts:
                yield from self._lost(f"{folder}/{name}.flac")
        if self._faults and not self._dataset:
            raise ValueError(f"{self._archive} has no LibriSpeech audio; {self._faults[0]}")
        for fault in self._faults:
            yield Delivery(self._dataset, fault)

    def _lost(self, name: str) -> Iterator[Delivery]:
        """Yield the fault of a transcript whose audio never came."""
        place = parse_audio(name)
        if place is not None and not is_limited(place.dataset):
            labels = self._labelling.utterance(place, "", path=self._archive)
            fault = Fault(
                where=f"{self._archive}/{name}",
                key=labels.key,
                cause="missing",
                detail="it has a transcript, but there is no such audio file in the archive",
            )
            yield Delivery(self._labelling.dataset(place), fault)
