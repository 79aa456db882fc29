"""Trial lists find their utterances by any of their names, and scores are matched by key."""

from __future__ import annotations

import numpy as np
import pytest

from duovox.data.trial.list import TrialList
from duovox.data.trial.score_list import Key, ScoreList
from duovox.run.verification.embedding_file import Embeddings
from duovox.run.verification.matching import label, rows_of_trials, side_by_side


def trials(*pairs: Key, is_target: tuple[bool, ...] = (True, False)) -> TrialList:
    enroll, test = zip(*pairs, strict=True)
    return TrialList(name="list", enroll=enroll, test=test, is_target=np.array(is_target))


def embeddings(*keys: str) -> Embeddings:
    return Embeddings(keys=keys, vectors=np.ones((len(keys), 2), np.float32))


def scores(name: str, content: dict[Key, float], labels: list[bool] | None = None) -> ScoreList:
    return ScoreList(
        name=name,
        keys=tuple(content),
        scores=np.array(list(content.values())),
        is_target=None if labels is None else np.array(labels),
    )


@pytest.mark.parametrize(
    "keys",
    [
        ("id1/v/01.wav", "id1/v/02.wav", "id2/v/01.wav"),
        ("id1/v/01", "id1/v/02", "id2/v/01"),
        ("id1-v-01", "id1-v-02", "id2-v-01"),
        ("/vox/wav/id1/v/01.flac", "/vox/wav/id1/v/02.flac", "./wav/id2/v/01.m4a"),
    ],
)
def test_entries_are_found_by_path_ending_or_dashes(keys: tuple[str, ...]) -> None:
    wanted = trials(("id1/v/01.wav", "id1/v/02.wav"), ("id2/v/01.wav", "id1/v/02.wav"))
    enroll, test = rows_of_trials(wanted, embeddings(*keys))
    assert (enroll.tolist(), test.tolist()) == ([0, 2], [1, 1])


def test_a_whole_name_wins_over_an_ending() -> None:
    wanted = trials(("v/01", "v/02"), ("v/02", "v/01"))
    enroll, _ = rows_of_trials(wanted, embeddings("id1/v/01", "v/01", "v/02", "id1/v/02"))
    assert enroll.tolist() == [1, 2]


def test_missing_and_ambiguous_entries_are_named() -> None:
    wanted = trials(("01.wav", "9/02.wav"), ("01.wav", "01.wav"))
    with pytest.raises(ValueError, match=r"1 of 2 utterances .* no embedding:\n  9/02\.wav$"):
        rows_of_trials(wanted, embeddings("id1/01.wav"))
    with pytest.raises(ValueError, match=r"'01\.wav' fits 2 embeddings \(id1/01, id2/01\)"):
        rows_of_trials(wanted, embeddings("id1/01", "id2/01", "9/02"))


def test_scores_get_the_order_and_the_labels_of_a_list() -> None:
    given = scores("s", {("c", "d"): 3.0, ("x", "y"): 9.0, ("a", "b"): 1.0})
    found = label(given, trials(("a.wav", "b.wav"), ("c.wav", "d.wav")))
    assert found.scores.tolist() == [1.0, 3.0]
    assert found.is_target is not None
    assert found.is_target.tolist() == [True, False]


def test_trials_without_a_score_are_listed() -> None:
    given = scores("s", {("a", "b"): 1.0})
    with pytest.raises(ValueError, match=r"1 of 2 trials of list have no score in s:\n  b a$"):
        label(given, trials(("a", "b"), ("b", "a")))


def test_systems_are_matched_by_key_and_not_by_line() -> None:
    first = scores("s", {("a", "b"): 1.0, ("c", "d"): 2.0}, [True, False])
    second = scores("t", {("c", "d"): 20.0, ("a", "b"): 10.0}, [False, True])
    assert side_by_side([first, second]).tolist() == [[1.0, 10.0], [2.0, 20.0]]


def test_systems_with_other_trials_or_labels_are_refused() -> None:
    first = scores("s", {("a", "b"): 1.0, ("c", "d"): 2.0}, [True, False])
    second = scores("t", {("c", "d"): 20.0, ("a", "x"): 10.0})
    with pytest.raises(ValueError, match=r"2 are in one alone:\n  a b\n  a x"):
        side_by_side([first, second])
    other = scores("t", {("a", "b"): 1.0, ("c", "d"): 2.0}, [True, True])
    with pytest.raises(ValueError, match="call 1 trials by different labels, such as c d"):
        side_by_side([first, other])


def test_labels_of_two_systems_clash_though_the_first_has_none() -> None:
    trials = {("a", "b"): 1.0, ("c", "d"): 2.0}
    first = scores("s", trials)
    others = [
        scores(name, trials, [is_first, not is_first])
        for name, is_first in (("t", True), ("u", False))
    ]
    with pytest.raises(ValueError, match="t and u call 2 trials by different labels, such as a b"):
        side_by_side([first, *others])


def test_scores_of_files_that_differ_in_their_extensions_alone_are_refused() -> None:
    given = scores("s", {("a.wav", "b.wav"): 1.0, ("a.flac", "b.flac"): 2.0})
    with pytest.raises(ValueError, match=r"two scores for the trial a\.flac b\.flac"):
        label(given, trials(("a", "b"), ("a", "b")))
