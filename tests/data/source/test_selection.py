"""What the index alone shows to be unusable is left out, counted and named."""

from __future__ import annotations

import numpy as np
import pytest

from duovox.data.dataset.index import Index
from duovox.data.source.selection import (
    Limits,
    check_unheard,
    check_unique_keys,
    is_choice,
    refuse,
    select,
)


@pytest.fixture
def lengths_index(tmp_path, write_shards, entry):
    lengths = {"a/b/399": 399, "a/b/400": 400, "a/b/1s": 16_000, "a/b/2s": 32_000}
    waves = {key: np.full(length, 0.1, np.float32) for key, length in lengths.items()}
    return write_shards(tmp_path, [entry(key, wave) for key, wave in waves.items()])


def keys(index) -> list[str]:
    return list(index.key)


def test_less_than_a_frame_is_always_too_short(lengths_index) -> None:
    kept, dropped = select(lengths_index, Limits().faults(lengths_index))
    assert keys(kept) == ["a/b/400", "a/b/1s", "a/b/2s"]
    assert dropped == {"shorter than 400 samples": ["a/b/399"]}


def test_a_frame_must_remain_at_the_fastest_speed(lengths_index) -> None:
    kept, _ = select(lengths_index, Limits().faults(lengths_index, fastest=1.1))
    assert keys(kept) == ["a/b/1s", "a/b/2s"]


def test_limits_are_inclusive_and_each_has_its_cause(lengths_index) -> None:
    limits = Limits(min_seconds=0.5, max_seconds=1.0)
    kept, dropped = select(lengths_index, limits.faults(lengths_index))
    assert keys(kept) == ["a/b/1s"]
    assert dropped == {
        "shorter than 400 samples": ["a/b/399"],
        "shorter than 0.5 s": ["a/b/400"],  # the other is counted once, with its first cause
        "longer than 1.0 s": ["a/b/2s"],
    }


def test_what_was_trained_on_is_not_scored(lengths_index, tmp_path, write_shards, entry) -> None:
    half = write_shards(tmp_path / "half", [entry("a/b/399", np.full(399, 0.1)), entry("a/b/5")])
    with pytest.raises(
        ValueError, match=r"1 of 2 utterances of some set are also in training.*\n  a/b/399$"
    ):
        check_unheard(half, lengths_index, name="some set")


def test_utterances_that_share_no_more_than_a_key_are_others(
    lengths_index, tmp_path, write_shards, entry
) -> None:
    words = entry("a/b/400", np.full(400, 0.1, np.float32), transcript="ONE")
    others = write_shards(tmp_path / "others", [words, entry("a/b/1s")])
    check_unheard(others, lengths_index, name="some set")


def test_only_the_limits_of_the_settings_are_a_choice(lengths_index) -> None:
    causes = Limits(min_seconds=0.5, max_seconds=1.0).faults(lengths_index)
    assert [is_choice(cause) for cause in causes] == [False, True, True]
    others = ("unknown characters", "empty transcript", "transcript longer than its frames")
    assert not any(map(is_choice, (*others, "no speaker")))


def test_a_clean_index_stays_the_same_object(index) -> None:
    kept, dropped = select(index, Limits().faults(index))
    assert kept is index
    assert dropped == {}


def test_nothing_left_is_an_error_that_says_why(index) -> None:
    with pytest.raises(ValueError, match=r"none of 40 utterances.*shorter than 9 s: 40"):
        select(index, Limits(min_seconds=9).faults(index))


def test_limits_that_exclude_everything_are_refused() -> None:
    with pytest.raises(ValueError, match="max_seconds must exceed min_seconds=3, got 2"):
        Limits(min_seconds=3, max_seconds=2)


def test_an_evaluation_lists_what_it_cannot_use(lengths_index) -> None:
    faults = Limits().faults(lengths_index)
    with pytest.raises(ValueError, match=r"1 of 4.*data set:\n  a/b/399: shorter than 400"):
        refuse(lengths_index, faults)
    refuse(lengths_index, {"cause": np.zeros(4, dtype=bool)})


def test_a_key_in_two_data_sets_is_refused_with_both_folders(tmp_path, write_shards, entry) -> None:
    write_shards(tmp_path / "one", [entry("a/b/1"), entry("a/b/2")])
    write_shards(tmp_path / "two", [entry("a/b/2"), entry("a/b/3")])
    both = Index.load([tmp_path / "one", tmp_path / "two"])
    with pytest.raises(ValueError, match=r"1 keys come more than once in .*one, .*two.*\n  a/b/2$"):
        check_unique_keys(both)


def test_different_keys_pass(index) -> None:
    check_unique_keys(index)
