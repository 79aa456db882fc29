"""Conflict-averse descent: the mean gradient, moved towards the task that gains least."""

from __future__ import annotations

from math import sqrt

from torch import Tensor

from duovox.loss.gradient.gram import Gram, combine


class CaGrad:
    """Find the direction around the mean gradient along which the worse-off task gains most.

    With the mean g_0 and the mix g_w = w g_1 + (1 - w) g_2, the result is
    g_0 + c |g_0| g_w / |g_w| for the w in [0, 1] that makes g_w . g_0 + c |g_0| |g_w| smallest.

    Args:
        c: how far from the mean, as a share of its length, in [0, 1); 0 is the mean itself.

    Source: Liu et al. 2021, "Conflict-Averse Gradient Descent for Multi-task Learning",
    algorithm 1.
    """

    def __init__(self, *, c: float = 0.5) -> None:
        if not 0 <= c < 1:
            raise ValueError(
                f"c must lie in [0, 1), or descent need not end where the mean of the losses is "
                f"smallest; got {c} (optim.loss.cagrad_c)"
            )
        self.c = c

    def __call__(self, gradients: Tensor) -> Tensor:
        """Return (P,) from (2, P)."""
        return combine(gradients, self._weigh)

    def _weigh(self, gram: Gram) -> tuple[float, float]:
        radius = self.c * sqrt(max(0.0, gram.first + gram.second + 2 * gram.product)) / 2
        share = _worst_share(gram, radius)
        rest = 1 - share
        length = sqrt(
            max(
                0.0, share**2 * gram.first + rest**2 * gram.second + 2 * share * rest * gram.product
            )
        )
        pull = radius / length if length else 0.0  # no direction helps against exact opposition
        return 0.5 + pull * share, 0.5 + pull * rest


def _worst_share(gram: Gram, radius: float) -> float:
    """Return the w in [0, 1] that makes g_w . g_0 + radius |g_w| smallest.

    The first term is a line in w, of this slope; the second a hyperbola around the shortest mix:
    |g_w|^2 = spread u^2 + height^2 with u = w - shortest_share. Where the hyperbola can't turn the
    line round, the smallest value is at an end.
    """
    slope = (gram.first - gram.second) / 2
    steepness = radius**2 * gram.spread - slope**2
    if steepness <= 0:
        return 0.0 if slope > 0 else 1.0
    area = max(0.0, gram.first * gram.second - gram.product**2)  # (spread height)^2 = spread area
    share = gram.shortest_share - slope * sqrt(area / steepness) / gram.spread
    return min(max(share, 0.0), 1.0)
