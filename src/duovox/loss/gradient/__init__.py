"""How the gradients of two tasks become one on the parameters they share.

    gradients = torch.stack([speech, speaker])  # (2, P), one flat gradient per task
    gradient = method(gradients)                # (P,)

A loss weighting (`duovox.loss.weighting`) decides by the losses' values; a gradient method looks at
where the tasks pull. Each here is a weighted sum of the two gradients whose weights follow from
their three inner products, and each scales with them: what multiplies both gradients multiplies the
result, so the loss scale of half precision does no harm.

| file | method | gradient |
|---|---|---|
| pcgrad | gradient surgery | the sum, each without the part that opposes the other |
| cagrad | conflict-averse descent | the mean, moved towards the task that gains least |
| mgda | multiple-gradient descent | the shortest mix: a step that harms neither |
| imtl_g | impartial learning | the mix that projects equally far onto both |

A new method is one file here with one class, one line in the table of the config, and one line in
the tests.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class GradientMethod(Protocol):
    """What every method does."""

    def __call__(self, gradients: Tensor) -> Tensor:
        """Return one gradient (P,) from those of two tasks (2, P)."""
        ...
