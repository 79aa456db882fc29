"""Windows cover a recording once, with context on both sides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duovox.network.wav2vec2 import architecture
from duovox.run.recognition.window import Windowing

BASE = architecture.base()


@given(
    num_samples=st.integers(400, 500_000),
    seconds=st.floats(1.0, 9.0),
    share=st.floats(0.0, 0.4),
)
def test_kept_frames_follow_each_other_from_the_first_to_the_last(
    num_samples, seconds, share
) -> None:
    windowing = Windowing(seconds=seconds, context_seconds=share * (seconds - 1))
    kept = []
    windows = list(windowing.windows(num_samples, BASE))
    for window in windows:
        stop = num_samples if window.stop is None else window.stop
        assert 0 <= window.start < stop <= num_samples
        num_frames = BASE.num_frames(stop - window.start)
        assert num_frames <= seconds * 50 + 1
        assert window.start % BASE.hop == 0  # or frames would lie between those of others
        kept += [window.start // BASE.hop + n for n in range(num_frames)[window.kept]]
    assert kept == list(range(BASE.num_frames(num_samples)))
    assert [window.stop is None for window in windows] == [False] * (len(windows) - 1) + [True]


def test_frames_inside_a_recording_have_their_context() -> None:
    windowing = Windowing(seconds=10, context_seconds=2)
    first, *middle, last = windowing.windows(16_000 * 60, BASE)
    assert (first.start, first.kept) == (0, slice(0, 400))
    assert {(window.kept.start, window.kept.stop) for window in middle} == {(100, 400)}
    assert last.kept == slice(100, None)
    assert 16_000 * 60 - last.start > 16_000 * 4  # no runt: more than its two contexts


def test_what_fits_a_window_is_heard_whole() -> None:
    (window,) = Windowing(seconds=10).windows(160_000, BASE)
    assert (window.start, window.stop, window.kept) == (0, None, slice(0, None))


@pytest.mark.parametrize(("seconds", "context"), [(5, 3), (0.5, 0), (10, -1), (float("inf"), 3)])
def test_a_window_without_a_middle_is_refused(seconds, context) -> None:
    with pytest.raises(ValueError, match="change window_seconds or context_seconds"):
        Windowing(seconds=seconds, context_seconds=context)
