"""Which parameters learn at which step."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from duovox.optim.freezing import Freezing, backbone_freezing


class Backbone(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.feature_encoder = nn.Conv1d(1, 2, 3)
        self.transformer = nn.Linear(2, 2)
        self.constant = nn.Parameter(torch.ones(2), requires_grad=False)


def learning(backbone: Backbone) -> set[str]:
    return {name.split(".")[0] for name, p in backbone.named_parameters() if p.requires_grad}


@pytest.mark.parametrize(
    ("num_feature_steps", "initially_frozen", "num_frozen_steps", "learning_at_0", "learning_at_3"),
    [
        (0, False, 3, "feature_encoder transformer", "feature_encoder transformer"),
        (None, False, 3, "transformer", "transformer"),
        (3, False, 3, "transformer", "feature_encoder transformer"),
        (4, False, 3, "transformer", "transformer"),
        (0, True, 3, "", "feature_encoder transformer"),
        (2, True, 3, "", "feature_encoder transformer"),
        (5, True, 3, "", "transformer"),
        (None, True, 3, "", "transformer"),
        (None, True, 4, "", ""),
        (0, True, None, "", ""),
    ],
)
def test_the_settings_freeze_what_they_say(
    num_feature_steps: int | None,
    initially_frozen: bool,
    num_frozen_steps: int | None,
    learning_at_0: str,
    learning_at_3: str,
) -> None:
    backbone, branch = Backbone(), nn.Linear(2, 2)
    freezing = backbone_freezing(
        backbone,
        feature_parts=[backbone.feature_encoder],
        branch=branch,
        num_feature_steps=num_feature_steps,
        initially_frozen=initially_frozen,
        num_frozen_steps=num_frozen_steps,
    )
    for step, expected in ((0, learning_at_0), (2, learning_at_0), (3, learning_at_3)):
        freezing.apply(step)
        assert learning(backbone) == set(expected.split())
        assert branch.weight.requires_grad == (not initially_frozen or "transformer" in expected)


def test_a_resumed_run_may_jump_to_any_step_and_back() -> None:
    backbone = Backbone()
    freezing = Freezing([(backbone.transformer, 10)])
    freezing.apply(50)
    assert learning(backbone) == {"feature_encoder", "transformer"}
    freezing.apply(9)
    assert learning(backbone) == {"feature_encoder"}
