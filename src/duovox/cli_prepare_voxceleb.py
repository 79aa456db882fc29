"""The subcommand `duovox prepare voxceleb`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from duovox.cli_option import Overwrite, PartText, PerShard, SkipSpaceCheck, shard_options
from duovox.cli_terminal import (
    Share,
    Workers,
    print_differences,
    print_faults,
    progress,
    report,
    say,
)
from duovox.data.corpus.voxceleb.person import CORPORA
from duovox.data.corpus.voxceleb.plan import Mode

if TYPE_CHECKING:
    from duovox.data.corpus.voxceleb.plan import Plan, SplitOptions
    from duovox.data.dataset.write import ShardOptions
    from duovox.data.trial.making import TrialOptions

Sources = Annotated[
    list[Path],
    typer.Argument(help="Zip archives, their parts (..._partaa), folders of either, or audio."),
]
Sets = Annotated[Path, typer.Option(help="Folder for train, val, test_o, ...")]
Meta = Annotated[Path, typer.Option(help="Folder with vox1_meta.csv and vox2_meta.csv.")]
Trials = Annotated[
    list[Path] | None, typer.Option(help="Test list; may be repeated. Makes a test set.")
]
Whose = Literal["voxceleb1", "voxceleb2", "both"]
Training = Annotated[Whose, typer.Option(help="Whose dev speakers.")]
Split = Annotated[Mode, typer.Option(help="Validation: the same speakers, or others.")]
ValidationShare = Annotated[
    float, typer.Option(min=0, max=0.5, help="Of each speaker's utterances (equal).")
]
ValidationSpeakers = Annotated[int, typer.Option(min=1, help="(different)")]
NumTrials = Annotated[
    int, typer.Option(min=2, help="Validation trials at most; half of them are targets.")
]
SameSession = Annotated[
    bool, typer.Option("--same-session", help="Allow target pairs from one recording.")
]
AcrossGender = Annotated[
    bool, typer.Option("--across-gender", help="Allow a woman and a man in a pair.")
]
Seed = Annotated[int, typer.Option(help="Of the split, the order and the trials.")]


def prepare_voxceleb(
    sources: Sources,
    out: Sets,
    meta: Meta,
    trials: Trials = None,
    train: Training = "voxceleb2",
    split: Split = "equal",
    validation_share: ValidationShare = 0.01,
    num_validation_speakers: ValidationSpeakers = 40,
    num_trials: NumTrials = 30_000,
    same_session: SameSession = False,
    across_gender: AcrossGender = False,
    utterances_per_shard: PerShard = 1000,
    seed: Seed = 1337,
    max_bad_share: Share = 0.01,
    overwrite: Overwrite = False,
    part: PartText = None,
    skip_space_check: SkipSpaceCheck = False,
    workers: Workers = 0,
) -> None:
    """Write VoxCeleb into shards, straight from its archives: training, validation, test lists."""
    shards = shard_options(
        utterances_per_shard=utterances_per_shard,
        max_bad_share=max_bad_share,
        overwrite=overwrite,
        skip_space_check=skip_space_check,
        workers=workers,
        part=part,
    )
    options = _split_options(
        train, split, validation_share, num_validation_speakers, same_session, seed
    )
    plan = _plan(sources, meta, trials or [], options, max_bad_share=max_bad_share)
    if part:
        _write_part(plan, out, replace(shards, seed=seed))
    else:
        _write_all(plan, out, replace(shards, seed=seed))
        _finish(plan, out, _trial_options(num_trials, same_session, across_gender, seed))


def _split_options(
    train: Whose, split: Mode, share: float, num_speakers: int, same_session: bool, seed: int
) -> SplitOptions:
    from duovox.data.corpus.voxceleb.plan import SplitOptions

    return SplitOptions(
        corpora=CORPORA if train == "both" else (train,),
        mode=split,
        validation_share=share,
        min_recordings=1 if same_session else 2,
        num_validation_speakers=num_speakers,
        seed=seed,
    )


def _trial_options(number: int, same_session: bool, across_gender: bool, seed: int) -> TrialOptions:
    from duovox.data.trial.making import TrialOptions

    return TrialOptions(
        most_targets=number // 2,
        most_nontargets=number // 2,
        seed=seed,
        same_session=same_session,
        across_gender=across_gender,
    )


def _plan(
    sources: list[Path],
    meta: Path,
    trials: list[Path],
    options: SplitOptions,
    *,
    max_bad_share: float,
) -> Plan:
    """List the sources and split them; say what is odd about them."""
    from duovox.data.corpus.voxceleb.listing import expand, find_utterances
    from duovox.data.corpus.voxceleb.person import read_people
    from duovox.data.corpus.voxceleb.plan import plan_sets
    from duovox.data.corpus.voxceleb.writing import official_differences
    from duovox.data.fault import check_share
    from duovox.data.trial.list import read_trials

    people, lists = read_people(meta), [read_trials(path) for path in trials]
    say(f"listing {', '.join(str(source) for source in expand(sources))}")
    utterances, faults = find_utterances(sources, people)
    print_faults(faults, len(faults))
    check_share(faults, len(utterances) + len(faults), max_bad_share, "see above")
    for difference in official_differences(utterances, people):
        say(difference, style="yellow")
    plan = plan_sets(utterances, people, lists, options)
    say(
        f"{len(utterances)} utterances: "
        + ", ".join(f"{len(rows)} for {name}" for name, rows in plan.sets.items())
        + f"; {plan.num_unused} for nothing"
    )
    return plan


def _write_part(plan: Plan, out: Path, options: ShardOptions) -> None:
    from duovox.data.corpus.voxceleb.writing import write_parts

    with progress(f"part {options.part} of {out}", None) as advance:
        left_out = write_parts(plan, out, options=options, on_utterance=advance)
    say(f"{out}: part {options.part} is written; {len(left_out)} utterances left out so far")
    say("when all parts are: the same command without --part")


def _write_all(plan: Plan, out: Path, options: ShardOptions) -> None:
    from duovox.data.corpus.voxceleb.writing import write_sets

    with progress(f"preparing {out}", sum(map(len, plan.sets.values()))) as advance:
        written = write_sets(plan, out, options=options, on_utterance=advance)
    for name, (summary, faults) in written.items():
        report(summary, faults, out / name)
        if name in plan.trials and (official := plan.trials[name].official_name):
            print_differences(summary, official)


def _finish(plan: Plan, out: Path, options: TrialOptions) -> None:
    """Draw the validation trials, and check the tests."""
    from duovox.data.corpus.voxceleb.writing import check_tests, draw_validation_trials

    drawn = draw_validation_trials(out, options)
    num_others = len(drawn) - drawn.num_targets
    say(f"{out}/{drawn.name}.txt: {drawn.num_targets} target and {num_others} non-target trials")
    for name, checked in check_tests(plan, out).items():
        trials = plan.trials[name]
        say(
            f"{out / name}: {trials.name} ({trials.known_as or 'no public list'}), {len(trials)} "
            f"trials between {checked.num_utterances} utterances of {checked.num_speakers} "
            "speakers; none of them is in training"
        )
        for warning in checked.warnings:
            say(f"warning: {warning}", style="yellow")
