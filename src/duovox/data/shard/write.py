"""Write one tar file from utterances, with the webdataset library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from duovox.audio.error import AudioError
from duovox.data.archive.error import ArchiveError
from duovox.data.atomic import atomic_file
from duovox.data.fault import Fault
from duovox.data.shard.flac import flac_bytes
from duovox.data.shard.record import Record
from duovox.data.utterance import Utterance


@dataclass(frozen=True, slots=True)
class LoadedUtterance:
    """An utterance and the audio that goes into its shard."""

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
) -> list[Fault]:
    """Write the tar file, which appears once it is whole; return what is not in it."""
    left_out = []
    with open_shard(path) as write:
        for item in loaded:
            if isinstance(item, Fault):
                left_out.append(item)
            else:
                write(item)
            on_utterance()
    return left_out


@contextmanager
def open_shard(path: Path) -> Iterator[Callable[[LoadedUtterance], None]]:
    """Give the function that adds to a tar file; the file appears when the context ends well.

    The same utterances give the same bytes: times and owners are fixed.
    """
    import webdataset

    with (
        atomic_file(path) as file,
        webdataset.TarWriter(file, encoder=False, mtime=0, user="duovox", group="duovox") as tar,
    ):
        yield lambda loaded: tar.write(_sample(loaded))


def _sample(loaded: LoadedUtterance) -> dict[str, str | bytes]:
    utterance = loaded.utterance
    record = Record(
        speaker_id=utterance.speaker_id,
        session_id=utterance.session_id,
        gender=utterance.gender,
        language=utterance.language,
        transcript=utterance.transcript,
        source=utterance.source,
        num_samples=loaded.num_samples,
    )
    audio = {loaded.audio_format: loaded.audio}
    return {"__key__": utterance.key, **audio, "json": record.to_json()}
