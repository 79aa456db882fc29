"""The weights of a decoder are found, and written so that they are used."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from duovox.run.decoder import build_decoder, chosen_decoder
from duovox.run.logits import StoredLogits, read_logits
from duovox.run.ngram import write_ngram
from duovox.run.redecode import decode_stored
from duovox.run.settings import Option
from duovox.run.tune_decoder import Grid, tune_decoder, write_tuned
from duovox.task.evaluation import Hypothesis

VOCABULARY = ("<pad>", "|", "O", "N", "E", "T")
TEXTS = ("ONE", "TEN", "NOT ONE", "TEN TEN")


@pytest.fixture
def stored() -> StoredLogits:
    """Return logits that spell TEXTS, with much noise."""
    generator = torch.Generator().manual_seed(0)
    return StoredLogits(
        frame_seconds=0.02,
        vocabulary=VOCABULARY,
        utterances=tuple(
            Hypothesis(key=f"a/b/{number}", reference=text, hypothesis="", num_samples=9600)
            for number, text in enumerate(TEXTS)
        ),
        logits=[_noisy(text, generator) for text in TEXTS],
    )


@pytest.fixture
def decoder(flashlight: None, tmp_path: Path) -> Option:
    """Return a decoder with a language model of TEXTS."""
    (tmp_path / "text.txt").write_text("\n".join(TEXTS))
    lm, lexicon = tmp_path / "lm.arpa", tmp_path / "lexicon.txt"
    write_ngram([tmp_path / "text.txt"], lm, order=2, lexicon=lexicon)
    option = chosen_decoder(lm=lm, lexicon=lexicon)
    assert option is not None
    return option


def _noisy(text: str, generator: torch.Generator) -> torch.Tensor:
    letters = [VOCABULARY.index(letter) for letter in text.replace(" ", "|")]
    frames = torch.tensor([symbol for letter in letters for symbol in (letter, 0)])
    sure = 4.0 * torch.nn.functional.one_hot(frames, len(VOCABULARY))
    return sure + 1.5 * torch.randn(sure.shape, generator=generator)


def test_the_best_weights_are_found_and_used(
    stored: StoredLogits, decoder: Option, tmp_path: Path
) -> None:
    grid = Grid(lm_weights=(0.0, 2.0), word_scores=(-40.0, 0.0), num_points=2, beam_sizes=(5,))
    told = []
    trials = tune_decoder(stored, decoder, grid=grid, num_processes=1, on_trial=told.append)
    assert len(told) == len(trials) == len({*trials}) > 5
    assert trials[0].wer == min(one.wer for one in trials) < max(one.wer for one in trials)
    path = write_tuned(tmp_path, decoder, trials)
    assert {one.name for one in tmp_path.iterdir()} >= {
        "decoder.yaml",
        "decoder_trials.csv",
        "decoder_surface.png",
    }
    source, best = tmp_path / "a.npz", chosen_decoder(file=path)
    again = decode_stored(stored, best, tmp_path / "best", source=source, num_processes=1)
    assert again["test"]["a"]["wer"] == trials[0].wer
    greedy = decode_stored(stored, None, tmp_path / "greedy", source=source, num_processes=1)
    assert trials[0].wer < greedy["test"]["a"]["wer"]


def test_results_of_another_decoder_or_other_logits_stay(
    stored: StoredLogits, decoder: Option, tmp_path: Path
) -> None:
    def decode(option: Option | None, name: str) -> dict[str, object]:
        source, out = tmp_path / name, tmp_path / "out"
        return decode_stored(stored, option, out, source=source, num_processes=1)

    first = decode(decoder, "a.npz")
    with pytest.raises(ValueError, match=r"out holds .* a decoder with another lm_weight; .*--out"):
        decode(decoder | {"lm_weight": 1.0}, "a.npz")
    with pytest.raises(ValueError, match=r"out holds the results of another decoder; .*--out"):
        decode(None, "a.npz")
    with pytest.raises(ValueError, match=r"results of .*a\.npz, not of .*b\.npz; .*--out"):
        decode(decoder, "b.npz")
    assert decode(decoder, "a.npz") == first


def test_logits_are_read_as_they_were_written(stored: StoredLogits, tmp_path: Path) -> None:
    stored.write(tmp_path / "logits" / "a.npz")
    again = read_logits(tmp_path / "logits" / "a.npz")
    assert (again.vocabulary, again.utterances) == (stored.vocabulary, stored.utterances)
    assert all(map(torch.equal, again.logits, stored.logits))


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut", b"no logits"])
def test_what_holds_no_logits_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.npz holds no logits .* --store-logits"):
        read_logits(tmp_path / "a.npz")


def test_stored_logits_that_are_not_finite_are_refused(
    stored: StoredLogits, tmp_path: Path
) -> None:
    stored.logits[1][0, 0] = float("nan")
    stored.write(tmp_path / "a.npz")
    with pytest.raises(ValueError, match=rf"not finite \({stored.utterances[1].key}\)"):
        read_logits(tmp_path / "a.npz")


def test_greedy_decoding_has_nothing_to_tune(stored: StoredLogits) -> None:
    greedy = {"_target_": "duovox.decoding.greedy.GreedyDecoder"}
    with pytest.raises(ValueError, match="only a decoder with a language model has weights"):
        tune_decoder(stored, greedy, grid=Grid())


def test_another_vocabulary_is_refused(stored: StoredLogits, decoder: Option) -> None:
    decode = build_decoder(decoder, VOCABULARY[:-1])
    with pytest.raises(ValueError, match="6 logits, 5 symbols"):
        decode(stored.logits[0][None], torch.tensor([1]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lm_weights": (2.0, 1.0)}, "the range of lm weights must rise, got 2.0 to 1.0"),
        ({"num_points": 1}, "at least 2 points along each side and 1 round, got 1 and 3"),
    ],
)
def test_a_grid_must_have_points(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Grid(**settings)  # type: ignore[arg-type]
