"""The subcommands around decoding with a language model: decode, tune-decoder, ngram."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from duovox.cli_terminal import Workers, progress, say

if TYPE_CHECKING:
    from duovox.run.tune_decoder import Trial

DecoderFile = Annotated[
    Path | None, typer.Option("--decoder", help="A decoder.yaml, in place of the run's decoder.")
]
LmFile = Annotated[
    Path | None, typer.Option("--lm", help="An n-gram: ARPA text, .gz too, or KenLM's binary.")
]
LexiconFile = Annotated[
    Path | None, typer.Option(help="The words of --lm; without, it is one of symbols.")
]
Processes = Annotated[int | None, typer.Option(min=1, help="All cores by default.")]
Range = tuple[float, float]


def decode(
    logits: Annotated[Path, typer.Argument(help="What --store-logits wrote.", show_default=False)],
    out: Annotated[Path, typer.Option(help="A folder for the results.", show_default=False)],
    decoder: DecoderFile = None,
    lm: LmFile = None,
    lexicon: LexiconFile = None,
    processes: Processes = None,
) -> None:
    """Decode stored logits, without the network: greedily, or with a language model."""
    from duovox.run.decoder import chosen_decoder
    from duovox.run.logits import read_logits
    from duovox.run.redecode import decode_stored
    from duovox.run.report import results_table

    option = chosen_decoder(file=decoder, lm=lm, lexicon=lexicon)
    stored = read_logits(logits)
    with progress("decoding", len(stored.logits)) as advance:
        metrics = decode_stored(
            stored,
            option,
            out,
            source=logits,
            num_processes=processes,
            on_text=advance,
        )
    Console(soft_wrap=True).print(results_table(metrics))
    say(f"results: {out}")


def tune_decoder(
    source: Annotated[
        Path, typer.Argument(help="The folder of a run, or stored logits.", show_default=False)
    ],
    data: Annotated[
        Path | None, typer.Option(help="A dataset folder that no test score comes from.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Of the results' folder; default: the data's.")
    ] = None,
    decoder: DecoderFile = None,
    lm: LmFile = None,
    lexicon: LexiconFile = None,
    out: Annotated[Path | None, typer.Option(help="A folder; default: beside the logits.")] = None,
    lm_weights: Annotated[Range, typer.Option(help="Smallest and largest.")] = (0.0, 5.0),
    word_scores: Annotated[Range, typer.Option(help="The same; of a lexicon's words.")] = (
        -5.0,
        5.0,
    ),
    points: Annotated[int, typer.Option(min=2, help="Along each side of the first grid.")] = 6,
    rounds: Annotated[int, typer.Option(min=1, help="Each halves the grid, at the best.")] = 3,
    beam_size: Annotated[
        list[int] | None, typer.Option(min=1, help="To try at last; may be given several times.")
    ] = None,
    processes: Processes = None,
    workers: Workers = 1,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...")] = "cpu",
) -> None:
    """Search the weights of a decoder with a language model, and write the best as decoder.yaml."""
    from duovox.run import tune_decoder as tuning
    from duovox.run.decoder import chosen_decoder
    from duovox.run.logits import read_logits

    option = chosen_decoder(file=decoder, lm=lm, lexicon=lexicon)
    if option is None:
        raise ValueError("there is nothing to tune without a language model: give --lm")
    grid = tuning.Grid(
        lm_weights=lm_weights,
        word_scores=word_scores if option.get("lexicon") else (0.0, 0.0),
        num_points=points,
        num_rounds=rounds,
        beam_sizes=tuple(beam_size or ()),
    )
    logits = _logits(source, data, name, device, workers)
    with progress("tuning", grid.most_trials, "trials") as advance:
        trials = tuning.tune_decoder(
            read_logits(logits),
            option,
            grid=grid,
            num_processes=processes,
            on_trial=lambda trial: advance(),
        )
    _show(trials)
    say(f"decoder: {tuning.write_tuned(out or logits.parent, option, trials)}")


def ngram(
    sources: Annotated[
        list[Path],
        typer.Argument(help="Data set folders, or texts with a sentence per line; .gz is fine."),
    ],
    out: Annotated[Path, typer.Option(help="An ARPA file, packed if it ends with .gz.")],
    lexicon: Annotated[Path | None, typer.Option(help="A file for the words.")] = None,
    order: Annotated[int, typer.Option(min=2, max=6, help="Words or symbols of an n-gram.")] = 4,
    symbols: Annotated[
        bool, typer.Option("--symbols", help="Of symbols, not words; it needs no lexicon.")
    ] = False,
) -> None:
    """Estimate a language model from transcripts and texts (Witten-Bell, interpolated)."""
    from duovox.run.ngram import write_ngram

    num_sentences, num_words = write_ngram(
        sources, out, order=order, of_symbols=symbols, lexicon=lexicon
    )
    say(f"{out}: {num_sentences} sentences, {num_words} different words")


def _logits(
    source: Path, data: Path | None, name: str | None, device: str, num_workers: int
) -> Path:
    """Return the stored logits: those given, or of a run on some data."""
    if source.is_file():
        return source
    if data is None:
        raise ValueError(f"give the data to tune {source} on (--data), or stored logits")
    from duovox.run.again import evaluate_again

    _, folder = evaluate_again(
        source, data, name=name, num_workers=num_workers, device=device, store_logits=True
    )
    return folder / "logits" / f"{data.resolve().name}.npz"


def _show(trials: list[Trial]) -> None:
    """Print the best few."""
    from rich.table import Table

    table = Table("lm_weight", "word_score", "beam_size", "WER %", "CER %")
    for one in trials[:5]:
        rates = f"{100 * one.wer:.2f}", f"{100 * one.cer:.2f}"
        table.add_row(f"{one.lm_weight:g}", f"{one.word_score:g}", str(one.beam_size), *rates)
    Console().print(table)
