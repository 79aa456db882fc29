"""What the index rules out is held against the limit of bad utterances."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from duovox.run.left_out import check_left_out

LISTED = Path("run") / "left_out.jsonl"


def source(num_kept: int, **num_dropped: int) -> Any:
    dropped = {cause.replace("_", " "): ["key"] * num for cause, num in num_dropped.items()}
    return SimpleNamespace(num_utterances=num_kept, dropped=dropped)


def check(share: float, count: int, **sources: Any) -> None:
    limit: Any = SimpleNamespace(bad_utterance_share=share, bad_utterance_count=count)
    check_left_out(sources, limit, listed=LISTED)


def test_too_much_left_out_is_refused_with_its_causes_and_what_to_change() -> None:
    speech = source(27, unknown_characters=50, empty_transcript=3)
    with pytest.raises(ValueError, match=r"53 of 80 speech training utterances") as error:
        check(0.01, 20, speaker=source(80), speech=speech)
    for part in (
        "unknown characters: 50, empty transcript: 3",
        "the limit is 1.0% and 20",
        str(LISTED),
        "callbacks.bad_utterance_share",
        "callbacks.bad_utterance_count",
    ):
        assert part in str(error.value)


@pytest.mark.parametrize(("share", "count"), [(0.01, 53), (0.6625, 20)])
def test_both_limits_must_be_exceeded(share: float, count: int) -> None:
    check(share, count, speech=source(27, unknown_characters=53))


def test_lengths_that_the_settings_leave_out_are_not_counted() -> None:
    check(0, 0, speech=source(27, **{"longer than 3.0 s": 50, "shorter than 0.5 s": 3}))


@pytest.mark.filterwarnings("ignore:.*reference transcripts:UserWarning")  # in validation
def test_a_run_is_held_against_its_limit_and_names_what_it_left_out(run_door) -> None:
    few_letters = "speech.tokenizer.vocabulary=['<pad>','|',O,N,E]"
    drop = "speech.pipeline.unknown_characters=drop"
    with pytest.raises(ValueError, match=r"24 of 36 speech .*unknown characters: 24") as error:
        run_door("speech", few_letters, drop)
    (listed,) = run_door.log_folder.glob("*/*/*/left_out.jsonl")
    assert str(listed) in str(error.value)
    assert len(listed.read_text().splitlines()) == 24
