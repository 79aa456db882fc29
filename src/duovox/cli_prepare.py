"""The subcommands that make data sets: `duovox prepare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from duovox.cli_terminal import Share, Workers, command_line, progress, report, say
from duovox.data.dataset.order import Order

prepare = typer.Typer(no_args_is_help=True, help="Turn a corpus into shards with an index.")


@prepare.command("manifest")
def prepare_manifest(
    path: Annotated[Path, typer.Argument(help="CSV or JSON: ID, duration, wav, spk_id, wrd, ...")],
    out: Annotated[Path, typer.Option(help="Folder for the shards.")],
    name: Annotated[
        str | None, typer.Option(help="Of the data set; default: the folder's.")
    ] = None,
    data_root: Annotated[
        Path | None, typer.Option(help="What $data_root means; default: the manifest's folder.")
    ] = None,
    order: Annotated[Order, typer.Option(help="Order of the utterances in the shards.")] = "mixed",
    utterances_per_shard: Annotated[int, typer.Option(min=1)] = 1000,
    seed: Annotated[int, typer.Option(help="Of the order `mixed`.")] = 0,
    max_bad_share: Share = 0.01,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a data set.")] = False,
    workers: Workers = 0,
) -> None:
    """Write the utterances of a manifest into shards: 16 kHz, mono, FLAC."""
    from duovox.data.corpus.manifest import find_utterances
    from duovox.data.dataset.write import ShardOptions, write_dataset

    options = ShardOptions(
        order=order,
        utterances_per_shard=utterances_per_shard,
        seed=seed,
        max_bad_share=max_bad_share,
        overwrite=overwrite,
        num_workers=workers,
        command=command_line(),
    )
    utterances = find_utterances(path, data_root=data_root)
    with progress(f"preparing {out}", len(utterances)) as advance:
        summary, faults = write_dataset(
            utterances, out, name=name or out.resolve().name, options=options, on_utterance=advance
        )
    report(summary, faults, out)
    if escaped := sum("%" in utterance.key for utterance in utterances):
        say(f"{escaped} keys hold odd characters, written as %XX (a dot is %2E)")


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
