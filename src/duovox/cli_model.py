"""The subcommands that use a trained model: evaluate, report, embed, verify."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from duovox.cli_decoder import DecoderFile, LexiconFile, LmFile
from duovox.cli_terminal import Workers, progress, say

if TYPE_CHECKING:
    from duovox.run.model import Model
    from duovox.run.settings import Option

Run = Annotated[Path, typer.Argument(help="The folder of a run.", show_default=False)]
Audio = Annotated[list[Path], typer.Argument(help="Audio files of any format.", show_default=False)]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...")]


def evaluate(
    run: Run,
    data: Annotated[Path, typer.Option(help="A dataset folder.", show_default=False)],
    trials: Annotated[Path | None, typer.Option(help="A trial list; scores speakers.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Of the results' folder; default: the data's.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1)] = 8,
    workers: Workers = 1,
    device: Device = "cpu",
    decoder: DecoderFile = None,
    lm: LmFile = None,
    lexicon: LexiconFile = None,
    store_logits: Annotated[
        bool, typer.Option("--store-logits", help="For `duovox decode` and `tune-decoder`.")
    ] = False,
) -> None:
    """Score a run's best checkpoint on any data."""
    from duovox.run.again import evaluate_again
    from duovox.run.decoder import chosen_decoder
    from duovox.run.report import results_table

    metrics, folder = evaluate_again(
        run,
        data,
        trials=trials,
        name=name,
        batch_size=batch_size,
        num_workers=workers,
        device=device,
        decoder=chosen_decoder(file=decoder, lm=lm, lexicon=lexicon),
        store_logits=store_logits,
    )
    Console(soft_wrap=True).print(results_table(metrics))
    say(f"results: {folder}")


def report(
    run: Annotated[
        Path, typer.Argument(help="The folder of a run, or of several.", show_default=False)
    ],
) -> None:
    """Write report.html and the plots of a run anew, or those that compare all runs in a folder."""
    from duovox.run.folder import CIRCUMSTANCES
    from duovox.run.report import write_report
    from duovox.run.report.run_folder import is_run
    from duovox.run.report.sweep import print_sweep, read_sweep, write_sweep_report

    if is_run(run):
        typer.echo(write_report(run))
        return
    runs = read_sweep(run, circumstances=CIRCUMSTANCES)
    print_sweep(runs, Console())
    typer.echo(write_sweep_report(run, runs))


def embed(
    run: Run,
    audio: Audio,
    out: Annotated[Path, typer.Option(help="A .npz file to write.", show_default=False)],
    device: Device = "cpu",
) -> None:
    """Write one unit-length embedding per file: arrays `paths` (B,) and `embeddings` (B, E)."""
    import numpy as np

    model = load_model(run, device)
    with progress("embedding", len(audio), "files") as advance:
        embeddings = replace(model, on_embedding=advance).embed(audio).numpy()
    out = out if out.suffix == ".npz" else out.with_name(f"{out.name}.npz")
    np.savez(out, paths=np.array([str(path) for path in audio]), embeddings=embeddings)
    typer.echo(f"{out}: {len(audio)} embeddings of width {embeddings.shape[1]}")


def verify(
    run: Run,
    first: Annotated[Path, typer.Argument(show_default=False)],
    second: Annotated[Path, typer.Argument(show_default=False)],
    threshold: Annotated[
        float | None, typer.Option(help="By default that of the run's test EER.")
    ] = None,
    device: Device = "cpu",
) -> None:
    """Say whether one person speaks in two files: the cosine score and the decision."""
    from duovox.run.weights import threshold_of

    score = load_model(run, device).verify(first, second)
    threshold = threshold_of(run) if threshold is None else threshold
    if threshold is None:
        typer.echo(f"score {score:.4f}")
    else:
        verdict = "same speaker" if score >= threshold else "different speakers"
        typer.echo(f"score {score:.4f}  threshold {threshold:.4f}  {verdict}")


def load_model(run: Path, device: str, decoder: Option | None = None) -> Model:
    """Return the model of a run; what it does to audio is told on the error stream."""
    from duovox.run.model import load

    def note(path: Path, text: str) -> None:
        typer.echo(f"{path}: {text}", err=True)

    return replace(load(run, device=device, decoder=decoder), on_note=note)
