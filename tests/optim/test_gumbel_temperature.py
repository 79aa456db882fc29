"""The temperature of the quantiser's choice in the course of a run."""

from __future__ import annotations

import pytest

from duovox.optim.gumbel_temperature import GumbelTemperature


def test_the_published_temperature_reaches_its_floor_after_277_258_steps() -> None:
    temperature = GumbelTemperature()
    assert temperature(0) == 2.0
    assert temperature(1) == 2.0 * 0.999995
    assert temperature(277_257) > 0.5
    assert temperature(277_259) == temperature(400_000) == 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"floor": 0.0}, "a floor above 0, got start=2.0 and floor=0.0"),
        ({"start": 0.1}, "got start=0.1 and floor=0.5"),
        ({"decay": 1.01}, r"decay of the Gumbel temperature must lie in \(0, 1\], got 1.01"),
    ],
)
def test_temperatures_that_do_not_fall_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GumbelTemperature(**settings)
