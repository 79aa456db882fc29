"""The subcommands that look after data: `duovox shards` and `duovox trials`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from duovox.cli_terminal import (
    Share,
    Workers,
    command_line,
    print_differences,
    print_faults,
    progress,
    report,
    say,
)

shards = typer.Typer(no_args_is_help=True, help="Look after folders of shards.")
trials = typer.Typer(no_args_is_help=True, help="Make and check lists of verification trials.")

_Folder = Annotated[Path, typer.Argument(help="Folder with shards (*.tar).")]


@shards.command("verify")
def shards_verify(folder: _Folder, workers: Workers = 0) -> None:
    """Read everything again, compare it with index and checksums; exit code 1 on any fault."""
    from duovox.data.dataset.summary import DatasetSummary
    from duovox.data.dataset.verify import verify_dataset

    num_shards = len(DatasetSummary.load(folder).shards)
    with progress(f"verifying {folder}", num_shards, "shards") as advance:
        summary, faults = verify_dataset(
            folder, num_workers=workers, on_shard=lambda check: advance()
        )
    print_faults(faults, len(faults))
    if faults:
        raise typer.Exit(1)
    say(f"{folder}: {summary.num_utterances} utterances in {num_shards} shards, no fault")


@shards.command("index")
def shards_index(
    folder: _Folder,
    name: Annotated[
        str | None, typer.Option(help="Of the data set; default: the folder's.")
    ] = None,
    max_bad_share: Share = 0.01,
) -> None:
    """Make index.parquet and dataset.json for shards that another program wrote."""
    from duovox.data.dataset.indexing import index_shards

    with progress(f"indexing {folder}", _num_shards(folder), "shards") as advance:
        summary, faults = index_shards(
            folder,
            name=name,
            command=command_line(),
            max_bad_share=max_bad_share,
            on_shard=lambda scan: advance(),
        )
    report(summary, faults, folder)


@shards.command("merge")
def shards_merge(folder: _Folder, max_bad_share: Share = 0.01, workers: Workers = 0) -> None:
    """Make one data set of the shards that `duovox prepare ... --part i/n` wrote."""
    from duovox.data.dataset.finish import merge_parts

    with progress(f"merging {folder}", _num_shards(folder), "shards") as advance:
        summary, faults = merge_parts(
            folder,
            max_bad_share=max_bad_share,
            command=command_line(),
            num_workers=workers,
            on_shard=advance,
        )
    report(summary, faults, folder)


@shards.command("stats")
def shards_stats(
    folder: _Folder,
    audio: Annotated[
        bool, typer.Option("--audio", help="Also look for silence and clips.")
    ] = False,
    plots: Annotated[Path | None, typer.Option(help="Folder for histograms as PNG.")] = None,
    official: Annotated[
        str | None, typer.Option(help="Compare with this official set; default: by its name.")
    ] = None,
) -> None:
    """Print hours, speakers, lengths and characters; compare them with the official counts."""
    from duovox.data.dataset.index import Index
    from duovox.data.statistic.count import compute_statistics
    from duovox.data.statistic.loudness import measure_loudness
    from duovox.data.statistic.plot import plot_statistics
    from duovox.data.statistic.table import statistics_tables

    index = Index.load([folder])
    statistics, loudness = compute_statistics(index), None
    if audio:
        with progress(f"listening to {folder}", len(index)) as advance:
            loudness = measure_loudness(index, on_utterance=advance)
    for table in statistics_tables(statistics, loudness):
        Console().print(table)
    _compare(folder, official, statistics.num_words)
    for plot in plot_statistics(statistics, plots) if plots else ():
        say(f"wrote {plot}")


def _num_shards(folder: Path) -> int:
    return len([*folder.glob("*.tar")])


def _compare(folder: Path, official: str | None, num_words: int) -> None:
    """Compare with the official set of a name, or with those that the data set is a part of."""
    from duovox.data.corpus.librispeech.check import official_sets
    from duovox.data.corpus.official import is_known
    from duovox.data.dataset.summary import DatasetSummary

    summary, place = DatasetSummary.load(folder), folder.resolve()
    wholes = [] if official else list(official_sets(place.parent, [place.name]))
    for name, whole, words in wholes:
        print_differences(whole, name, num_words=words)
    name = official or summary.name
    if not wholes and (official or is_known(name)):
        print_differences(summary, name, num_words=num_words)


@trials.command("make")
def trials_make(
    dataset: Annotated[list[Path], typer.Argument(help="Data set folders.")],
    out: Annotated[Path, typer.Option(help="The list to write, in VoxCeleb's form.")],
    num_targets: Annotated[
        int | None, typer.Option(min=1, help="Pairs of one speaker; default: all, up to 1000.")
    ] = None,
    num_nontargets: Annotated[
        int | None, typer.Option(min=1, help="Pairs of two speakers; default: all, up to 4000.")
    ] = None,
    seed: int = 0,
    same_session: Annotated[
        bool, typer.Option("--same-session", help="Allow target pairs from one recording.")
    ] = False,
    across_gender: Annotated[
        bool, typer.Option("--across-gender", help="Allow a woman and a man in a pair.")
    ] = False,
) -> None:
    """Draw a trial list from data sets."""
    from duovox.data.dataset.index import Index
    from duovox.data.trial.list import write_trials
    from duovox.data.trial.making import TrialOptions, make_trials

    options = TrialOptions(
        num_targets=num_targets,
        num_nontargets=num_nontargets,
        seed=seed,
        same_session=same_session,
        across_gender=across_gender,
    )
    drawn = make_trials(Index.load(dataset), options, name=out.stem)
    write_trials(drawn, out)
    num_others = len(drawn) - drawn.num_targets
    say(f"wrote {out}: {drawn.num_targets} target and {num_others} non-target trials")


@trials.command("check")
def trials_check(
    file: Annotated[Path, typer.Argument(help="Trial list in VoxCeleb's or Kaldi's form.")],
    data: Annotated[list[Path], typer.Option(help="Data set with its audio; may be repeated.")],
    train: Annotated[
        list[Path] | None, typer.Option(help="Training set, whose speakers must not be here.")
    ] = None,
) -> None:
    """Check that a trial list has its audio, tells the truth, and tests unseen speakers."""
    from duovox.data.dataset.index import Index
    from duovox.data.trial.check import check_trials
    from duovox.data.trial.list import read_trials

    listed = read_trials(file)
    speakers = Index.load(train).speaker_id.codes()[1] if train else ()
    report = check_trials(listed, Index.load(data), training_speakers=speakers)
    say(
        f"{file} ({listed.known_as or 'no public list'}): {report.num_targets} target and "
        f"{report.num_nontargets} non-target trials between {report.num_utterances} utterances "
        f"of {report.num_speakers} speakers"
    )
    for warning in report.warnings:
        say(f"warning: {warning}", style="yellow")
