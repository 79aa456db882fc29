"""A small corpus in LibriSpeech's layout, and the means to pack it as the official archives are."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

CHAPTERS = {"19": ("198", "199", "200"), "26": ("495", "496", "500"), "32": ("4137",)}
NUM_PER_CHAPTER = 3
SPEAKERS = """; remarks
;ID  |SEX| SUBSET           |MINUTES| NAME
19   | F | train-clean-100  | 25.19 | Kara Shallenberg
26   | M | train-clean-100  | 25.08 | Denny | Sayers
32   | F | train-clean-100  | 24.01 | Betsie Bush
"""


@dataclass(frozen=True)
class Corpus:
    """Where the small corpus lies, and what is in it by name."""

    root: Path  # the folder LibriSpeech

    @property
    def names(self) -> list[str]:
        """All files below the folder that holds LibriSpeech: tables first, as officially."""
        paths = [path for path in self.root.rglob("*") if path.is_file()]
        paths.sort(key=lambda path: (path.suffix != ".TXT", path))
        return [path.relative_to(self.root.parent).as_posix() for path in paths]

    @property
    def audio(self) -> dict[str, bytes]:
        """Source path -> FLAC bytes."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*.flac"))
        }


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Return 21 utterances of 3 speakers in 7 chapters of train-clean-100, one chapter a tenth."""
    root = tmp_path / "source" / "LibriSpeech"
    generator, lines = np.random.default_rng(0), []
    for speaker, chapters in CHAPTERS.items():
        for chapter in chapters:
            folder = root / "train-clean-100" / speaker / chapter
            folder.mkdir(parents=True)
            lines.append(f"{chapter} | {speaker} | 10.0 | train-clean-100 | 1 | 2 | A | B\n")
            transcripts = []
            for number in range(NUM_PER_CHAPTER):
                name = f"{speaker}-{chapter}-{number:04d}"
                wave = generator.integers(-9000, 9000, 5000 + 10 * number, dtype=np.int16)
                soundfile.write(folder / f"{name}.flac", wave, 16_000)
                transcripts.append(f"{name} IT'S {'ABCDEFG'[number]} {'XYZ'[number]}\n")
            (folder / f"{speaker}-{chapter}.trans.txt").write_text("".join(transcripts))
    (root / "SPEAKERS.TXT").write_text(SPEAKERS)
    (root / "CHAPTERS.TXT").write_text("".join(["; remarks\n", *lines]))
    return Corpus(root)


@pytest.fixture
def pack() -> Callable[..., Path]:
    """Return a function that packs files of a corpus, in this order, and other members behind."""

    def pack(
        corpus: Corpus,
        path: Path,
        names: Sequence[str] | None = None,
        others: Sequence[tuple[tarfile.TarInfo, bytes]] = (),
    ) -> Path:
        path.parent.mkdir(exist_ok=True)
        with tarfile.open(path, "w:gz", compresslevel=1) as tar:
            for name in corpus.names if names is None else names:
                tar.add(corpus.root.parent / name, name)
            for info, content in others:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        return path

    return pack
