"""The subcommand that carries weights from one format into another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from duovox.cli_terminal import say

if TYPE_CHECKING:
    from duovox.run.convert import Conversion

_NUM_LISTED = 3  # tensors that are left out


def convert(
    source: Annotated[
        str,
        typer.Argument(
            help="A run, a Hugging Face folder or hub id, a .pt of fairseq, a .ckpt of nano.",
            show_default=False,
        ),
    ],
    target: Annotated[
        Path,
        typer.Argument(help="A new folder; for fairseq a new .pt file.", show_default=False),
    ],
    to: Annotated[Literal["duovox", "huggingface", "fairseq"], typer.Option(show_default=False)],
    trust: Annotated[
        bool, typer.Option("--trust", help="Read a pickle that names code; none of it is run.")
    ] = False,
    vocabulary: Annotated[
        Path | None,
        typer.Option(help="Symbols of a CTC head: dict.ltr.txt, vocab.json, or one per line."),
    ] = None,
) -> None:
    """Carry weights from one format into another, and compare what both make of the same audio."""
    from duovox.run.convert import convert

    conversion = convert(source, target, to=to, trust=trust, vocabulary=vocabulary)
    _report(conversion, target, to)


def _report(conversion: Conversion, target: Path, to: str) -> None:
    checkpoint = conversion.checkpoint
    kind = "backbone"
    if checkpoint.quantization is not None:
        kind = "pre-training network"
    elif checkpoint.vocabulary is not None:
        kind = f"speech recogniser of {len(checkpoint.vocabulary)} symbols"
    number = sum(tensor.numel() for tensor in checkpoint.state.values())
    say(f"{target}: {kind} for {to}, {number:,} weights, the same to the bit when read again")
    if names := checkpoint.left_out:
        more = f" and {len(names) - _NUM_LISTED} more" if len(names) > _NUM_LISTED else ""
        listed = ", ".join(names[:_NUM_LISTED]) + more
        say(f"left out, for it belongs to no such network: {listed}", style="yellow")
    for setting in conversion.lost:
        say(f"lost, for {to} has no setting like it: {setting}", style="yellow")
    differences = ", ".join(f"{n} {size:.2g}" for n, size in conversion.differences.items())
    say(f"largest difference on one second of fixed audio: {differences}")
