"""Write the planned sets of VoxCeleb into folders, draw validation trials, and check the tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from duovox.data.corpus.official import OfficialCounts, compare_counts
from duovox.data.corpus.voxceleb.person import Person
from duovox.data.corpus.voxceleb.plan import TRAIN, VALIDATION, Plan
from duovox.data.dataset.index import Index
from duovox.data.dataset.log import tidy
from duovox.data.dataset.space import check_space, expected_bytes, written_bytes
from duovox.data.dataset.summary import DATASET_FILE, DatasetSummary
from duovox.data.dataset.write import ShardOptions, write_dataset, write_part
from duovox.data.fault import Fault
from duovox.data.trial.check import TrialReport, check_trials
from duovox.data.trial.list import TrialList, write_trials
from duovox.data.trial.making import TrialOptions, make_trials
from duovox.data.utterance import Utterance

VALIDATION_TRIALS_FILE = "val_trials.txt"


def write_sets(
    plan: Plan,
    out: Path,
    *,
    options: ShardOptions,
    on_utterance: Callable[[], object] = lambda: None,
) -> dict[str, tuple[DatasetSummary, list[Fault]]]:
    """Write `out/train`, `out/val`, ...; return summary and left-out utterances by name.

    A set that is finished and holds just these utterances is left as it is. There must be space for
    all others before the first of them is begun.

    Raises:
        ValueError: as `write_dataset`.
    """
    written: dict[str, tuple[DatasetSummary, list[Fault]]] = {}
    if not options.overwrite:
        written = {name: (summary, []) for name, summary in _finished_sets(plan, out)}
    todo = {name: rows for name, rows in plan.sets.items() if name not in written}
    for _ in range(sum(len(plan.sets[name]) for name in written)):
        on_utterance()
    options = _with_space(todo, out, options)
    for name, utterances in todo.items():
        written[name] = write_dataset(
            utterances, out / name, name=name, options=options, on_utterance=on_utterance
        )
    return {name: written[name] for name in plan.sets}


def write_parts(
    plan: Plan,
    out: Path,
    *,
    options: ShardOptions,
    on_utterance: Callable[[], object] = lambda: None,
) -> list[Fault]:
    """Write one part of every unfinished set; `write_sets` merges them in the end."""
    finished = {name for name, _ in _finished_sets(plan, out)}
    todo = {name: rows for name, rows in plan.sets.items() if name not in finished}
    options = _with_space(todo, out, options)
    return [
        fault
        for name, utterances in todo.items()
        for fault in write_part(
            utterances, out / name, name=name, options=options, on_utterance=on_utterance
        )
    ]


def draw_validation_trials(out: Path, options: TrialOptions) -> TrialList:
    """Write `val_trials.txt` beside the validation set.

    Raises:
        ValueError: the set does not hold such pairs.
    """
    path = out / VALIDATION_TRIALS_FILE
    trials = make_trials(Index.load([out / VALIDATION]), options, name=path.stem)
    write_trials(trials, path)
    return trials


def check_tests(plan: Plan, out: Path) -> dict[str, TrialReport]:
    """Hold every test list against its audio and against the speakers in the training shards.

    Raises:
        ValueError: audio is missing, a label is wrong, or a speaker was trained on.
    """
    trained = Index.load([out / TRAIN]).speaker_id.codes()[1]
    return {
        name: check_trials(trials, Index.load([out / name]), training_speakers=trained)
        for name, trials in plan.trials.items()
    }


def official_differences(
    utterances: Sequence[Utterance], people: Mapping[str, Person]
) -> list[str]:
    """Say how the portions of VoxCeleb in the sources differ from what was published."""
    speakers: dict[str, list[str]] = defaultdict(list)
    for utterance in utterances:
        person = people[utterance.speaker_id]
        speakers[f"{person.corpus}-{person.portion}"].append(person.speaker_id)
    return [
        difference
        for name, found in sorted(speakers.items())
        for difference in compare_counts(
            OfficialCounts(num_utterances=len(found), num_speakers=len(set(found))), name
        )
    ]


def _with_space(
    sets: Mapping[str, Sequence[Utterance]], out: Path, options: ShardOptions
) -> ShardOptions:
    """Return the options for writing these sets one by one, if all of them fit on the disk."""
    if options.check_space:
        out.mkdir(parents=True, exist_ok=True)
        needed = [
            expected_bytes(rows, audio_format=options.audio_format) - written_bytes(out / name)
            for name, rows in sets.items()
        ]
        check_space(out, sum(needed))
    return replace(options, check_space=False)


def _finished_sets(plan: Plan, out: Path) -> Iterator[tuple[str, DatasetSummary]]:
    """Yield the finished sets, and their summaries, that hold just what is planned."""
    for name, utterances in plan.sets.items():
        if summary := _finished(out / name, utterances):
            yield name, summary


def _finished(folder: Path, utterances: Sequence[Utterance]) -> DatasetSummary | None:
    """Return the summary of a finished set of just these utterances."""
    if not (folder / DATASET_FILE).is_file():
        return None
    summary, planned = DatasetSummary.load(folder), {one.key for one in utterances}
    found = set(Index.load([folder]).key)
    is_whole = len(found) + sum(summary.left_out.values()) == len(planned) and found <= planned
    if not is_whole:
        return None
    tidy(folder)
    return summary
