"""List the utterances of VoxCeleb: inside its zip archives, their parts, or extracted folders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from duovox.data.archive.joined import is_part
from duovox.data.archive.zip import ZipArchive
from duovox.data.corpus.voxceleb.person import Person
from duovox.data.fault import Fault
from duovox.data.listing import listing
from duovox.data.utterance import Utterance, make_key

_SUFFIXES = (".wav", ".flac", ".m4a")  # of one utterance in several formats, the first is taken
_NAME = re.compile(r"(?:.*/)?(?P<source>(?P<speaker>id\d+)/(?P<video>[^/]+)/(?P<file>[^/]+))")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a file lies, and the name that its source gives it."""

    path: Path
    name: str
    member: str = ""
    num_bytes: int | None = None
    problem: str = ""


def find_utterances(
    sources: Sequence[Path], people: Mapping[str, Person]
) -> tuple[list[Utterance], list[Fault]]:
    """List all audio of the sources, sorted by key, and what can't be used.

    Args:
        sources: Zip archives, first parts of such, extracted folders, or folders with archives.
        people: Gives the genders; every speaker must be in it.

    Raises:
        ValueError: an archive is not whole, there is no audio, or a speaker is not in the tables.
    """
    faults: list[Fault] = []
    found: dict[str, Utterance] = {}
    for place in (place for source in expand(sources) for place in _places(source)):
        if Path(place.name).suffix.lower() not in _SUFFIXES:
            continue
        utterance = _utterance(place, people)
        if isinstance(utterance, Utterance):
            utterance = _keep_one(found, utterance)
        if isinstance(utterance, Fault):
            faults.append(utterance)
    _check(found.values(), sources, people)
    return [found[key] for key in sorted(found)], faults


def expand(sources: Iterable[Path]) -> list[Path]:
    """Return the archives in folders of archives, and all other sources as they are.

    An archive that also lies there in parts is taken once.
    """
    expanded: list[Path] = []
    for source in sources:
        archives = sorted(source.glob("*.zip")) if source.is_dir() else []
        parts = sorted(source.glob("*_partaa")) if source.is_dir() else []
        whole = {path.stem for path in archives}
        parts = [path for path in parts if path.name.removesuffix("_partaa") not in whole]
        expanded += [*archives, *parts] or [source]
    return list(dict.fromkeys(expanded))


def _places(source: Path) -> Iterator[_Place]:
    if source.is_dir():
        for path in source.rglob("*"):
            if path.is_file():
                yield _Place(path, path.relative_to(source.parent).as_posix())
    elif source.suffix.lower() == ".zip" or is_part(source):
        for member in ZipArchive(source):
            yield _Place(source, member.name, member.name, member.size, member.problem)
    else:
        raise ValueError(
            f"{source} must be a folder, a .zip or its first part (..._partaa)"
            + ("" if source.exists() else "; it does not exist")
        )


def _utterance(place: _Place, people: Mapping[str, Person]) -> Utterance | Fault:
    if place.problem:
        return _fault(place, "unsafe name", place.problem)
    if not (match := _NAME.fullmatch(place.name)):
        return _fault(place, "odd name", "a file must lie in <speaker id>/<video>/")
    person = people.get(match["speaker"])
    try:
        return Utterance(
            key=make_key(match["speaker"], match["video"], Path(match["file"]).stem),
            path=place.path,
            member=place.member,
            num_bytes=place.num_bytes,
            source=match["source"],
            speaker_id=match["speaker"],
            session_id=match["video"],
            gender=person.gender if person else "",
        )
    except ValueError as error:
        return _fault(place, "odd name", str(error))


def _keep_one(found: dict[str, Utterance], utterance: Utterance) -> Utterance | Fault:
    """Keep an utterance, or the better of two formats; the same file twice is a fault."""
    other = found.setdefault(utterance.key, utterance)
    if other is utterance:
        return utterance
    if _rank(utterance) == _rank(other):
        return Fault(
            where=utterance.place,
            key=utterance.key,
            cause="duplicate key",
            detail=f"{other.place} is the same utterance; the later one is left out",
        )
    found[utterance.key] = min(utterance, other, key=_rank)
    return utterance


def _rank(utterance: Utterance) -> int:
    return _SUFFIXES.index(Path(utterance.source).suffix.lower())


def _fault(place: _Place, cause: str, detail: str) -> Fault:
    where = f"{place.path}/{place.member}" if place.member else str(place.path)
    return Fault(where=where, key="", cause=cause, detail=detail)


def _check(
    found: Iterable[Utterance], sources: Sequence[Path], people: Mapping[str, Person]
) -> None:
    speakers = {utterance.speaker_id for utterance in found}
    if not speakers:
        raise ValueError(
            f"no audio ({', '.join(_SUFFIXES)}) of VoxCeleb lies in these sources, where it should "
            f"be in <speaker id>/<video>/:{listing(sources)}"
        )
    if unknown := sorted(speakers - people.keys()):
        raise ValueError(
            f"{len(unknown)} speakers are not in the tables of VoxCeleb's speakers, so that "
            f"neither their gender nor their set (dev or test) is known; is a table missing in "
            f"the folder of --meta?{listing(unknown)}"
        )
