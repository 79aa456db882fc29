"""Characters to tokens, as the wav2vec 2.0 tokenizer numbers them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from duovox.data.frames import WAV2VEC2
from duovox.data.tokenizer import Tokenizer, count_needed_frames

VOCABULARY = (
    *("<pad>", "<s>", "</s>", "<unk>", "|", "E", "T", "A", "O", "N", "I", "H", "S", "R", "D"),
    *("L", "U", "M", "W", "C", "F", "G", "Y", "P", "B", "V", "K", "'", "X", "J", "Q", "Z"),
)


@pytest.fixture
def tokenizer() -> Tokenizer:
    return Tokenizer(VOCABULARY)


@pytest.mark.parametrize("text", ["ZERO", "IT'S A QUIZ", "HELLO WORLD", ""])
def test_tokens_are_those_of_transformers(tokenizer: Tokenizer, tmp_path, text: str) -> None:
    import json

    from transformers import Wav2Vec2CTCTokenizer

    (tmp_path / "vocab.json").write_text(json.dumps({s: n for n, s in enumerate(VOCABULARY)}))
    theirs = Wav2Vec2CTCTokenizer(str(tmp_path / "vocab.json"))
    assert tokenizer.encode(text) == theirs(text).input_ids


def test_runs_of_white_space_are_one_word_border(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("  SO\t IT \n") == tokenizer.encode("SO IT")
    assert tokenizer.encode("O O") == [8, 4, 8]


def test_unknown_characters_are_refused_and_listed(tokenizer: Tokenizer) -> None:
    with pytest.raises(ValueError, match=r"\['1', 'É'\] of 'CAFÉ 1' are not in the vocabulary"):
        tokenizer.encode("CAFÉ 1")


def test_the_wrong_case_is_named_as_the_reason(tokenizer: Tokenizer) -> None:
    with pytest.raises(ValueError, match="which is in upper case"):
        tokenizer.encode("zero")


def test_the_border_sign_itself_is_no_text(tokenizer: Tokenizer) -> None:
    assert tokenizer.unknown_characters("A|B") == {"|"}


def test_known_characters_can_be_encoded_alone(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode_known("AÉB") == tokenizer.encode("AB")


def test_a_vocabulary_without_a_border_has_no_spaces() -> None:
    assert Tokenizer(("<pad>", "a")).unknown_characters("a a") == {" "}


def test_the_blank_never_stands_for_a_character() -> None:
    assert Tokenizer(("_", "A")).unknown_characters("_A") == {"_"}


def test_a_symbol_listed_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"found twice: \['A'\]"):
        Tokenizer(("<pad>", "A", "A"))


@pytest.mark.parametrize("text", ["A", "AA", "ABBA", "AAA", "LESS SLEEP"])
def test_ctc_can_spell_a_text_in_just_the_needed_frames(tokenizer: Tokenizer, text: str) -> None:
    tokens = tokenizer.encode(text)
    needed = count_needed_frames(tokens)

    def loss(num_frames: int) -> float:
        log_probs = torch.zeros(num_frames, 1, len(VOCABULARY)).log_softmax(dim=-1)
        target = torch.tensor([tokens])
        lengths = torch.tensor([num_frames]), torch.tensor([len(tokens)])
        return float(torch.nn.functional.ctc_loss(log_probs, target, *lengths))

    assert np.isfinite(loss(needed))
    assert needed == 1 or loss(needed - 1) == float("inf")


def test_frames_are_those_of_the_convolutions() -> None:
    shapes = zip((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2), strict=True)
    encoder = torch.nn.Sequential(*(torch.nn.Conv1d(1, 1, *shape) for shape in shapes))
    lengths = np.arange(400, 2100, 7)
    theirs = [encoder(torch.zeros(1, length)).shape[1] for length in lengths.tolist()]
    assert WAV2VEC2.count(lengths).tolist() == theirs


def test_frames_are_the_published_ones_at_known_lengths() -> None:
    lengths = np.array([0, 9, 399, 400, 16_000, 48_000, 144_000])
    assert WAV2VEC2.count(lengths).tolist() == [0, 0, 0, 1, 49, 149, 449]
