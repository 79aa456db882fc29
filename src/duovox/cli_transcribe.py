"""The subcommand that says what is said, in files and folders of any size."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from duovox.cli_decoder import DecoderFile, LexiconFile, LmFile
from duovox.cli_model import Device, Run, load_model
from duovox.cli_terminal import progress

if TYPE_CHECKING:
    from duovox.run.recognition.transcript import Transcript

Audio = Annotated[
    list[Path],
    typer.Argument(help="Audio files of any format and length, or folders.", show_default=False),
]
_TOLD_FROM_SECONDS = 60  # of audio: below, its speed says nothing


def transcribe(
    run: Run,
    audio: Audio,
    times: Annotated[
        bool, typer.Option("--times", help="One line per word: path, start, stop, word.")
    ] = False,
    batch_size: Annotated[int, typer.Option(min=1, help="Windows heard at once.")] = 8,
    window_seconds: Annotated[float, typer.Option(help="Longer audio is cut.")] = 30.0,
    context_seconds: Annotated[
        float, typer.Option(help="Heard on either side of what a window answers for.")
    ] = 3.0,
    device: Device = "cpu",
    decoder: DecoderFile = None,
    lm: LmFile = None,
    lexicon: LexiconFile = None,
) -> None:
    """Say what is said: one line per file, path and text with a tab between."""
    from dataclasses import replace

    from duovox.run.decoder import chosen_decoder
    from duovox.run.recognition.finding import find_audio
    from duovox.run.recognition.window import Windowing

    windowing = Windowing(seconds=window_seconds, context_seconds=context_seconds)
    chosen = chosen_decoder(file=decoder, lm=lm, lexicon=lexicon)
    model = replace(load_model(run, device, chosen), batch_size=batch_size, windowing=windowing)
    started, seconds, faults = time.monotonic(), 0.0, 0
    with _showing(files := find_audio(audio)) as advance:
        for transcript in model.transcripts(files, with_times=times):
            seconds += transcript.seconds
            faults += transcript.fault is not None
            _say(transcript, times=times)
            advance()
    _tell_speed(seconds, time.monotonic() - started)
    if faults:
        raise typer.Exit(1)


def _showing(files: Sequence[Path]) -> AbstractContextManager[Callable[[], object]]:
    """Show how far transcribing several files is, unless a terminal shows the transcripts."""
    if len(files) == 1 or sys.stdout.isatty():
        return nullcontext(lambda: None)
    return progress("transcribing", len(files), "files")


def _say(transcript: Transcript, *, times: bool) -> None:
    if transcript.fault is not None:
        typer.secho(f"error: {transcript.fault}", err=True, fg="red")
    elif not times:
        typer.echo(f"{transcript.path}\t{transcript.text}")
    for word in transcript.words:
        span = f"{word.start_seconds:.2f}\t{word.stop_seconds:.2f}"
        typer.echo(f"{transcript.path}\t{span}\t{word.word}")


def _tell_speed(seconds: float, took: float) -> None:
    if seconds >= _TOLD_FROM_SECONDS:
        typer.echo(
            f"{seconds:,.0f} s of audio in {took:,.1f} s: real-time factor {took / seconds:.4f}",
            err=True,
        )
