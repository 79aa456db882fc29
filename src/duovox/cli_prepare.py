"""The subcommands that make data sets: `duovox prepare`."""

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
from duovox.cli_prepare_librispeech import prepare_librispeech
from duovox.cli_prepare_toolkit import prepare_kaldi, prepare_lhotse
from duovox.cli_terminal import Share, Workers, command_line, progress, report, say
from duovox.data.dataset.order import Order

prepare = typer.Typer(no_args_is_help=True, help="Turn a corpus into shards with an index.")
prepare.command("kaldi")(prepare_kaldi)
prepare.command("lhotse")(prepare_lhotse)
prepare.command("librispeech")(prepare_librispeech)

_OrderOption = Annotated[Order, typer.Option(help="Order of the utterances in the shards.")]


@prepare.command("manifest")
def prepare_manifest(
    path: Annotated[Path, typer.Argument(help="CSV or JSON: ID, duration, wav, spk_id, wrd, ...")],
    out: Out,
    name: Name = None,
    data_root: Annotated[
        Path | None, typer.Option(help="What $data_root means; default: the manifest's folder.")
    ] = None,
    order: _OrderOption = "mixed",
    utterances_per_shard: PerShard = 1000,
    seed: Seed = 0,
    max_bad_share: Share = 0.01,
    overwrite: Overwrite = False,
    part: PartText = None,
    skip_space_check: SkipSpaceCheck = False,
    workers: Workers = 0,
) -> None:
    """Write the utterances of a manifest into shards: 16 kHz, mono, FLAC."""
    from duovox.data.corpus.manifest import find_utterances
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
    write_and_report(find_utterances(path, data_root=data_root), out, name=name, options=options)


@prepare.command("demo")
def prepare_demo(
    out: Annotated[Path, typer.Option(help="Folder for audio, manifests and shards.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same corpus.")] = 0,
    utterances_per_voice: Annotated[int, typer.Option(min=4)] = 20,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Make it anew.")] = False,
) -> None:
    """Synthesise a small corpus of many voices, for people who have no data yet."""
    from duovox.data.corpus.demo import make_demo
    from duovox.data.dataset.summary import DATASET_FILE, DatasetSummary

    found = [DatasetSummary.load(path.parent) for path in out.glob(f"*/{DATASET_FILE}")]
    is_demo = all(summary.command == "duovox prepare demo" for summary in found)
    if is_demo and len(found) == 3 and not overwrite:
        say(f"{out} holds the demo corpus already; --overwrite makes it anew")
        return
    with progress(f"synthesising {out}", None) as advance:
        summaries = make_demo(
            out,
            seed=seed,
            utterances_per_voice=utterances_per_voice,
            overwrite=overwrite or is_demo,  # part of the corpus is no corpus
            on_utterance=advance,
        )
    for split, summary in summaries.items():
        report(summary, [], out / split)
