"""Impartial learning: a mix that goes equally far along each gradient."""

from __future__ import annotations

from math import sqrt

from torch import Tensor

from duovox.loss.gradient.gram import Gram, combine


class ImtlG:
    """Mix the gradients so that the result has the same projection onto each.

    The weights sum to 1. Of two gradients, each is weighted by the length of the other, so both
    enter equally long.

    Source: Liu et al. 2021, "Towards Impartial Multi-task Learning", section 3.1 (for two tasks its
    linear system has this solution).
    """

    def __call__(self, gradients: Tensor) -> Tensor:
        """Return (P,) from (2, P)."""
        return combine(gradients, _weigh)


def _weigh(gram: Gram) -> tuple[float, float]:
    first, second = sqrt(gram.first), sqrt(gram.second)
    return second / (first + second), first / (first + second)
