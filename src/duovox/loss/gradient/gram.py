"""The inner products of two gradients, and the sums of the two that follow from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Gram:
    """Inner products of two gradients, as plain numbers."""

    first: float  # squared length of the first
    second: float  # squared length of the second
    product: float  # of the two: below 0 where they conflict

    @classmethod
    def of(cls, gradients: Tensor) -> Gram:
        """Take the products of two gradients (2, P); waits for the device once."""
        one, other = gradients
        # Not a matrix product, which a GPU may round to 10 bits.
        products = torch.stack([one.dot(one), other.dot(other), one.dot(other)])
        first, second, product = products.tolist()
        return cls(first=first, second=second, product=product)

    @property
    def spread(self) -> float:
        """Squared length of the difference between the two."""
        return max(0.0, self.first + self.second - 2 * self.product)

    @property
    def shortest_share(self) -> float:
        """Share w of the first for which w first + (1 - w) second is shortest; may leave [0, 1]."""
        return (self.second - self.product) / self.spread if self.spread else 0.5

    @property
    def has_two(self) -> bool:
        """Whether there are two gradients to weigh: neither is zero or infinite."""
        return 0 < self.first < inf and 0 < self.second < inf


def combine(gradients: Tensor, weigh: Callable[[Gram], tuple[float, float]]) -> Tensor:
    """Return the weighted sum (P,) of two gradients (2, P).

    Where one of them is zero (its loss has weight 0, or no utterance of the batch had a CTC path),
    it must not silence the other, so the sum is plain. It is also where one is not finite: the sum
    then is not either, which drops the step.
    """
    gram = Gram.of(gradients)
    if not gram.has_two:
        return gradients.sum(dim=0)
    first, second = weigh(gram)
    return first * gradients[0] + second * gradients[1]
