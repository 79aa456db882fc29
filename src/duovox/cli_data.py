"""The subcommands around data: `duovox prepare`, `duovox shards`, `duovox trials`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from duovox.data.order import Order

if TYPE_CHECKING:
    from duovox.data.dataset import DatasetSummary
    from duovox.data.fault import Fault

prepare = typer.Typer(no_args_is_help=True, help="Turn a corpus into shards with an index.")
shards = typer.Typer(no_args_is_help=True, help="Look after folders of shards.")
trials = typer.Typer(no_args_is_help=True, help="Make and check lists of verification trials.")

_NUM_LISTED = 20  # faults on the terminal; files list all
_Folder = Annotated[Path, typer.Argument(help="Folder with shards (*.tar).")]
_Workers = Annotated[int, typer.Option("--workers", min=0, help="Processes; 0: only this one.")]
_Share = Annotated[
    float, typer.Option(min=0, max=1, help="Share of bad utterances from which to give up.")
]


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
    max_bad_share: _Share = 0.01,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a data set.")] = False,
    workers: _Workers = 0,
) -> None:
    """Write the utterances of a manifest into shards: 16 kHz, mono, FLAC."""
    from duovox.data.corpus.manifest import find_utterances
    from duovox.data.shard import ShardOptions, write_dataset

    options = ShardOptions(
        order=order,
        utterances_per_shard=utterances_per_shard,
        seed=seed,
        max_bad_share=max_bad_share,
        overwrite=overwrite,
        num_workers=workers,
        command=_command(),
    )
    utterances = find_utterances(path, data_root=data_root)
    with _progress(f"preparing {out}", len(utterances)) as advance:
        summary, faults = write_dataset(
            utterances, out, name=name or out.resolve().name, options=options, on_utterance=advance
        )
    _report(summary, faults, out)
    if escaped := sum("%" in utterance.key for utterance in utterances):
        _print(f"{escaped} keys hold odd characters, written as %XX (a dot is %2E)")


@prepare.command("demo")
def prepare_demo(
    out: Annotated[Path, typer.Option(help="Folder for audio, manifests and shards.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same corpus.")] = 0,
    utterances_per_voice: Annotated[int, typer.Option(min=4)] = 20,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Make it anew.")] = False,
) -> None:
    """Synthesise a small corpus of many voices, for people who have no data yet."""
    from duovox.data.corpus.demo import make_demo
    from duovox.data.dataset import DATASET_FILE, DatasetSummary

    found = [DatasetSummary.load(path.parent) for path in out.glob(f"*/{DATASET_FILE}")]
    is_demo = all(summary.command == "duovox prepare demo" for summary in found)
    if is_demo and len(found) == 3 and not overwrite:
        _print(f"{out} holds the demo corpus already; --overwrite makes it anew")
        return
    with _progress(f"synthesising {out}", None) as advance:
        summaries = make_demo(
            out,
            seed=seed,
            utterances_per_voice=utterances_per_voice,
            overwrite=overwrite or is_demo,  # part of the corpus is no corpus
            on_utterance=advance,
        )
    for split, summary in summaries.items():
        _report(summary, [], out / split)


@shards.command("verify")
def shards_verify(folder: _Folder, workers: _Workers = 0) -> None:
    """Read everything again, compare it with index and checksums; exit code 1 on any fault."""
    from duovox.data.dataset import DatasetSummary
    from duovox.data.verify import verify_dataset

    num_shards = len(DatasetSummary.load(folder).shards)
    with _progress(f"verifying {folder}", num_shards) as advance:
        summary, faults = verify_dataset(
            folder, num_workers=workers, on_shard=lambda check: advance()
        )
    _print_faults(faults, len(faults))
    if faults:
        raise typer.Exit(1)
    _print(f"{folder}: {summary.num_utterances} utterances in {num_shards} shards, no fault")


@shards.command("index")
def shards_index(
    folder: _Folder,
    name: Annotated[
        str | None, typer.Option(help="Of the data set; default: the folder's.")
    ] = None,
    max_bad_share: _Share = 0.01,
) -> None:
    """Make index.parquet and dataset.json for shards that another program wrote."""
    from duovox.data.indexing import index_shards

    with _progress(f"indexing {folder}", len([*folder.glob("*.tar")])) as advance:
        summary, faults = index_shards(
            folder,
            name=name,
            command=_command(),
            max_bad_share=max_bad_share,
            on_shard=lambda scan: advance(),
        )
    _report(summary, faults, folder)


@shards.command("stats")
def shards_stats(
    folder: _Folder,
    audio: Annotated[
        bool, typer.Option("--audio", help="Also look for silence and clips.")
    ] = False,
    plots: Annotated[Path | None, typer.Option(help="Folder for histograms as PNG.")] = None,
) -> None:
    """Print hours, speakers, lengths and characters of a data set."""
    from duovox.data.index import Index
    from duovox.data.loudness import measure_loudness
    from duovox.data.statistics import compute_statistics
    from duovox.data.statistics_plot import plot_statistics
    from duovox.data.statistics_table import statistics_tables

    index = Index.load([folder])
    statistics, loudness = compute_statistics(index), None
    if audio:
        with _progress(f"listening to {folder}", len(index)) as advance:
            loudness = measure_loudness(index, on_utterance=advance)
    for table in statistics_tables(statistics, loudness):
        Console().print(table)
    for plot in plot_statistics(statistics, plots) if plots else ():
        _print(f"wrote {plot}")


@trials.command("make")
def trials_make(
    dataset: Annotated[list[Path], typer.Argument(help="Data set folders.")],
    out: Annotated[Path, typer.Option(help="The list to write, in VoxCeleb's form.")],
    num_targets: Annotated[int, typer.Option(min=1, help="Pairs of one speaker.")] = 1000,
    num_nontargets: Annotated[int, typer.Option(min=1, help="Pairs of two speakers.")] = 1000,
    seed: int = 0,
    same_session: Annotated[
        bool, typer.Option("--same-session", help="Allow target pairs from one recording.")
    ] = False,
    across_gender: Annotated[
        bool, typer.Option("--across-gender", help="Allow a woman and a man in a pair.")
    ] = False,
) -> None:
    """Draw a trial list from data sets."""
    from duovox.data.index import Index
    from duovox.data.trial import write_trials
    from duovox.data.trial_making import TrialOptions, make_trials

    options = TrialOptions(
        num_targets=num_targets,
        num_nontargets=num_nontargets,
        seed=seed,
        same_session=same_session,
        across_gender=across_gender,
    )
    drawn = make_trials(Index.load(dataset), options, name=out.stem)
    write_trials(drawn, out)
    _print(f"wrote {out}: {drawn.num_targets} target and {num_nontargets} non-target trials")


@trials.command("check")
def trials_check(
    file: Annotated[Path, typer.Argument(help="Trial list in VoxCeleb's or Kaldi's form.")],
    data: Annotated[list[Path], typer.Option(help="Data set with its audio; may be repeated.")],
    train: Annotated[
        list[Path] | None, typer.Option(help="Training set, whose speakers must not be here.")
    ] = None,
) -> None:
    """Check that a trial list has its audio, tells the truth, and tests unseen speakers."""
    from duovox.data.index import Index
    from duovox.data.trial import read_trials
    from duovox.data.trial_check import check_trials

    listed = read_trials(file)
    speakers = Index.load(train).speaker_id.codes()[1] if train else ()
    report = check_trials(listed, Index.load(data), training_speakers=speakers)
    _print(
        f"{file} ({listed.known_as or 'no public list'}): {report.num_targets} target and "
        f"{report.num_nontargets} non-target trials between {report.num_utterances} utterances "
        f"of {report.num_speakers} speakers"
    )
    for warning in report.warnings:
        _print(f"warning: {warning}", style="yellow")


def _command() -> str:
    """Return the command line, to be recorded with what it made."""
    return shlex.join(["duovox", *sys.argv[1:]])


@contextmanager
def _progress(description: str, total: int | None) -> Iterator[Callable[[], object]]:
    """Show a bar with rate and remaining time on stderr; give the function that advances it."""
    from rich.progress import Progress, ProgressColumn, Task
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.0f}/s" if task.speed else "")

    columns = (*Progress.get_default_columns(), Rate())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total)
        yield lambda: bar.advance(task)


def _report(summary: DatasetSummary, faults: Sequence[Fault], folder: Path) -> None:
    _print(
        f"{folder}: {summary.num_utterances} utterances, {summary.hours:.2f} hours, "
        f"{summary.num_speakers} speakers, {len(summary.shards)} shards, "
        f"{len(summary.vocabulary)} characters"
    )
    _print_faults(faults, _NUM_LISTED)


def _print_faults(faults: Sequence[Fault], number: int) -> None:
    from duovox.data.fault import count_causes

    for fault in faults[:number]:
        _print(str(fault), style="yellow")
    if faults:
        causes = ", ".join(f"{count} {cause}" for cause, count in count_causes(faults).items())
        _print(f"{len(faults)} faults: {causes}", style="red")


def _print(text: str, *, style: str | None = None) -> None:
    Console(soft_wrap=True).print(text, style=style, markup=False, highlight=False)
