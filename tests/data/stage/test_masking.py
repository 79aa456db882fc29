"""What is hidden of one utterance: enough to learn from, and never all of it."""

from __future__ import annotations

import numpy as np
import pytest

from duovox.data.stage.masking import Masking, UnmaskableError

HABITS = {
    "fairseq": Masking(probability=0.65),
    "huggingface": Masking(probability=0.65, convention="huggingface", min_spans=0),
    "nano": Masking(probability=0.5, convention="nano", min_spans=1),
}


@pytest.mark.parametrize("masking", HABITS.values(), ids=HABITS)
@pytest.mark.parametrize("num_frames", [21, 22, 49, 500])
def test_an_utterance_of_two_spans_and_more_can_be_masked_in_every_draw(
    masking: Masking, num_frames: int
) -> None:
    assert masking.min_frames == 21
    for seed in range(200):
        mask, negatives = masking.draw(num_frames, np.random.default_rng(seed))
        assert mask.shape == (num_frames,)
        assert masking.length <= mask.sum() < num_frames
        assert negatives.shape == (mask.sum(), 100)
        assert negatives.max() < mask.sum()


def test_the_same_generator_gives_the_same_mask_and_negatives() -> None:
    masking = HABITS["fairseq"]
    (mask, negatives), (again, too) = (masking.draw(99, np.random.default_rng(3)) for _ in "ab")
    assert np.array_equal(mask, again)
    assert np.array_equal(negatives, too)


@pytest.mark.parametrize(
    ("masking", "masked"),
    [
        (Masking(probability=1.0, length=1, convention="huggingface"), "8 of its 8 frames"),
        (Masking(probability=0.0, convention="huggingface", min_spans=0), "0 of its 8 frames"),
    ],
)
def test_an_utterance_that_is_hidden_wholly_or_not_at_all_is_refused(
    masking: Masking, masked: str
) -> None:
    with pytest.raises(UnmaskableError, match=rf"{masked} are masked.*at least 2"):
        masking.draw(8, np.random.default_rng(0))
