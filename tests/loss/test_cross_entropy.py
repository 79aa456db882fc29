"""Cross-entropy against scikit-learn's log loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from duovox.loss.cross_entropy import CrossEntropyLoss


def test_loss_equals_scikit_learn_log_loss() -> None:
    from sklearn.metrics import log_loss

    logits, speaker_ids = torch.randn(30, 5), torch.randint(0, 5, (30,))
    expected = log_loss(speaker_ids, logits.double().softmax(-1), labels=np.arange(5))
    assert CrossEntropyLoss()(logits, speaker_ids).item() == pytest.approx(expected, rel=1e-5)


def test_half_precision_logits_give_a_float32_loss() -> None:
    loss = CrossEntropyLoss()(torch.randn(4, 3).half(), torch.tensor([0, 1, 2, 0]))
    assert loss.dtype == torch.float32
