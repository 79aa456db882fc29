"""Search with a language model against every text written out, and against flashlight."""

from __future__ import annotations

import gzip
import math
import sys
from collections.abc import Sequence
from itertools import groupby, product
from pathlib import Path
from typing import Any

import pytest
import torch

from duovox.decoding import greedy
from duovox.decoding.ngram import NgramEstimate
from duovox.decoding.ngram_beam import NgramBeamDecoder

VOCABULARY = ("<pad>", "|", "A", "B")
BLANK, BORDER = 0, 1


def expectation(estimate: NgramEstimate, words: Sequence[str]) -> float:
    """Return log10 of the probability of a whole sentence."""
    sentence = ("<s>", *words, "</s>")
    places = range(1, len(sentence))
    histories = [sentence[max(0, place - estimate.order + 1) : place] for place in places]
    return sum(
        math.log10(estimate.probability(sentence[place], history))
        for place, history in zip(places, histories, strict=True)
    )


def likeliest_by_brute_force(
    scores: torch.Tensor, sentences: Sequence[str], *, lm_weight: float, word_score: float
) -> tuple[str, float]:
    """Return the best text of known words over all V^T paths, and its score."""
    estimate = NgramEstimate([sentence.split() for sentence in sentences], order=2)
    known = {*" ".join(sentences).split()}
    best = ("", -math.inf)
    for path in product(range(len(VOCABULARY)), repeat=len(scores)):
        symbols = [symbol for symbol, _ in groupby(path) if symbol != BLANK]
        words = "".join(VOCABULARY[symbol] for symbol in symbols).replace("|", " ").split()
        if not known.issuperset(words):
            continue
        heard = sum(scores[time, symbol].item() for time, symbol in enumerate(path))
        score = heard + lm_weight * expectation(estimate, words) + word_score * len(words)
        best = max(best, (" ".join(words), score), key=lambda one: one[1])
    return best


@pytest.mark.parametrize(("lm_weight", "word_score"), [(0.0, 0.0), (2.0, 0.0), (3.0, -1.5)])
def test_the_result_is_the_best_of_all_texts_of_known_words(
    lm: Path, lexicon: Path, sentences: Sequence[str], lm_weight: float, word_score: float
) -> None:
    weights = {"lm_weight": lm_weight, "word_score": word_score}
    decoder = NgramBeamDecoder(VOCABULARY, str(lm), str(lexicon), beam_size=500, **weights)
    generator = torch.Generator().manual_seed(0)
    texts = set()
    for _ in range(5):
        scores = (2 * torch.randn(6, 4, generator=generator)).log_softmax(-1)
        text, score = decoder.search(scores)
        expected, best = likeliest_by_brute_force(scores, sentences, **weights)
        assert (text, score) == (expected, pytest.approx(best, abs=1e-4))
        texts.add(text)
    assert len(texts) > 2


def flashlights_own(decoder: NgramBeamDecoder, frames: torch.Tensor, words: list[str]) -> Any:
    """Decode with flashlight alone, built from the settings of a decoder; frames (T, V)."""
    from flashlight.lib.text.decoder import (
        CriterionType,
        LexiconDecoder,
        LexiconDecoderOptions,
        SmearingMode,
        Trie,
    )
    from flashlight.lib.text.decoder.kenlm import KenLM
    from flashlight.lib.text.dictionary import Dictionary

    dictionary = Dictionary([*words, "<unk>"])
    lm, trie = KenLM(decoder.lm, dictionary), Trie(4, BORDER)
    for place, word in enumerate(words):
        letters = [VOCABULARY.index(letter) for letter in word]
        trie.insert([*letters, BORDER], place, lm.score(lm.start(False), place)[1])
    trie.smear(SmearingMode.MAX)
    ctc = CriterionType.CTC
    options = LexiconDecoderOptions(20, 4, 50.0, 1.5, 0.3, -math.inf, -0.2, False, ctc)
    search = LexiconDecoder(options, trie, lm, BORDER, BLANK, len(words), [], False)
    best = search.decode(frames.data_ptr(), *frames.shape)[0]
    return " ".join(words[word] for word in best.words if word >= 0), best.score


def test_text_and_score_equal_flashlights_own(
    lm: Path, lexicon: Path, sentences: Sequence[str]
) -> None:
    decoder = NgramBeamDecoder(
        VOCABULARY,
        str(lm),
        str(lexicon),
        beam_size=20,
        lm_weight=1.5,
        word_score=0.3,
        sil_score=-0.2,
    )
    words = sorted({*" ".join(sentences).split()})
    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        scores = (3 * torch.randn(80, 4, generator=generator)).log_softmax(-1)
        frames = torch.from_numpy(decoder.prepare(scores))
        assert torch.equal(frames[:-1], scores)
        assert decoder.search(scores) == flashlights_own(decoder, frames, words)


def test_symbols_are_searched_without_a_lexicon(letter_lm: Path, sentences: Sequence[str]) -> None:
    decoder = NgramBeamDecoder(VOCABULARY, str(letter_lm), beam_size=500, lm_weight=1.0)
    letters = [list(sentence.replace(" ", "|")) for sentence in sentences]
    estimate = NgramEstimate(letters, order=3)
    scores = torch.randn(5, 4, generator=torch.Generator().manual_seed(2)).log_softmax(-1)
    best = ("", -math.inf)
    for path in product(range(4), repeat=5):
        # A search begins as if behind a border, so that one in front costs nothing.
        _, *symbols = [VOCABULARY[symbol] for symbol, _ in groupby((BORDER, *path)) if symbol]
        heard = sum(scores[time, symbol].item() for time, symbol in enumerate(path))
        one = ("".join(symbols).replace("|", " "), heard + expectation(estimate, symbols))
        best = max(best, one, key=lambda one: one[1])
    text, score = decoder.search(scores)
    assert (text, score) == (" ".join(best[0].split()), pytest.approx(best[1], abs=1e-4))


def test_sure_words_are_read_as_greedy_decoding_reads_them(lm: Path, lexicon: Path) -> None:
    ids = [["A", "B", "|", "A", "_", "|"], ["|", "B", "A", "_", "_", "_"]]
    places = torch.tensor([[VOCABULARY.index(one.replace("_", "<pad>")) for one in i] for i in ids])
    logits, num_frames = 30.0 * torch.nn.functional.one_hot(places, 4), torch.tensor([6, 3])
    decoder = NgramBeamDecoder(VOCABULARY, str(lm), str(lexicon))
    assert decoder(logits, num_frames) == greedy.decode(logits, num_frames, VOCABULARY)


def test_no_frames_and_silence_say_nothing(lm: Path, lexicon: Path, letter_lm: Path) -> None:
    logits = 30.0 * torch.nn.functional.one_hot(torch.zeros(2, 9, dtype=torch.int64), 4)
    for decoder in (
        NgramBeamDecoder(VOCABULARY, str(lm), str(lexicon)),
        NgramBeamDecoder(VOCABULARY, str(letter_lm)),
    ):
        assert decoder(logits, torch.tensor([9, 0])) == ["", ""]


def spoken(words: Sequence[str]) -> list[int]:
    """Return the symbol of each frame: two per letter, eight blanks behind each."""
    letters = [VOCABULARY.index(letter) for letter in "|".join(words)]
    return [symbol for letter in letters for symbol in [letter] * 2 + [BLANK] * 8]


def test_leaving_out_sure_blanks_gives_the_same_text(lm: Path, lexicon: Path) -> None:
    generator = torch.Generator().manual_seed(3)
    all_frames = NgramBeamDecoder(VOCABULARY, str(lm), str(lexicon))
    fewer = NgramBeamDecoder(VOCABULARY, str(lm), str(lexicon), blank_threshold=0.99)
    for words in (["AB", "BA", "A"], ["A", "A", "AB", "BA"], ["BA"]):
        sure = 9.0 * torch.nn.functional.one_hot(torch.tensor(spoken(words)), 4)
        scores = (sure + torch.randn(sure.shape, generator=generator)).log_softmax(-1)
        assert len(fewer.prepare(scores)) < 0.6 * len(scores)
        assert fewer.search(scores)[0] == all_frames.search(scores)[0] == " ".join(words)


def test_a_packed_language_model_is_the_same_model(lm: Path, lexicon: Path, tmp_path: Path) -> None:
    packed = tmp_path / "lm.arpa.gz"
    packed.write_bytes(gzip.compress(lm.read_bytes()))
    scores = torch.randn(9, 4, generator=torch.Generator().manual_seed(4)).log_softmax(-1)
    plain = NgramBeamDecoder(VOCABULARY, str(lm), str(lexicon)).search(scores)
    assert NgramBeamDecoder(VOCABULARY, str(packed), str(lexicon)).search(scores) == plain


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beam_size": 0}, "beam_size must be at least 1, got 0"),
        ({"beam_size_token": 0}, "beam_size_token must be at least 1, got 0"),
        ({"beam_threshold": 0.0}, "beam_threshold must be above 0"),
        ({"lm_weight": float("nan")}, "lm_weight must be a finite number, got nan"),
        ({"lm": None}, "lm must name a language model, got None"),
        ({"blank_threshold": 0.0}, r"blank_threshold must lie in \(0, 1\], got 0"),
        ({"vocabulary": ("<pad>", "A")}, "the vocabulary has no '|'"),
        ({"lexicon": "nowhere.txt"}, "lexicon: there is no file nowhere.txt"),
        ({"lm": "nowhere.arpa"}, "lm must name a language model, and there is no nowhere.arpa"),
    ],
)
def test_settings_out_of_range_are_refused(
    lm: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        NgramBeamDecoder(**{"vocabulary": VOCABULARY, "lm": str(lm)} | settings)


def test_a_vocabulary_of_another_size_is_refused(lm: Path) -> None:
    with pytest.raises(ValueError, match="5 logits, 4 symbols"):
        NgramBeamDecoder(VOCABULARY, str(lm))(torch.zeros(1, 2, 5), torch.tensor([2]))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content.replace(b"-0.", b"-x.", 1), "is damaged, .*: Could not"),
        (lambda content: content[:-60], "is damaged, restore it"),
        (lambda content: gzip.compress(content)[:60], "is damaged, restore it"),
        (lambda content: b"mmap lm http://kheafield.com/code" + bytes(99), "is damaged"),
        (lambda content: b"A B\nAB\n", "lm must name ARPA text .* begins with b'A B"),
        (lambda content: b"", "lm must name ARPA text"),
    ],
)
def test_a_damaged_language_model_is_refused(
    lm: Path, lexicon: Path, damage: Any, message: str
) -> None:
    lm.write_bytes(damage(lm.read_bytes()))
    with pytest.raises(ValueError, match=message):
        NgramBeamDecoder(VOCABULARY, str(lm), str(lexicon)).search(torch.zeros(3, 4))


def test_a_language_model_of_another_language_is_refused(lm: Path, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("BB\nBBA\n")
    decoder = NgramBeamDecoder(VOCABULARY, str(lm), str(tmp_path / "other.txt"))
    with pytest.raises(ValueError, match=r"knows none of the 2 words .*, such as 'BBA'"):
        decoder.search(torch.zeros(3, 4))


def test_a_missing_package_is_said(lm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flashlight.lib.text.decoder.kenlm", None)
    with pytest.raises(ValueError, match=r"needs the package flashlight-text.* Python 3\.1"):
        NgramBeamDecoder(VOCABULARY, str(lm))
