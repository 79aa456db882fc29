"""Whether two systems differ on one test set: the paired bootstrap.

Both rates are computed on the same draws of the set, so that what makes some utterances hard for
everybody cancels out. Two systems can differ surely though their own intervals overlap.

Source: Bisani and Ney 2004, section 3: the bootstrap of the difference and its probability of
improvement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from duovox.metric.interval import Interval, middle


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The rate of the second system minus that of the first: below 0, the second is better."""

    difference: float
    interval: Interval  # 95 %, of the difference
    share_better: float  # of the draws in which the second has fewer errors; ties count half
    p_value: float  # two-sided: how often chance alone would do it

    @property
    def is_significant(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.interval.low > 0 or self.interval.high < 0


def paired_difference(
    first: float,
    second: float,
    *,
    first_draws: NDArray[np.float64],
    second_draws: NDArray[np.float64],
) -> Difference:
    """Compare two rates on one set.

    Args:
        first: rate of the first system on the set itself.
        second: rate of the second.
        first_draws: (N,) its rates on draws of the set; NaN where a draw has none.
        second_draws: (N,) those of the second on the same draws.
    """
    differences = second_draws - first_draws
    differences = differences[~np.isnan(differences)]
    ties = (differences == 0).mean() / 2
    share = float((differences < 0).mean() + ties)
    # a draw more in the tail than was seen: a thousand draws can't tell below a thousandth
    tail = (min(share, 1 - share) * len(differences) + 1) / (len(differences) + 1)
    return Difference(
        difference=second - first,
        interval=middle(differences),
        share_better=share,
        p_value=min(1.0, 2 * tail),
    )
