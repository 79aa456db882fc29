"""LibriSpeech's archive to shards, against merely unpacking the archive and copying it.

A .tar.gz in the official layout and of dev-clean's size: 1,500 utterances of 4 to 16 s, as FLAC.
The peer is Python's gzip module with `shutil.copyfileobj` into one file: nothing is looked at. Ours
unpacks with ISA-L in place of zlib, finds transcripts, speakers and chapters, checks header and end
of each FLAC file, writes shards, computes checksums, writes the index, and syncs all of it to the
disk, so that a power cut loses nothing that it calls finished. The first line is against a copy
that is left in the kernel's memory, the second against one that has reached the disk as ours has. A
ratio of 1 means that all the rest costs nothing; it needs two free cores, as unpacking, and hashing
and writing, run in threads of their own.

Run: python benchmarks/bench_librispeech.py
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from duovox.data.corpus.librispeech.prepare import LibriSpeechOptions, prepare_librispeech
from duovox.data.dataset.index import Index
from duovox.data.dataset.write import ShardOptions
from side_by_side import compare, print_header, print_row, print_versions

NUM_UTTERANCES, PER_CHAPTER, SAMPLE_RATE = 1500, 50, 16_000
NUM_WAVES = 100  # different ones
NAME = "dev-clean"


def main() -> None:
    """Print two lines."""
    print_versions("isal", "numpy", "soundfile", "webdataset", "pyarrow")
    print_header()
    with TemporaryDirectory() as name:
        folder = Path(name)
        archive = _write_archive(folder / f"{NAME}.tar.gz")
        _prepare(archive, folder / "out")
        assert len(Index.load([folder / "out" / NAME])) == NUM_UTTERANCES
        for what, is_synced in (("gunzip and copy", False), ("gunzip, copy and sync", True)):
            comparison = compare(
                lambda: _prepare(archive, folder / "out"),
                lambda is_synced=is_synced: _copy(archive, folder / "copy.tar", is_synced),
            )
            print_row(f"{NUM_UTTERANCES} utterances, {what}", ">= 0.8x", comparison)


def _prepare(archive: Path, out: Path) -> None:
    prepare_librispeech(
        [archive], out, options=LibriSpeechOptions(), shards=ShardOptions(overwrite=True)
    )


def _copy(archive: Path, path: Path, is_synced: bool) -> None:
    with gzip.open(archive) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        if is_synced:
            target.flush()
            os.fsync(target.fileno())


def _write_archive(path: Path) -> Path:
    """Write noise with the spectrum of a voice, roughly, in chapters of speaker 1."""
    generator = np.random.default_rng(0)
    waves = [_flac(generator) for _ in range(NUM_WAVES)]
    chapters = range(NUM_UTTERANCES // PER_CHAPTER)
    rows = "".join(f"{chapter} | 1 | 10 | {NAME} | 1 | 1 | A | B\n" for chapter in chapters)
    with tarfile.open(path, "w:gz", compresslevel=6) as tar:
        _add(tar, "SPEAKERS.TXT", f"1 | F | {NAME} | 10 | A\n".encode())
        _add(tar, "CHAPTERS.TXT", rows.encode())
        for chapter in chapters:
            names = [f"1-{chapter}-{number:04d}" for number in range(PER_CHAPTER)]
            transcripts = "".join(f"{name} SOME WORDS OF A BOOK\n" for name in names)
            folder = f"{NAME}/1/{chapter}"
            _add(tar, f"{folder}/1-{chapter}.trans.txt", transcripts.encode())
            for number, name in enumerate(names):
                content = waves[(chapter * PER_CHAPTER + number) % NUM_WAVES]
                _add(tar, f"{folder}/{name}.flac", content)
    return path


def _flac(generator: np.random.Generator) -> bytes:
    num_samples = round(generator.uniform(4, 16) * SAMPLE_RATE)
    noise = np.convolve(generator.standard_normal(num_samples), np.ones(20) / 20, "same")
    buffer = io.BytesIO()
    soundfile.write(buffer, 0.3 * noise, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(f"LibriSpeech/{name}")
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


if __name__ == "__main__":
    main()
