"""What is chosen is as much as was asked for, whole, and the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from duovox.data.dataset.choice import Choice, choose
from duovox.data.dataset.index import Index
from duovox.data.dataset.write import ShardOptions, write_dataset
from duovox.data.utterance import Utterance, make_key


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Return 60 utterances of 0.1 to 0.2 s: five speakers of two genders, three recordings each."""
    folder = tmp_path_factory.mktemp("choice")
    utterances = []
    for number in range(60):
        speaker, session = f"s{number % 5}", f"r{number % 15}"
        path = folder / f"{number}.flac"
        soundfile.write(path, np.full(1600 + 27 * number, 0.1), 16_000)
        utterances.append(
            Utterance(
                key=make_key(speaker, session, f"{number}"),
                path=path,
                speaker_id=speaker,
                session_id=session,
                gender="ffffm"[number % 5],
            )
        )
    write_dataset(utterances, folder / "out", name="all", options=ShardOptions(order="given"))
    return Index.load([folder / "out"])


def seconds(index: Index, mask: np.ndarray) -> float:
    return float((index.num_samples / index.sample_rate)[mask].sum())


@given(by=st.sampled_from(["speaker", "recording", "utterance"]), seed=st.integers(0, 50))
def test_whole_units_are_taken_as_near_to_the_share_as_they_allow(index, by: Any, seed: int):
    mask = choose(index, Choice(by=by, share=0.4, seed=seed))
    column = {"speaker": "speaker_id", "recording": "session_id", "utterance": "key"}[by]
    codes, names = getattr(index, column).codes()
    units = [seconds(index, codes == unit) for unit in range(len(names))]
    chosen = {unit for unit in range(len(names)) if mask[codes == unit].any()}
    assert all(mask[codes == unit].all() for unit in chosen)
    total = sum(units)
    assert abs(seconds(index, mask) - 0.4 * total) <= max(units) / 2 + 1e-9


def test_the_seed_decides_and_the_order_of_rows_does_not(index: Index):
    choice = Choice(by="recording", share=0.3, seed=7)
    keys = {*index.key.take(np.flatnonzero(choose(index, choice)))}
    shuffled = index.select(np.random.default_rng(1).permutation(len(index)))
    assert {*shuffled.key.take(np.flatnonzero(choose(shuffled, choice)))} == keys
    others = choose(index, Choice(by="recording", share=0.3, seed=8))
    assert {*index.key.take(np.flatnonzero(others))} != keys


def test_hours_are_met_to_half_an_utterance(index: Index):
    mask = choose(index, Choice(hours=3 / 3600, seed=1))
    assert seconds(index, mask) == pytest.approx(3, abs=0.11)


@pytest.mark.parametrize(("by", "expected"), [("utterance", 3), ("speaker", 36)])
def test_a_count_is_met(index: Index, by: Any, expected: int):
    assert choose(index, Choice(by=by, count=3, seed=1)).sum() == expected


def test_a_balanced_sample_has_the_same_from_all_speakers(index: Index):
    mask = choose(index, Choice(hours=3 / 3600, is_balanced=True, seed=1))
    per_speaker = Counter[str]()
    for row in np.flatnonzero(mask):
        per_speaker[index.speaker_id[row]] += index.num_samples[row] / 16_000
    assert len(per_speaker) == 5
    assert max(per_speaker.values()) - min(per_speaker.values()) < 0.25


def test_balanced_speakers_are_of_both_genders(index: Index):
    for seed in range(8):
        mask = choose(index, Choice(by="speaker", share=0.4, is_balanced=True, seed=seed))
        assert {index.gender[row] for row in np.flatnonzero(mask)} == {"f", "m"}


def test_what_cannot_be_chosen_is_refused(index: Index, write_shards: Callable, entry, tmp_path):
    with pytest.raises(ValueError, match="hours are wanted, but there are only"):
        choose(index, Choice(hours=1.0))
    with pytest.raises(ValueError, match="less than half of one speaker"):
        choose(index, Choice(by="speaker", share=0.01))
    with pytest.raises(ValueError, match="5 of --by speaker are wanted, but there are only 5"):
        choose(index, Choice(by="speaker", count=5))
    nameless = write_shards(tmp_path, [entry("_/_/a"), entry("_/_/b")])
    with pytest.raises(ValueError, match="2 of 2 utterances have no recording"):
        choose(nameless, Choice(by="recording", share=0.5))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "one of --share, --hours and --count"),
        ({"share": 0.1, "hours": 1}, "one of --share, --hours and --count"),
        ({"hours": 1, "count": 1}, "one of --share, --hours and --count"),
        ({"count": 0}, "must be at least 1, got 0"),
        ({"share": 1.0}, "must lie between 0 and 1, got 1.0"),
        ({"hours": 0.0}, "must be more than 0, got 0.0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], message: str):
    with pytest.raises(ValueError, match=message):
        Choice(**settings)
