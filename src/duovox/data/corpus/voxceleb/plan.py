"""Decide which utterances of VoxCeleb are for training, validation and each test list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, get_args

from duovox.data.corpus.voxceleb.person import CORPORA, Corpus, Person
from duovox.data.corpus.voxceleb.split import Halves, hold_out_recordings, hold_out_speakers
from duovox.data.listing import listing
from duovox.data.trial.list import TrialList
from duovox.data.utterance import Utterance

Mode = Literal["equal", "different"]
TRAIN, VALIDATION = "train", "val"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOptions:
    """Who is trained on, and what is set aside for validation."""

    corpora: tuple[Corpus, ...] = ("voxceleb2",)  # whose dev speakers are trained on
    mode: Mode = "equal"  # validation by other recordings of the same speakers, or "different" ones
    validation_share: float = 0.01  # of each speaker's utterances, in mode "equal"
    min_recordings: int = 2  # of each speaker, in mode "equal"; 1 only suffices for same-session
    num_validation_speakers: int = 40  # in mode "different"
    seed: int = 1337

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise ValueError(f"the split must be equal or different, got {self.mode!r}")
        if not self.corpora or set(self.corpora) - set(CORPORA):
            raise ValueError(f"training corpora must be of {CORPORA}, got {self.corpora}")
        if not 0 <= self.validation_share < 1:
            raise ValueError(f"the validation share must be in [0, 1), got {self.validation_share}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The data sets by name ("train", "val", "test_o", ...), and the trials of the tests."""

    sets: Mapping[str, Sequence[Utterance]]
    trials: Mapping[str, TrialList]
    num_unused: int  # utterances in no set

    @property
    def training_speakers(self) -> set[str]:
        """Ids of those who are trained on."""
        return {utterance.speaker_id for utterance in self.sets[TRAIN]}


def plan_sets(
    utterances: Sequence[Utterance],
    people: Mapping[str, Person],
    trials: Sequence[TrialList],
    options: SplitOptions,
) -> Plan:
    """Give every speaker of a trial list to the tests alone, and split the others.

    Raises:
        ValueError: a trial lacks its audio, two lists have the same name, or nobody is left to
            train on.
    """
    lists = {set_name(one): one for one in trials}
    if len(lists) < len(trials):
        raise ValueError(
            f"two of these trial lists would make the same test set:"
            f"{listing([f'{one.name}: {set_name(one)}' for one in trials])}"
        )
    tests = {name: _tested(utterances, one) for name, one in lists.items()}
    tested = {one.speaker_id for rows in tests.values() for one in rows}
    pool = [one for one in utterances if _is_for_training(one, people, tested, options)]
    if not pool:
        raise ValueError(
            f"nobody is left to train on: the sources hold no dev speaker of "
            f"{' and '.join(options.corpora)} who is in no trial list ({', '.join(lists)}). "
            "VoxCeleb1's lists E and H test all its speakers: train on voxceleb2 (--train), or "
            "leave these lists out"
        )
    train, validation = _split(pool, options)
    if not validation:
        raise ValueError(
            "the validation set would be empty, as every speaker has a single recording: give more "
            "of the archives, or choose other speakers for validation (--split different)"
        )
    sets = {TRAIN: train, VALIDATION: validation, **tests}
    used = {one.key for rows in sets.values() for one in rows}
    return Plan(sets=sets, trials=lists, num_unused=len(utterances) - len(used))


def set_name(trials: TrialList) -> str:
    """Name the test set of a list: `test_o` for cleaned VoxCeleb1-O, `test_o_original`, ..."""
    if trials.official_name is None:
        return f"test_{trials.name}"
    letter = trials.official_name.removeprefix("voxceleb1-")[0]
    return f"test_{letter}" if trials.is_cleaned else f"test_{letter}_original"


def _tested(utterances: Sequence[Utterance], trials: TrialList) -> list[Utterance]:
    """Return the utterances that a list means."""
    wanted = {_stem(entry) for entry in (*trials.enroll, *trials.test)}
    found = [one for one in utterances if _stem(one.source) in wanted]
    if missing := sorted(wanted - {_stem(one.source) for one in found}):
        raise ValueError(
            f"{len(missing)} of the {len(wanted)} files of the trial list {trials.name} "
            f"({trials.known_as or 'no public list'}) are in none of the sources; the lists need "
            f"the archives of VoxCeleb1 (O: test; E and H: dev and test):{listing(missing)}"
        )
    return found


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _is_for_training(
    utterance: Utterance, people: Mapping[str, Person], tested: set[str], options: SplitOptions
) -> bool:
    person = people[utterance.speaker_id]
    is_chosen = person.corpus in options.corpora and person.portion == "dev"
    return is_chosen and person.speaker_id not in tested


def _split(pool: Sequence[Utterance], options: SplitOptions) -> Halves:
    if options.mode == "different":
        return hold_out_speakers(pool, number=options.num_validation_speakers, seed=options.seed)
    return hold_out_recordings(
        pool,
        share=options.validation_share,
        min_recordings=options.min_recordings,
        seed=options.seed,
    )
