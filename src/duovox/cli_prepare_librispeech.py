"""The subcommand `duovox prepare librispeech`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from duovox.cli_option import Overwrite, PerShard, SkipSpaceCheck, shard_options
from duovox.cli_terminal import Share, Workers, print_differences, progress, report


def prepare_librispeech(
    source: Annotated[
        list[Path],
        typer.Argument(help=".tar.gz archives, extracted trees, or folders of Parquet files."),
    ],
    out: Annotated[Path, typer.Option(help="Folder; each subset becomes a data set in it.")],
    audio_format: Annotated[
        Literal["flac", "wav"], typer.Option("--format", help="flac keeps the official bytes.")
    ] = "flac",
    validation_share: Annotated[
        float, typer.Option(min=0, max=0.5, help="Of each training subset, in whole chapters.")
    ] = 0.05,
    seed: Annotated[int, typer.Option(help="Of the choice of these chapters.")] = 1337,
    metadata: Annotated[
        Path | None,
        typer.Option(help="Folder with SPEAKERS.TXT and CHAPTERS.TXT; default: the source's."),
    ] = None,
    utterances_per_shard: PerShard = 1000,
    max_bad_share: Share = 0.01,
    overwrite: Overwrite = False,
    skip_space_check: SkipSpaceCheck = False,
    workers: Workers = 0,
) -> None:
    """Write LibriSpeech, or Libri-light's limited sets, into shards with an index."""
    from duovox.data.corpus.librispeech import prepare
    from duovox.data.corpus.librispeech.check import official_sets

    options = prepare.LibriSpeechOptions(
        validation_share=validation_share, seed=seed, metadata=metadata
    )
    shards = shard_options(
        utterances_per_shard=utterances_per_shard,
        max_bad_share=max_bad_share,
        overwrite=overwrite,
        skip_space_check=skip_space_check,
        workers=workers,
    )
    shards = replace(shards, audio_format=audio_format)
    names: list[str] = []
    for group in prepare.group_sources(source):
        with progress(f"preparing {group[0]}", prepare.expected_number(group[0])) as advance:
            written = prepare.prepare_librispeech(
                group, out, options=options, shards=shards, on_utterance=advance
            )
        for name, (summary, faults) in written.items():
            report(summary, faults, out / name, is_official_set=False)
        names += written
    for name, summary, num_words in official_sets(out, names):
        print_differences(summary, name, num_words=num_words)
