"""Every order is a permutation; mixing keeps speakers apart and lengths ascend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from duovox.data.dataset.order import arrange
from duovox.data.utterance import Utterance


def by_speakers(speakers: list[int]) -> list[Utterance]:
    """Return one utterance per entry, by the speaker of that number."""
    return [
        Utterance(key=f"{speaker}/t/{n}", path=Path("a"), speaker_id=str(speaker), duration=1)
        for n, speaker in enumerate(speakers)
    ]


@given(speakers=st.lists(st.integers(0, 4), max_size=40), seed=st.integers(0, 9))
def test_mixing_loses_nothing_and_keeps_a_speaker_apart_while_it_can(speakers, seed):
    utterances = by_speakers(speakers)
    mixed = arrange(utterances, "mixed", seed=seed)
    assert sorted(u.key for u in mixed) == sorted(u.key for u in utterances)
    for here in range(1, len(mixed)):
        if mixed[here].speaker_id == mixed[here - 1].speaker_id:
            assert len({u.speaker_id for u in mixed[here:]}) == 1  # nobody else is left


def test_mixing_follows_the_seed():
    utterances = by_speakers(list(range(30)))
    assert arrange(utterances, "mixed", seed=1) == arrange(utterances, "mixed", seed=1)
    assert arrange(utterances, "mixed", seed=1) != arrange(utterances, "mixed", seed=2)


def test_lengths_ascend_by_duration_or_else_by_the_header(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", np.zeros(32_000), 16_000)
    said = [Utterance(key=f"s/t/{n}", path=Path("a"), duration=n) for n in (3, 1)]
    probed = Utterance(key="s/t/2", path=tmp_path / "a.wav")
    part = Utterance(key="s/t/part", path=tmp_path / "a.wav", start_seconds=0.5, stop_seconds=2)
    missing = Utterance(key="s/t/missing", path=tmp_path / "b.wav")
    ordered = arrange([*said, probed, part, missing], "length", seed=0)
    assert [u.key for u in ordered] == ["s/t/missing", "s/t/1", "s/t/part", "s/t/2", "s/t/3"]


def test_the_given_order_stays():
    utterances = by_speakers([1, 1, 0])
    assert arrange(utterances, "given", seed=0) == utterances


def test_another_order_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="must be one of given, length, mixed, got 'random'"):
        arrange([], "random", seed=0)
