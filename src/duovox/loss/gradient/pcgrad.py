"""Gradient surgery: take from each gradient what opposes the other."""

from __future__ import annotations

from torch import Tensor

from duovox.loss.gradient.gram import Gram, combine


class PcGrad:
    """Project conflicting gradients onto each other's normal plane, then add them.

    With g = g_1 . g_2 < 0 each gradient loses its part along the other: g_1 - g / |g_2|^2 g_2, and
    likewise the second. Gradients that agree are added as they are.

    Source: Yu et al. 2020, "Gradient Surgery for Multi-Task Learning", algorithm 1.
    """

    def __call__(self, gradients: Tensor) -> Tensor:
        """Return (P,) from (2, P)."""
        return combine(gradients, _weigh)


def _weigh(gram: Gram) -> tuple[float, float]:
    conflict = min(gram.product, 0.0)
    return 1 - conflict / gram.first, 1 - conflict / gram.second
