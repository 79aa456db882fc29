"""What a scored trial list must be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from duovox.metric.trial_scores import checked


@pytest.mark.parametrize(
    "form",
    [
        list,
        np.array,
        torch.tensor,
        lambda v: np.array(v, np.float32),
        lambda v: torch.tensor(v).half(),
    ],
)
def test_every_form_of_scores_and_labels_is_taken(form: Any) -> None:
    scores, labels = checked(form([0.5, 0.25, -1.0]), form([1, 0, 1]))
    assert scores.tolist() == [0.5, 0.25, -1.0]
    assert labels.tolist() == [True, False, True]
    assert scores.dtype in (np.float32, np.float64)


def test_double_precision_is_kept() -> None:
    scores, _ = checked(torch.tensor([1 / 3, 0.5], dtype=torch.float64), [True, False])
    assert scores[0] == 1 / 3


def test_bfloat16_scores_are_taken() -> None:
    scores, _ = checked(torch.tensor([0.5, 0.25]).bfloat16(), torch.tensor([True, False]))
    assert scores.tolist() == [0.5, 0.25]


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([0.1, float("nan")], [1, 0], "every score must be finite, got nan for trial 1"),
        ([float("inf"), 0.1], [1, 0], "every score must be finite, got inf for trial 0"),
        ([0.1, 0.2], [1, 1], "needs target and non-target trials, got 2 targets among 2"),
        ([0.1, 0.2], [0, 0], "needs target and non-target trials, got 0 targets among 2"),
        ([], [], "needs target and non-target trials, got 0 targets among 0"),
        ([0.1, 0.2], [1], "flat lists of the same length"),
        ([[0.1], [0.2]], [[1], [0]], "flat lists of the same length"),
        ([0.1, 0.2], [1, 2], r"labels must be 1 \(same speaker\) or 0 \(different\), got \[1, 2\]"),
        ([0.1, 0.2], ["target", "nontarget"], "labels must be 1"),
    ],
)
def test_a_list_without_error_rates_is_refused(scores: Any, labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked(scores, labels)
