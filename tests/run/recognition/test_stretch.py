"""Stretches are all logits, in order, cut where no word is."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from duovox.decoding.greedy import decode
from duovox.run.recognition import stretch
from duovox.run.recognition.stretch import stretches

VOCABULARY = ("<pad>", "|", "A", "B")


def text_of(logits: Tensor) -> list[str]:
    return decode(logits[None], torch.tensor([len(logits)]), VOCABULARY)[0].split()


@given(sizes=st.lists(st.integers(1, 12), min_size=1, max_size=6), seed=st.integers(0, 999))
def test_stretches_read_together_as_the_whole(sizes, seed) -> None:
    logits = torch.randn(sum(sizes), 4, generator=torch.Generator().manual_seed(seed))
    found = list(stretches(logits.split(sizes), VOCABULARY))
    assert torch.equal(torch.cat([one.logits for one in found]), logits)
    lengths = [len(one.logits) for one in found]
    assert [one.first_frame for one in found] == [sum(lengths[:n]) for n in range(len(found))]
    assert [word for one in found for word in text_of(one.logits)] == text_of(logits)


def test_one_piece_stays_whole() -> None:
    logits = torch.randn(50, 4)
    (only,) = stretches([logits], VOCABULARY)
    assert torch.equal(only.logits, logits)


def test_a_stretch_ends_with_the_last_border() -> None:
    path = torch.tensor([2, 1, 3, 1, 0, 2])
    logits = 9.0 * torch.nn.functional.one_hot(path, 4)
    first, rest = stretches([logits, logits], VOCABULARY)
    assert (len(first.logits), len(rest.logits), rest.first_frame) == (4, 8, 4)


def test_speech_without_borders_is_cut_in_its_deepest_silence(monkeypatch) -> None:
    monkeypatch.setattr(stretch, "MAX_FRAMES", 8)
    path = torch.tensor([2, 0, 3, 2, 2, 3, 0, 2, 3, 2])
    logits = 9.0 * torch.nn.functional.one_hot(path, 4)
    first, rest = stretches([logits, logits], VOCABULARY)
    assert (len(first.logits), rest.first_frame) == (7, 7)
    borderless = list(stretches([logits[:, [0, 2, 3]]] * 2, ("<pad>", "A", "B")))
    assert [len(one.logits) for one in borderless] == [7, 13]
