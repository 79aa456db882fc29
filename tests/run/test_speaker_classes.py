"""Rows of a speaker head are taken by the names of their speakers."""

from __future__ import annotations

import pytest
import torch

from duovox.network.head.cosine import CosineHead
from duovox.network.head.linear import LinearHead
from duovox.run.speaker_classes import has_classes, take_classes

THEIRS = ["anna", "bert", "carl", "anna x1.1"]
WANTED = ["carl", "anna"]


@pytest.mark.parametrize(
    "make",
    [
        lambda n: CosineHead(6, n),
        lambda n: CosineHead(6, n, num_centers=3),
        lambda n: LinearHead(6, n),
    ],
    ids=["cosine", "centers", "linear"],
)
def test_the_taken_classes_keep_their_logits(make) -> None:
    before, after = make(4), make(2)
    state = {f"speaker_head.{name}": weight for name, weight in before.state_dict().items()}
    state["backbone.norm.bias"] = torch.randn(4)
    taken = take_classes(state, THEIRS, WANTED)
    assert torch.equal(taken.pop("backbone.norm.bias"), state["backbone.norm.bias"])
    after.load_state_dict({name.removeprefix("speaker_head."): w for name, w in taken.items()})
    embedding = torch.randn(5, 6)
    torch.testing.assert_close(after(embedding), before(embedding)[:, [2, 0]])


def test_only_classes_that_were_learnt_are_taken() -> None:
    assert has_classes(THEIRS, WANTED)
    assert has_classes(THEIRS, THEIRS[::-1])
    assert not has_classes(THEIRS, THEIRS)
    assert not has_classes(THEIRS, ["anna", "dora"])
