"""The options that the subcommands of `duovox prepare` share, and what they do with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from duovox.cli_terminal import command_line, progress, report, say

if TYPE_CHECKING:
    from duovox.data.dataset.write import ShardOptions
    from duovox.data.utterance import Utterance

Out = Annotated[Path, typer.Option(help="Folder for the shards.")]
Name = Annotated[str | None, typer.Option(help="Of the data set; default: the folder's.")]
PerShard = Annotated[int, typer.Option("--utterances-per-shard", min=1)]
Seed = Annotated[int, typer.Option(help="Of the order `mixed`.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a data set.")]
PartText = Annotated[
    str | None,
    typer.Option(
        "--part",
        metavar="I/N",
        help="Write every n-th shard only; the command without --part joins all parts.",
    ),
]
SkipSpaceCheck = Annotated[
    bool, typer.Option("--skip-space-check", help="Begin even if the disk seems too small.")
]


def shard_options(
    *,
    utterances_per_shard: int,
    max_bad_share: float,
    overwrite: bool,
    skip_space_check: bool,
    workers: int,
    part: str | None = None,
) -> ShardOptions:
    """Return the options that all subcommands have."""
    from duovox.data.dataset.part import Part
    from duovox.data.dataset.write import ShardOptions

    return ShardOptions(
        utterances_per_shard=utterances_per_shard,
        max_bad_share=max_bad_share,
        overwrite=overwrite,
        check_space=not skip_space_check,
        num_workers=workers,
        part=Part.parse(part) if part else None,
        command=command_line(),
    )


def write_and_report(
    utterances: Sequence[Utterance], out: Path, *, name: str | None, options: ShardOptions
) -> None:
    """Write a data set, or the part of it that the options name, and say what came of it."""
    from duovox.data.dataset.write import write_dataset, write_part, written_before

    name = name or out.resolve().name
    if summary := written_before(utterances, out, name=name, options=options):
        say(f"{out} was finished before, from the same input; --overwrite makes it anew")
        report(summary, [], out)
        return
    if options.part:
        about = round(len(utterances) / options.part.count)
        with progress(f"part {options.part} of {out}", about) as advance:
            left_out = write_part(utterances, out, name=name, options=options, on_utterance=advance)
        say(f"{out}: part {options.part} is written; {len(left_out)} utterances left out so far")
        say(f"when all parts are: duovox shards merge {out}")
        return
    with progress(f"preparing {out}", len(utterances)) as advance:
        summary, faults = write_dataset(
            utterances, out, name=name, options=options, on_utterance=advance
        )
    report(summary, faults, out)
    if escaped := sum("%" in utterance.key for utterance in utterances):
        say(f"{escaped} keys hold odd characters, written as %XX (a dot is %2E)")
