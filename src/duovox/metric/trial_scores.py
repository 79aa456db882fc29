"""The scores and labels of a trial list, in the forms that callers have them in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Scores: TypeAlias = Sequence[float] | NDArray[Any] | Tensor
Labels: TypeAlias = Sequence[int] | Sequence[bool] | NDArray[Any] | Tensor


def checked(scores: Scores, labels: Labels) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return scores (N,) as float32 or float64 and labels (N,) as bool.

    Raises:
        ValueError: lengths differ, a score is not finite, a label is neither 0 nor 1, or one of the
            two classes is missing; no error rate is defined then.
    """
    values, classes = _array(scores), _array(labels)
    if values.ndim != 1 or values.shape != classes.shape:
        raise ValueError(
            "scores and labels must be two flat lists of the same length, got shapes "
            f"{values.shape} and {classes.shape}"
        )
    if values.dtype != np.float32:
        values = values.astype(np.float64)
    if not np.isfinite(values).all():
        first = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(
            f"every score must be finite, got {values[first]} for trial {first}: look for silence "
            "or broken audio in its two utterances, and for NaN in the model's weights"
        )
    is_target = classes == 1
    _check_classes(classes, is_target)
    return values, is_target


def _check_classes(classes: NDArray[Any], is_target: NDArray[np.bool_]) -> None:
    if not (is_target | (classes == 0)).all():
        found = np.unique(classes)[:10].tolist()
        raise ValueError(f"labels must be 1 (same speaker) or 0 (different), got {found}")
    num_targets = int(is_target.sum())
    if num_targets in (0, len(is_target)):
        raise ValueError(
            "a trial list needs target and non-target trials, got "
            f"{num_targets} targets among {len(is_target)} trials: check its labels"
        )


def _array(values: Scores | Labels) -> NDArray[Any]:
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        return (values.float() if values.dtype == torch.bfloat16 else values).numpy()
    return np.asarray(values)
