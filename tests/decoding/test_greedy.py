"""Greedy decoding against the tokenizer of transformers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from duovox.decoding.greedy import decode

VOCABULARY = (*("<pad>", "<s>", "</s>", "<unk>", "|"), *"ETAONIHSRDLUMWCFGYPBVK'XJQZ")


@pytest.fixture
def tokenizer(tmp_path: Path) -> Any:
    from transformers import Wav2Vec2CTCTokenizer

    file = tmp_path / "vocab.json"
    file.write_text(json.dumps({symbol: i for i, symbol in enumerate(VOCABULARY)}))
    return Wav2Vec2CTCTokenizer(str(file), do_lower_case=False)


def logits_of(*rows: str) -> torch.Tensor:
    """Return logits whose best symbols spell the rows; "_" is the blank, "u" is <unk>."""
    symbols = {"_": "<pad>", "u": "<unk>"}
    ids = [[VOCABULARY.index(symbols.get(s, s)) for s in row] for row in rows]
    return torch.nn.functional.one_hot(torch.tensor(ids), len(VOCABULARY)).float()


@pytest.mark.parametrize("blank_bonus", [0.0, 2.0])
def test_text_equals_the_tokenizer_on_random_logits(tokenizer: Any, blank_bonus: float) -> None:
    logits, num_frames = torch.randn(40, 120, 32), torch.randint(0, 121, (40,))
    logits[..., 0] += blank_bonus
    logits[..., 4] += 1.0
    expected = []
    for row, length in zip(logits.argmax(-1), num_frames, strict=True):
        text = tokenizer.decode(row[:length])
        expected.append(re.sub(r"<s>|</s>|<unk>", "", text).strip())
    assert decode(logits, num_frames, VOCABULARY) == expected


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        ("TTOO", "TO"),
        ("TO_O", "TOO"),
        ("TTu_TT", "TT"),
        ("|_|TO||A|", "TO A"),
        ("______", ""),
        ("uuuuuu", ""),
    ],
)
def test_repeats_blanks_borders_and_specials(frames: str, text: str) -> None:
    assert decode(logits_of(frames), torch.tensor([len(frames)]), VOCABULARY) == [text]


def test_frames_behind_the_length_are_not_read() -> None:
    assert decode(logits_of("TOE", "TOE"), torch.tensor([2, 0]), VOCABULARY) == ["TO", ""]


def test_half_precision_and_symbols_of_several_letters() -> None:
    vocabulary = ("<pad>", "|", "CH", "A")
    logits = torch.eye(4)[[2, 3, 1, 2]][None].bfloat16()
    assert decode(logits, torch.tensor([4]), vocabulary) == ["CHA CH"]


def test_a_vocabulary_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="5 logits, 32 symbols"):
        decode(torch.zeros(1, 3, 5), torch.tensor([3]), VOCABULARY)
