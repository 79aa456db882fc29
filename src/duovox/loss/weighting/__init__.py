"""How the losses of several tasks become one: a weighting gives each loss its weight.

    losses = {"speech": ctc, "speaker": aam}
    weights = weighting(losses)
    total = sum(weights[task] * loss for task, loss in losses.items())

The weights are detached float32 scalars on the losses' device: no gradient passes through them and
computing them never waits for the device. Tasks are called "speech" and "speaker". A task may be
absent, because the run has only one task or because its loss was not finite in this step; the
weighting then shares out among those that are there, and a task alone has weight 1. A weighting
that remembers past losses keeps them in buffers: a resumed run goes on with the same weights. One
that learns by the network's optimiser has parameters and adds a loss of its own to the total.

| file | method | weights |
|---|---|---|
| none | plain sum | 1 and 1 |
| static | fixed shares | a and 1 - a |
| min | equal losses, the smaller one | min(L) / L_i |
| max | equal losses, the larger one | max(L) / L_i |
| dwa | dynamic weight average | softmax of how slowly each loss falls |
| uncertainty | learnt noise of each task | exp(-s_i) |
| random | a litmus test | softmax of normal draws |
| geometric | geometric mean | (L_1 ... L_n)^(1/n) / (n L_i) |
| gradnorm | gradient normalisation | learnt, towards gradients of a common length |

What looks at the tasks' gradients on all shared parameters is in `duovox.loss.gradient`.

A new method is one file here with one class, one YAML beside the others, and one line in the tests.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor


class LossWeighting(Protocol):
    """What every weighting does."""

    def __call__(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the weight of each task's loss: detached, float32, 0-dimensional."""
        ...


@runtime_checkable
class LearnedWeighting(LossWeighting, Protocol):
    """A weighting with parameters that the network's optimiser trains."""

    def own_loss(self, losses: dict[str, Tensor]) -> Tensor:
        """Return what is added to the weighted sum; its gradient reaches the weighting alone."""
        ...
