"""From what was downloaded to data sets: one entry for archives, trees and Parquet files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from duovox.data.archive.inflate import is_gzip
from duovox.data.archive.tar_stream import read_files
from duovox.data.corpus.librispeech.labelling import Labelling
from duovox.data.corpus.librispeech.load import Loading
from duovox.data.corpus.librispeech.metadata import Metadata
from duovox.data.corpus.librispeech.pairing import Pairing, is_wanted
from duovox.data.corpus.librispeech.parquet import deliveries
from duovox.data.corpus.librispeech.tree import find_utterances
from duovox.data.corpus.official import OFFICIAL
from duovox.data.dataset.space import check_space
from duovox.data.dataset.stream import Written, kept_bytes, write_stream
from duovox.data.dataset.write import ShardOptions, write_dataset, written_before

_HEAD_BYTES = 1 << 16  # of an archive: tells it from others, also while its end is missing
_GROWTH = {"flac": 1.02, "wav": 2.1}  # size of the shards by that of the archives


@dataclass(frozen=True, slots=True, kw_only=True)
class LibriSpeechOptions:
    """How LibriSpeech becomes data sets."""

    validation_share: float = 0.05  # of each training subset, in whole chapters
    seed: int = 1337  # of the choice of these chapters
    metadata: Path | None = None  # folder with SPEAKERS.TXT and CHAPTERS.TXT; None: the source's


def prepare_librispeech(
    source: Sequence[Path],
    out: Path,
    *,
    options: LibriSpeechOptions,
    shards: ShardOptions,
    on_utterance: Callable[[], object] = lambda: None,
) -> Written:
    """Write the data sets of one source to `out/<data set>`; return their summaries and faults.

    Args:
        source: One archive, one folder with an extracted tree, or Parquet files; see
            `group_sources`.

    Raises:
        ValueError: something is missing, damaged or in the way; the message says what to do.
    """
    out.mkdir(parents=True, exist_ok=True)
    first = source[0]
    folders = [options.metadata] if options.metadata else [first, first / "LibriSpeech"]
    metadata = Metadata.find([*folders, *([first.parent] if first.is_dir() else [])])
    labelling = Labelling(metadata, validation_share=options.validation_share, seed=options.seed)
    if first.is_dir():
        return _prepare_tree(first, out, labelling, shards, on_utterance)
    digest = _digest(source, options, shards)
    if shards.check_space:
        growth = _GROWTH[shards.audio_format]
        check_space(out, round(_size(source) * growth) - kept_bytes(out, digest))
    loading = Loading.into(shards.audio_format)
    is_parquet = first.suffix == ".parquet"
    stream = (
        deliveries(source, labelling)
        if is_parquet
        else Pairing(first, labelling).deliveries(read_files(first, is_wanted))
    )
    return write_stream(
        stream,
        out,
        digest=digest,
        load=loading.vouched_clip if not is_parquet and is_gzip(first) else loading.clip,
        options=shards,
        on_utterance=on_utterance,
    )


def group_sources(paths: Iterable[Path]) -> list[list[Path]]:
    """Return what belongs together: each archive and each tree alone, all Parquet files as one.

    Raises:
        ValueError: a path is not there, or is no source.
    """
    groups: list[list[Path]] = []
    tables: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ValueError(f"there is no {path}")
        found = sorted(path.rglob("*.parquet")) if path.is_dir() else []
        if found or path.suffix == ".parquet":
            tables += found or [path]
        elif path.is_dir() or path.name.endswith((".tar", ".tar.gz", ".tgz")):
            groups.append([path])
        else:
            raise ValueError(
                f"{path} is no source: name .tar.gz, .tgz or .tar archives, folders with an "
                "extracted tree, or .parquet files"
            )
    return groups + [tables] * bool(tables)


def expected_number(source: Path) -> int | None:
    """Return how many utterances an official archive has, by its name, for progress bars."""
    name = source.name.partition(".")[0]
    official = OFFICIAL.get("librilight-10h" if name == "librispeech_finetuning" else name)
    return official.num_utterances if official else None


def _prepare_tree(
    root: Path,
    out: Path,
    labelling: Labelling,
    shards: ShardOptions,
    on_utterance: Callable[[], object],
) -> Written:
    """Write each data set of a tree at random access; those that are finished are kept."""
    written: Written = {}
    for name, utterances in find_utterances(root, labelling).items():
        if summary := written_before(utterances, out / name, name=name, options=shards):
            written[name] = summary, []
        else:
            written[name] = write_dataset(
                utterances,
                out / name,
                name=name,
                options=shards,
                load=Loading.into(shards.audio_format).utterance,
                on_utterance=on_utterance,
            )
    return written


def _size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _digest(source: Sequence[Path], options: LibriSpeechOptions, shards: ShardOptions) -> str:
    """Return what tells this work from others, without reading everything."""
    digest = hashlib.sha256()
    for path in source:
        with path.open("rb") as file:
            digest.update(path.name.encode() + file.read(_HEAD_BYTES))
    settings = (options.validation_share, options.seed)
    cut = (shards.audio_format, shards.utterances_per_shard)
    digest.update(repr((*settings, *cut)).encode())
    return digest.hexdigest()
