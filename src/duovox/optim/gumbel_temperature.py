"""How soft the choice of codebook entries is, in the course of pre-training."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GumbelTemperature:
    """Fall by a fixed factor per optimiser step, down to a floor.

    The temperature is a function of the finished steps alone, so a resumed run goes on with it.
    With the defaults, the published ones of base, the floor is reached after 277,258 steps.

    Source: Baevski et al. 2020, "wav2vec 2.0", section 4.2.
    """

    start: float = 2.0
    floor: float = 0.5
    decay: float = 0.999995  # per step

    def __post_init__(self) -> None:
        if not 0 < self.floor <= self.start:
            raise ValueError(
                "the Gumbel temperature must fall from start to a floor above 0, got "
                f"start={self.start} and floor={self.floor}"
            )
        if not 0 < self.decay <= 1:
            raise ValueError(
                f"the decay of the Gumbel temperature must lie in (0, 1], got {self.decay}"
            )

    def __call__(self, step: int) -> float:
        """Return the temperature of the step that comes after `step` finished ones."""
        return max(self.start * self.decay**step, self.floor)
