"""`duovox prepare kaldi|lhotse`: corpora that another toolkit has listed already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from duovox.cli_option import (
    Name,
    Out,
    Overwrite,
    PartText,
    PerShard,
    Seed,
    SkipSpaceCheck,
    part_of,
    write_and_report,
)
from duovox.cli_terminal import Share, Workers, command_line
from duovox.data.dataset.order import Order

_Order = Annotated[Order, typer.Option(help="Order of the utterances in the shards.")]


def prepare_kaldi(
    folder: Annotated[Path, typer.Argument(help="Folder with wav.scp, text, utt2spk, ...")],
    out: Out,
    name: Name = None,
    data_root: Annotated[
        Path | None, typer.Option(help="Where relative paths start; default: the folder.")
    ] = None,
    order: _Order = "mixed",
    utterances_per_shard: PerShard = 1000,
    seed: Seed = 0,
    max_bad_share: Share = 0.01,
    overwrite: Overwrite = False,
    part: PartText = None,
    skip_space_check: SkipSpaceCheck = False,
    workers: Workers = 0,
) -> None:
    """Write the utterances of a Kaldi data folder into shards; commands in wav.scp are not run."""
    from duovox.data.corpus.kaldi import find_utterances
    from duovox.data.dataset.write import ShardOptions

    options = ShardOptions(
        order=order,
        utterances_per_shard=utterances_per_shard,
        seed=seed,
        max_bad_share=max_bad_share,
        overwrite=overwrite,
        part=part_of(part),
        check_space=not skip_space_check,
        num_workers=workers,
        command=command_line(),
    )
    write_and_report(find_utterances(folder, data_root=data_root), out, name=name, options=options)


def prepare_lhotse(
    cuts: Annotated[Path, typer.Argument(help="Cuts, one per utterance: *.jsonl or *.jsonl.gz.")],
    out: Out,
    name: Name = None,
    data_root: Annotated[
        Path | None, typer.Option(help="Where relative paths start; default: the file's folder.")
    ] = None,
    order: _Order = "mixed",
    utterances_per_shard: PerShard = 1000,
    seed: Seed = 0,
    max_bad_share: Share = 0.01,
    overwrite: Overwrite = False,
    part: PartText = None,
    skip_space_check: SkipSpaceCheck = False,
    workers: Workers = 0,
) -> None:
    """Write lhotse's cuts into shards; commands and web addresses in them are refused."""
    from duovox.data.corpus.lhotse import find_utterances
    from duovox.data.dataset.write import ShardOptions

    options = ShardOptions(
        order=order,
        utterances_per_shard=utterances_per_shard,
        seed=seed,
        max_bad_share=max_bad_share,
        overwrite=overwrite,
        part=part_of(part),
        check_space=not skip_space_check,
        num_workers=workers,
        command=command_line(),
    )
    write_and_report(find_utterances(cuts, data_root=data_root), out, name=name, options=options)
