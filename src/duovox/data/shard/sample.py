"""Group the members of a shard into samples, as webdataset does, and say what does not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from duovox.data.fault import HARMLESS, Fault
from duovox.data.shard.tar import Member

AUDIO_FORMATS = ("flac", "wav")
_TEXT_FORMATS = ("json", "txt")
_CODE_FORMATS = ("pkl", "pickle", "pyd", "pth", "pt", "npy")  # other readers would run these


@dataclass(frozen=True, slots=True)
class Sample:
    """The audio of one utterance and the members that describe it."""

    key: str
    audio: Member
    audio_format: str  # "flac" or "wav"
    json: Member | None
    text: Member | None


def split_name(name: str) -> tuple[str, str]:
    """Return key and suffix: a key ends at the first dot after the last slash."""
    folder, slash, base = name.rpartition("/")
    stem, _, suffix = base.partition(".")
    return folder + slash + stem, suffix.lower()


def group(members: Iterable[Member], shard: str) -> tuple[list[Sample], list[Fault]]:
    """Return the whole samples of a shard and the faults of the rest, in the order of the shard."""
    named = [(split_name(member.name), member) for member in members if member.kind != "folder"]
    named = [entry for entry in named if not entry[0][0].endswith("/") and entry[0][0]]  # dot files
    groups = [(key, list(run)) for key, run in groupby(named, key=lambda entry: entry[0][0])]
    num_runs = Counter(key for key, _ in groups)
    samples: dict[str, Sample] = {}
    faults: list[Fault] = []
    for key, run in groups:
        parts = [(suffix, member) for (_, suffix), member in run]
        causes = list(_causes(key, parts, is_split=num_runs[key] > 1, is_known=key in samples))
        faults += [Fault(where=shard, key=key, cause=cause, detail=text) for cause, text in causes]
        if all(cause in HARMLESS for cause, _ in causes):
            samples[key] = _sample(key, parts)
    return list(samples.values()), faults


def _causes(
    key: str, parts: list[tuple[str, Member]], *, is_split: bool, is_known: bool
) -> Iterator[tuple[str, str]]:
    """Yield (cause, detail) for each thing that is wrong with one run of members."""
    suffixes = [suffix for suffix, _ in parts]
    has_audio = any(suffix in AUDIO_FORMATS for suffix in suffixes)
    has_text = any(suffix in _TEXT_FORMATS for suffix in suffixes)
    dotted = [suffix for suffix in suffixes if "." in suffix and _is_ours(suffix)]
    if (
        key.startswith("/")
        or ".." in key.split("/")
        or any(part.kind != "file" for _, part in parts)
    ):
        yield "unsafe name", "absolute paths, '..', links and devices are refused"
    elif dotted:
        yield (
            "dotted name",
            f"the key ends at its first dot, so {', '.join(dotted)} are no audio or text",
        )
    elif is_known:
        yield (
            "duplicate key",
            "an earlier sample of this shard has the same key; the later one is left out",
        )
    elif not (has_audio and has_text) and is_split:
        yield "interleaved", f"the members of one key must lie side by side; found {suffixes} alone"
    elif not (has_audio and has_text):
        missing = ".json or .txt" if has_audio else ".flac or .wav"
        yield "incomplete", f"no {missing} beside {suffixes}"
    elif len(set(suffixes)) < len(suffixes):
        yield "repeated member", f"found {suffixes}; the first of each is kept"
    if code := [suffix for suffix in suffixes if suffix.rpartition(".")[2] in _CODE_FORMATS]:
        yield "unsafe member", f"{', '.join(code)} may hold code; never read here"


def _is_ours(suffix: str) -> bool:
    return suffix.rpartition(".")[2] in AUDIO_FORMATS + _TEXT_FORMATS


def _sample(key: str, parts: list[tuple[str, Member]]) -> Sample:
    first = dict(reversed(parts))
    audio_format = next(suffix for suffix in AUDIO_FORMATS if suffix in first)
    return Sample(key, first[audio_format], audio_format, first.get("json"), first.get("txt"))
