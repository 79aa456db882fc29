"""Write one tar file from utterances, with the webdataset library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from duovox.audio.decode import SAMPLE_RATE
from duovox.audio.error import AudioError
from duovox.data.archive.error import ArchiveError
from duovox.data.archive.tar_header import BLOCK
from duovox.data.atomic import atomic_file
from duovox.data.fault import Fault
from duovox.data.shard.flac import flac_bytes
from duovox.data.shard.hashed_file import HashedFile
from duovox.data.shard.record import Record
from duovox.data.shard.row import Row
from duovox.data.shard.scan import Scan
from duovox.data.shard.summary import ShardSummary
from duovox.data.shard.tar_file import TarFile
from duovox.data.utterance import Utterance


@dataclass(frozen=True, slots=True)
class LoadedUtterance:
    """An utterance and the audio that goes into its shard, 16 kHz."""

    utterance: Utterance
    audio: bytes
    num_samples: int
    audio_format: str = "flac"  # or "wav"


def load_utterance(utterance: Utterance) -> LoadedUtterance | Fault:
    """Return the audio of an utterance, or why it has none."""
    try:
        return LoadedUtterance(utterance, *flac_bytes(utterance))
    except AudioError as error:
        cause, detail = str(error.cause), str(error)
    except ArchiveError as error:
        cause, detail = "damaged archive", str(error)
    except OSError as error:
        cause, detail = "unreadable", str(error)
    return Fault(where=utterance.place, key=utterance.key, cause=cause, detail=detail)


def write_shard(
    path: Path, loaded: Iterable[LoadedUtterance | Fault], on_utterance: Callable[[], object]
) -> tuple[Scan, list[Fault]]:
    """Write the tar file, which appears once it is whole; return what is in it, and what is not."""
    left_out = []
    with open_shard(path) as shard:
        for item in loaded:
            if isinstance(item, Fault):
                left_out.append(item)
            else:
                shard.add(item)
            on_utterance()
    return shard.scan(), left_out


@contextmanager
def open_shard(path: Path) -> Iterator[OpenShard]:
    """Give a tar file to add to; it appears under its name when the context ends well.

    The same utterances give the same bytes: times and owners are fixed.
    """
    with atomic_file(path) as file, HashedFile(file) as hashed:
        shard = OpenShard(path.name, hashed)
        yield shard
        shard.close()


class OpenShard:
    """A tar file in the making; it remembers what `scan.scan_shard` would find in it."""

    def __init__(self, name: str, file: HashedFile) -> None:
        import webdataset

        self._name = name
        self._file = file
        self._writer = webdataset.TarWriter(
            file, encoder=False, mtime=0, user="duovox", group="duovox"
        )
        self._tar = TarFile(file)  # its own takes eight times as long
        self._writer.tarstream = self._tar
        self._rows: list[Row] = []

    def add(self, loaded: LoadedUtterance) -> None:
        """Write the next utterance."""
        utterance = loaded.utterance
        record = _record(loaded)
        members = {loaded.audio_format: loaded.audio, "json": record.to_json()}
        offsets = {
            suffix: self._write(f"{utterance.key}.{suffix}", members[suffix])
            for suffix in sorted(members)  # webdataset's order
        }
        row = Row(
            key=utterance.key,
            shard=self._name,
            offset=offsets[loaded.audio_format],
            size=len(loaded.audio),
            num_samples=loaded.num_samples,
            sample_rate=SAMPLE_RATE,
            audio_format=loaded.audio_format,
            **record.completed(utterance.key).described(),
        )
        self._rows.append(row)

    def close(self) -> None:
        """Write the end mark."""
        self._writer.close()

    def scan(self) -> Scan:
        """Return what the tar file holds, once it is on the disk."""
        summary = ShardSummary(
            name=self._name,
            size=self._file.size,
            sha256=self._file.sha256(),
            num_utterances=len(self._rows),
        )
        return Scan(summary, tuple(self._rows), ())

    def _write(self, name: str, content: bytes) -> int:
        """Write one member; return where its content begins."""
        key, _, suffix = name.rpartition(".")
        self._writer.write({"__key__": key, suffix: content})
        return self._tar.offset - -(-len(content) // BLOCK) * BLOCK


def _record(loaded: LoadedUtterance) -> Record:
    utterance = loaded.utterance
    return Record(
        speaker_id=utterance.speaker_id,
        session_id=utterance.session_id,
        gender=utterance.gender,
        language=utterance.language,
        transcript=utterance.transcript,
        source=utterance.source,
        num_samples=loaded.num_samples,
    )
