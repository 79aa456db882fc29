"""The command `duovox`: every subcommand is one call into a room.

A mistake of the user ends in a red sentence and exit code 1, wrong usage in exit code 2; `--debug`
(or DUOVOX_DEBUG=1) shows where it came from. Subcommands import what they need when they run, so
that `duovox --help` is quick.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from duovox import (
    cli_compare,
    cli_convert,
    cli_data,
    cli_decoder,
    cli_model,
    cli_prepare,
    cli_score,
    cli_split,
    cli_transcribe,
)


class PoliteGroup(TyperGroup):
    """Say what a user can mend in a sentence instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; turn ValueError and OSError into a message and exit code 1."""
        try:
            return super().invoke(ctx)
        except (ValueError, OSError) as error:
            if ctx.params.get("debug"):
                raise
            from duovox.run.sentence import sentence

            Console(stderr=True, soft_wrap=True).print(
                f"error: {sentence(error)}", style="red", markup=False, highlight=False
            )
            ctx.exit(1)


app = typer.Typer(
    cls=PoliteGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Multi-task speech and speaker learning with wav2vec 2.0.",
)
app.add_typer(cli_prepare.prepare, name="prepare")
app.add_typer(cli_data.shards, name="shards")
app.add_typer(cli_data.trials, name="trials")
app.command()(cli_split.split)
app.command()(cli_convert.convert)
app.command()(cli_transcribe.transcribe)
app.command()(cli_compare.compare)
for command in ("evaluate", "report", "embed", "verify"):
    app.command()(getattr(cli_model, command))
for command in ("score", "calibrate", "fuse"):
    app.command()(getattr(cli_score, command))
for command in ("decode", "tune_decoder", "ngram"):
    app.command()(getattr(cli_decoder, command))


@app.callback()
def options(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="DUOVOX_DEBUG", help="Show tracebacks.")
    ] = False,
) -> None:
    """Multi-task speech and speaker learning with wav2vec 2.0: what is said, and who says it."""


def main() -> None:
    """Run the command line."""
    app(prog_name="duovox")
