"""`duovox prepare manifest|kaldi|lhotse`: corpora whose utterances somebody has listed already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from duovox.cli_option import (
    Name,
    Out,
    Overwrite,
    PartText,
    PerShard,
    Seed,
    SkipSpaceCheck,
    shard_options,
    write_and_report,
)
from duovox.cli_terminal import Share, Workers
from duovox.data.dataset.order import Order

if TYPE_CHECKING:
    from duovox.data.utterance import Utterance

Finder = Callable[[Path, Path | None], "Sequence[Utterance]"]  # (list, data_root) -> utterances


def command_for(find: Finder) -> Callable[..., None]:
    """Return the subcommand that writes what `find` lists into shards."""

    def prepare_listed(
        path: Annotated[Path, typer.Argument(help="The list, as told above.")],
        out: Out,
        name: Name = None,
        data_root: Annotated[
            Path | None,
            typer.Option(help="The corpus folder, where paths start; default: the list's folder."),
        ] = None,
        order: Annotated[
            Order, typer.Option(help="Order of the utterances in the shards.")
        ] = "mixed",
        utterances_per_shard: PerShard = 1000,
        seed: Seed = 0,
        max_bad_share: Share = 0.01,
        overwrite: Overwrite = False,
        part: PartText = None,
        skip_space_check: SkipSpaceCheck = False,
        workers: Workers = 0,
    ) -> None:
        options = shard_options(
            utterances_per_shard=utterances_per_shard,
            max_bad_share=max_bad_share,
            overwrite=overwrite,
            skip_space_check=skip_space_check,
            workers=workers,
            part=part,
        )
        options = replace(options, order=order, seed=seed)
        write_and_report(find(path, data_root), out, name=name, options=options)

    prepare_listed.__doc__ = find.__doc__
    return prepare_listed


def manifest(path: Path, data_root: Path | None) -> Sequence[Utterance]:
    """Write a manifest (CSV or JSON: ID, wav, spk_id, wrd, ...) into shards: 16 kHz, mono, FLAC.

    $data_root in its paths is the corpus folder.
    """
    from duovox.data.corpus.manifest import find_utterances

    return find_utterances(path, data_root=data_root)


def kaldi(path: Path, data_root: Path | None) -> Sequence[Utterance]:
    """Write a Kaldi data folder (wav.scp, text, utt2spk, ...) into shards.

    Commands in wav.scp are refused, not run.
    """
    from duovox.data.corpus.kaldi import find_utterances

    return find_utterances(path, data_root=data_root)


def lhotse(path: Path, data_root: Path | None) -> Sequence[Utterance]:
    """Write lhotse's cuts (*.jsonl or *.jsonl.gz, one per utterance) into shards.

    Commands and web addresses in them are refused.
    """
    from duovox.data.corpus.lhotse import find_utterances

    return find_utterances(path, data_root=data_root)
