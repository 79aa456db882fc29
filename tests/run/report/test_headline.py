from __future__ import annotations

import pytest

from duovox.run.report.headline import duration_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(8.4, "8 s"), (59.6, "1 min 0 s"), (872.4, "14 min 32 s"), (7_260, "2 h 1 min")],
)
def test_durations_have_two_units_at_most(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
