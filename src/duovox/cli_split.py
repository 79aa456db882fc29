"""The subcommand `duovox split`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from duovox.cli_option import Overwrite, PerShard
from duovox.cli_terminal import command_line, progress, report
from duovox.data.dataset.choice import By
from duovox.data.dataset.order import Order


def split(
    datasets: Annotated[list[Path], typer.Argument(help="Data set folders, taken as one.")],
    out: Annotated[Path, typer.Option(help="Folder for the utterances that are drawn.")],
    rest: Annotated[Path | None, typer.Option(help="Folder for all others.")] = None,
    by: Annotated[By, typer.Option(help="What stays together.")] = "utterance",
    share: Annotated[float | None, typer.Option(help="Of all hours: 0.05 is 5 %.")] = None,
    hours: Annotated[float | None, typer.Option(help="Instead: 0.1667 is ten minutes.")] = None,
    count: Annotated[int | None, typer.Option(help="Instead: so many of what `--by` says.")] = None,
    balanced: Annotated[
        bool,
        typer.Option(
            "--balanced", help="Equal hours of all speakers; by speaker, of women and men."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the draw, and of the order `mixed`.")] = 0,
    order: Annotated[Order, typer.Option(help="Order in the shards.")] = "given",
    utterances_per_shard: PerShard = 1000,
    overwrite: Overwrite = False,
) -> None:
    """Draw utterances from data sets into one of their own, and the others into a second one."""
    from duovox.data.dataset.choice import Choice, choose
    from duovox.data.dataset.extract import extract
    from duovox.data.dataset.index import Index
    from duovox.data.dataset.write import ShardOptions

    index = Index.load(datasets)
    choice = Choice(by=by, share=share, hours=hours, count=count, is_balanced=balanced, seed=seed)
    chosen = choose(index, choice)
    options = ShardOptions(
        order=order,
        utterances_per_shard=utterances_per_shard,
        seed=seed,
        overwrite=overwrite,
        command=command_line(),
    )
    for folder, mask in ((out, chosen), (rest, ~chosen)):
        if folder is not None:
            with progress(f"writing {folder}", int(mask.sum())) as advance:
                summary, faults = extract(
                    index.select(mask),
                    folder,
                    name=folder.resolve().name,
                    options=options,
                    on_utterance=advance,
                )
            report(summary, faults, folder)
