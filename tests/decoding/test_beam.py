"""Prefix beam search against the sum over every path, written out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import groupby, product

import pytest
import torch

from duovox.decoding import greedy
from duovox.decoding.beam import BeamDecoder

VOCABULARY = ("<pad>", "|", "A", "B")


def likeliest_by_brute_force(
    log_probabilities: torch.Tensor,
    allowed: Callable[[tuple[int, ...]], bool] = lambda symbols: True,
) -> tuple[int, ...]:
    """Return the allowed symbols with the largest sum over all V^T paths."""
    total: dict[tuple[int, ...], float] = defaultdict(float)
    probabilities = log_probabilities.double().exp()
    for path in product(range(probabilities.shape[1]), repeat=len(probabilities)):
        symbols = tuple(symbol for symbol, _ in groupby(path) if symbol)
        steps = [probabilities[time, symbol].item() for time, symbol in enumerate(path)]
        total[symbols] += torch.tensor(steps, dtype=torch.float64).prod().item()
    return max(filter(allowed, total), key=lambda symbols: total[symbols])


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_the_result_is_that_of_all_paths_summed(spread: float) -> None:
    decoder = BeamDecoder(VOCABULARY, beam_size=1000, token_threshold=-1000.0)
    generator = torch.Generator().manual_seed(round(10 * spread))
    for _ in range(15):
        logits = spread * torch.randn(5, len(VOCABULARY), generator=generator)
        scores = logits.log_softmax(-1)
        assert tuple(decoder.search(scores)) == likeliest_by_brute_force(scores)


def test_a_letter_said_twice_is_found_where_every_best_path_says_it_once() -> None:
    probabilities = torch.full((8, 4), 1e-9)
    probabilities[:, 2], probabilities[:, 0] = 0.6, 0.4  # A or blank, in every frame
    logits, num_frames = probabilities.log()[None], torch.tensor([8])
    assert greedy.decode(logits, num_frames, VOCABULARY) == ["A"]
    assert BeamDecoder(VOCABULARY)(logits, num_frames) == ["AA"]


WORDS = ("A", "AB", "BAB")


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_of_a_list_of_words_the_likeliest_by_all_paths_is_found(spread: float) -> None:
    decoder = BeamDecoder(VOCABULARY, beam_size=1000, token_threshold=-1000.0, words=WORDS)
    generator = torch.Generator().manual_seed(round(10 * spread))
    for _ in range(15):
        scores = (spread * torch.randn(5, len(VOCABULARY), generator=generator)).log_softmax(-1)
        assert tuple(decoder.search(scores)) == likeliest_by_brute_force(scores, can_be_said)


def can_be_said(symbols: tuple[int, ...]) -> bool:
    text = "".join(VOCABULARY[symbol] for symbol in symbols)
    return all(word in WORDS for word in text.split("|") if word)


def test_a_word_that_is_cut_off_is_left_out() -> None:
    logits = 300.0 * torch.nn.functional.one_hot(torch.tensor([2, 1, 3]), 4)[None]
    assert BeamDecoder(VOCABULARY, words=WORDS)(logits, torch.tensor([3])) == ["A"]


def test_frames_that_no_word_explains_end_nothing() -> None:
    logits = 5000.0 * torch.nn.functional.one_hot(torch.tensor([3, 3, 1, 2]), 4)[None]
    assert BeamDecoder(VOCABULARY, words=["A"])(logits, torch.tensor([4])) == ["A"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "decoder.words must list"),
        ("AB", "decoder.words must list"),
        (["A", "AC"], "decoder.words has 'AC', which the vocabulary can't spell: .* A B"),
        ([""], "decoder.words has ''"),
    ],
)
def test_words_that_cannot_be_spelt_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BeamDecoder(VOCABULARY, words=words)


def test_sure_frames_are_read_as_greedy_decoding_reads_them() -> None:
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, 4, (6, 80), generator=generator)
    logits = 30.0 * torch.nn.functional.one_hot(ids, 4)
    num_frames = torch.tensor([80, 3, 1, 0, 41, 80])
    decoder = BeamDecoder(VOCABULARY, beam_size=2)
    assert decoder(logits, num_frames) == greedy.decode(logits, num_frames, VOCABULARY)


def test_a_frame_that_says_nothing_for_sure_and_is_no_blank_ends_nothing() -> None:
    logits = torch.tensor([[[-2000.0, 0.0, 0.0, 0.0], [-2000.0, 0.0, 0.0, 9.0]]])
    [text] = BeamDecoder(VOCABULARY, token_threshold=-0.5)(logits, torch.tensor([2]))
    assert text == VOCABULARY[3]


def test_an_hour_of_frames_does_not_underflow() -> None:
    ids = torch.arange(20_000) % 4
    logits = 2.0 * torch.nn.functional.one_hot(ids, 4)[None]  # the best has a chance of 0.66
    [text] = BeamDecoder(VOCABULARY, beam_size=4)(logits, torch.tensor([20_000]))
    assert len(text) > 5_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beam_size": 0}, "decoder.beam_size must be at least 1, got 0"),
        ({"token_threshold": 0.0}, "decoder.token_threshold .* below 0, got 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BeamDecoder(VOCABULARY, **settings)  # type: ignore[arg-type]


def test_a_vocabulary_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="5 logits, 4 symbols"):
        BeamDecoder(VOCABULARY)(torch.zeros(1, 2, 5), torch.tensor([2]))
