"""Multiple-gradient descent: the shortest mix of the gradients."""

from __future__ import annotations

from torch import Tensor

from duovox.loss.gradient.gram import Gram, combine


class Mgda:
    """Mix the gradients so that the result is shortest: a step along it harms neither task.

    w g_1 + (1 - w) g_2 with w = (g_2 - g_1) . g_2 / |g_1 - g_2|^2, held within [0, 1]. Where the
    mix is zero, no step is good for both tasks. The shorter gradient weighs more, so a task that is
    nearly solved slows the other down.

    Source: Sener & Koltun 2018, "Multi-Task Learning as Multi-Objective Optimization", algorithm 1
    (two tasks, in closed form).
    """

    def __call__(self, gradients: Tensor) -> Tensor:
        """Return (P,) from (2, P)."""
        return combine(gradients, _weigh)


def _weigh(gram: Gram) -> tuple[float, float]:
    share = min(max(gram.shortest_share, 0.0), 1.0)
    return share, 1 - share
