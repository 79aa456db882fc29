"""Utterances decoded in processes are those decoded one by one."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import torch
from torch import Tensor

from duovox.decoding.beam import BeamDecoder
from duovox.decoding.greedy import GreedyDecoder
from duovox.decoding.ngram_beam import NgramBeamDecoder
from duovox.decoding.parallel import decode_all

VOCABULARY = ("<pad>", "|", "A", "B")


def draw(num_utterances: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(0, 40, (num_utterances,), generator=generator).tolist()
    return [3 * torch.randn(length, 4, generator=generator) for length in lengths]


@pytest.mark.parametrize("num_processes", [1, 3])
def test_texts_come_in_the_order_of_the_utterances(num_processes: int) -> None:
    logits, decode = draw(12), BeamDecoder(VOCABULARY)
    expected = [decode(one[None], torch.tensor([len(one)]))[0] for one in logits]
    told: list[int] = []
    texts = decode_all(decode, logits, num_processes=num_processes, on_text=lambda: told.append(1))
    assert texts == expected
    assert len({*texts}) > 5
    assert len(told) == 12


def test_a_language_model_is_shared_by_the_processes(lm: Path, lexicon: Path) -> None:
    logits, decode = draw(8), NgramBeamDecoder(VOCABULARY, str(lm), str(lexicon))
    alone = decode_all(decode, logits, num_processes=1)
    assert decode_all(decode, logits, num_processes=2) == alone


def test_no_utterances_are_no_texts() -> None:
    assert decode_all(GreedyDecoder(VOCABULARY), []) == []


def test_a_killed_process_is_said() -> None:
    parent = os.getpid()

    def die(logits: Tensor, num_frames: Tensor) -> list[str]:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return [""]

    with pytest.raises(ValueError, match="one of 2 decoding processes was killed"):
        decode_all(die, draw(4), num_processes=2)
