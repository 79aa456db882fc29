"""Find the utterances of an extracted tree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from duovox.data.corpus.librispeech.labelling import Labelling, no_tables
from duovox.data.corpus.librispeech.place import Place, is_limited, is_transcripts, parse_audio
from duovox.data.corpus.librispeech.transcript import parse_transcripts
from duovox.data.utterance import Utterance


def find_utterances(root: Path, labelling: Labelling) -> dict[str, list[Utterance]]:
    """Return the utterances of each data set below a folder, sorted by name.

    Audio without a transcript and transcripts without audio are among them: loading says so.

    Raises:
        ValueError: nothing is there, or a table that is needed.
    """
    found: dict[str, list[Utterance]] = defaultdict(list)
    for folder in sorted(
        {path.parent for path in root.rglob("*.trans.txt")} | _audio_folders(root)
    ):
        for place, transcript in _chapter(folder):
            if missing := labelling.missing_tables(place.dataset):
                raise no_tables(root, missing)
            path = folder / f"{place.name}.flac"
            utterance = labelling.utterance(place, transcript, path=path)
            found[labelling.dataset(place)].append(utterance)
    if not found:
        raise ValueError(f"{root} holds no LibriSpeech audio (<subset>/19/198/19-198-0000.flac)")
    return dict(found)


def _audio_folders(root: Path) -> set[Path]:
    return {path.parent for path in root.rglob("*-*-*.flac")}


def _chapter(folder: Path) -> Iterator[tuple[Place, str]]:
    """Yield the utterances of one chapter that have audio or a transcript."""
    transcripts: dict[str, str] = {}
    for path in folder.glob("*.trans.txt"):
        if is_transcripts(path.as_posix()):
            transcripts |= parse_transcripts(path.read_bytes(), str(path))
    audio = {path.stem for path in folder.glob("*.flac")}
    for name in sorted(audio | transcripts.keys()):
        place = parse_audio((folder / f"{name}.flac").resolve().as_posix())
        if place is not None and (name in audio or not is_limited(place.dataset)):
            yield place, transcripts.get(name, "")
