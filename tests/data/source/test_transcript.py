"""Transcripts that the vocabulary cannot spell or CTC cannot learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from duovox.data.frames import WAV2VEC2
from duovox.data.source.transcript import find_unknown, find_unlearnable
from duovox.data.tokenizer import Tokenizer

TOKENIZER = Tokenizer(("<pad>", "|", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"))


@pytest.fixture
def index_of(tmp_path, write_shards, entry):
    def make(transcripts: list[str], num_samples: int = 8000):
        wave = np.full(num_samples, 0.1, np.float32)
        return write_shards(
            tmp_path,
            [entry(f"a/b/{n}", wave, transcript=text) for n, text in enumerate(transcripts)],
        )

    return make


def test_unknown_characters_are_an_error_that_counts_them(index_of) -> None:
    index = index_of(["OK", "NAÏVE", "1 NAÏF"])
    with pytest.raises(ValueError, match=r"2 of 3 transcripts.*'1' in 1 of them, 'Ï' in 2 of them"):
        find_unknown(index, TOKENIZER, "error")


def test_the_first_unknown_transcript_is_shown(index_of) -> None:
    with pytest.raises(ValueError, match=r"a/b/1: 'NAÏVE'.*unknown_characters=drop"):
        find_unknown(index_of(["OK", "NAÏVE"]), TOKENIZER, "error")


def test_unknown_characters_can_be_marked_instead(index_of) -> None:
    mask = find_unknown(index_of(["OK", "NAÏVE", "A B"]), TOKENIZER, "drop")
    assert mask.tolist() == [False, True, False]


def test_empty_transcripts_are_found(index_of) -> None:
    faults = find_unlearnable(index_of(["OK", "", "  "]), TOKENIZER, fastest=1.0, frames=WAV2VEC2)
    assert faults["empty transcript"].tolist() == [False, True, True]


@pytest.mark.parametrize("text", ["ABABAB", "AABBAA", "AAAAAA", "AB AB"])
def test_a_transcript_is_too_long_exactly_where_the_ctc_loss_is_infinite(index_of, text) -> None:
    tokens = torch.tensor([TOKENIZER.encode(text)])
    for num_samples in range(1200, 4400, 320):
        index = index_of([text], num_samples)
        num_frames = int(WAV2VEC2.count(index.num_samples)[0])
        log_probs = torch.zeros(num_frames, 1, 28).log_softmax(dim=-1)
        lengths = torch.tensor([num_frames]), torch.tensor([tokens.shape[1]])
        loss = torch.nn.functional.ctc_loss(log_probs, tokens, *lengths)
        faults = find_unlearnable(index, TOKENIZER, fastest=1.0, frames=WAV2VEC2)
        assert faults["transcript longer than its frames"].tolist() == [bool(loss.isinf())]


def test_the_fastest_speed_decides_how_many_frames_there_are(index_of) -> None:
    index = index_of(["ABABAB"], 2320)  # 7 frames, 6 at 1.1 times the speed, 5 at 1.3 times
    cause = "transcript longer than its frames"
    found = [
        bool(find_unlearnable(index, TOKENIZER, fastest=fastest, frames=WAV2VEC2)[cause][0])
        for fastest in (1.0, 1.1, 1.3)
    ]
    assert found == [False, False, True]
