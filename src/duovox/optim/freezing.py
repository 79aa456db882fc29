"""Hold parts of a network still during the first optimiser steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import nn


class Freezing:
    """Say for each parameter at which optimiser step it begins to learn.

    A parameter in several parts waits for the last of them: a feature encoder that is frozen for
    the whole run stays so when the backbone around it is released. Parameters in no part always
    learn; parameters that did not require gradients to begin with are left as they are.

    Under DDP, build it and apply step 0 after wrapping: DDP registers what requires gradients then.

    Args:
        parts: pairs of a part and the number of steps that it is frozen for; None = the whole run.
    """

    def __init__(self, parts: Sequence[tuple[nn.Module, int | None]]) -> None:
        self._first_steps: dict[nn.Parameter, float] = {}
        for part, num_steps in parts:
            first_step = math.inf if num_steps is None else num_steps
            for parameter in part.parameters():
                if parameter.requires_grad:
                    known = self._first_steps.get(parameter, 0)
                    self._first_steps[parameter] = max(known, first_step)

    def apply(self, step: int) -> None:
        """Let exactly those parameters learn that have been released by `step` (0 = first step)."""
        for parameter, first_step in self._first_steps.items():
            parameter.requires_grad_(step >= first_step)


def backbone_freezing(
    backbone: nn.Module,
    *,
    feature_parts: Sequence[nn.Module],
    branch: nn.Module,
    num_feature_steps: int | None,
    initially_frozen: bool,
    num_frozen_steps: int | None,
) -> Freezing:
    """Freeze a wav2vec 2.0 backbone as the settings say; heads learn from the first step.

    Args:
        feature_parts: the convolutional part of the backbone, and what is frozen with it.
        branch: holds the tasks' copies of its upper layers, if there are any; frozen with it.
        num_feature_steps: how long those parts are kept still at least; None = for the whole run.
        initially_frozen: keep the whole backbone still for the first `num_frozen_steps`.
        num_frozen_steps: in optimiser steps; None = never release it.
    """
    parts = [(part, num_feature_steps) for part in feature_parts]
    if initially_frozen:
        parts += [(backbone, num_frozen_steps), (branch, num_frozen_steps)]
    return Freezing(parts)
