"""Write one tar file from utterances, with the webdataset library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from duovox.audio.error import AudioError
from duovox.data.atomic import atomic_file
from duovox.data.fault import Fault
from duovox.data.flac import flac_bytes
from duovox.data.record import Record
from duovox.data.utterance import Utterance


@dataclass(frozen=True, slots=True)
class LoadedUtterance:
    """An utterance and the audio that goes into its shard."""

    utterance: Utterance
    flac: bytes
    num_samples: int


Map = Callable[[Sequence[Utterance]], Iterable["LoadedUtterance | Fault"]]


@contextmanager
def loading(num_workers: int) -> Iterator[Map]:
    """Give a function that loads utterances in their order, here (0) or in several processes."""
    if num_workers < 1:
        yield partial(map, _load)
        return
    with ProcessPoolExecutor(num_workers, mp_context=get_context("spawn")) as pool:
        yield partial(pool.map, _load, chunksize=16)


def write_shard(
    path: Path, loaded: Iterable[LoadedUtterance | Fault], on_utterance: Callable[[], object]
) -> list[Fault]:
    """Write the tar file, which appears under its name once it is whole; return what is not in it.

    The same utterances give the same bytes: times and owners are fixed.
    """
    import webdataset

    left_out = []
    with (
        atomic_file(path) as file,
        webdataset.TarWriter(file, encoder=False, mtime=0, user="duovox", group="duovox") as tar,
    ):
        for item in loaded:
            if isinstance(item, Fault):
                left_out.append(item)
            else:
                tar.write(_sample(item))
            on_utterance()
    return left_out


def _load(utterance: Utterance) -> LoadedUtterance | Fault:
    try:
        return LoadedUtterance(utterance, *flac_bytes(utterance))
    except AudioError as error:
        cause, detail = str(error.cause), str(error)
    except OSError as error:
        cause, detail = "unreadable", str(error)
    return Fault(where=str(utterance.path), key=utterance.key, cause=cause, detail=detail)


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
    return {"__key__": utterance.key, "flac": loaded.flac, "json": record.to_json()}
