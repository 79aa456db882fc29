"""A sample of the training data is drawn by a seed, from what the limits leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from duovox.data.dataset.index import Index
from duovox.data.source.selection import Limits
from duovox.run.sample import draw
from duovox.run.speech_settings import Sample

ALL = Limits()


@pytest.fixture(scope="module")
def index(tiny_corpus: Path) -> Index:
    """Return 36 utterances of 0.375 and 0.40625 s."""
    return Index.load([tiny_corpus / "demo" / "train"])


def test_without_a_sample_everything_is_heard(index: Index) -> None:
    assert draw(index, Sample(), Limits(max_seconds=0.38)) is index


def test_the_seed_decides_which_utterances_are_drawn(index: Index) -> None:
    first, again, other = (
        {*draw(index, Sample(utterances=8, seed=seed), ALL).key} for seed in (1, 1, 2)
    )
    assert len(first) == 8
    assert first == again != other


def test_minutes_are_met_by_utterances_within_the_limits(index: Index) -> None:
    drawn = draw(index, Sample(minutes=3 / 60, seed=1), Limits(max_seconds=0.38))
    assert len(drawn) == 8
    assert {*drawn.num_samples} == {6_000}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": 1}, "set both or none"),
        ({"minutes": 1.0}, "set both or none"),
        ({"minutes": 1.0, "utterances": 3, "seed": 1}, "minutes or utterances must be null"),
    ],
)
def test_half_a_sample_is_refused(settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        Sample(**settings)
