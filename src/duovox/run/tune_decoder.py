"""Search the weights of a decoder on stored logits: what `duovox tune-decoder` does."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
import yaml

from duovox.data.atomic import write_whole
from duovox.decoding.ngram_beam import NgramBeamDecoder
from duovox.decoding.parallel import decode_all
from duovox.metric.wer import count_character_edits, count_word_edits, error_rate
from duovox.run.decoder import build_decoder
from duovox.run.logits import StoredLogits
from duovox.run.report.canvas import LIGHT, render
from duovox.run.report.decoder_plot import decoder_plot
from duovox.run.settings import Option

DECODER_FILE = "decoder.yaml"
Weights = tuple[float, float]  # lm_weight, word_score


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Which weights are tried: a coarse grid, then finer ones around the best point so far."""

    lm_weights: tuple[float, float] = (0.0, 5.0)  # smallest and largest
    word_scores: tuple[float, float] = (-5.0, 5.0)
    num_points: int = 6  # along each side of the coarse grid
    num_rounds: int = 3  # the coarse grid is the first; each later one halves the distances
    beam_sizes: tuple[int, ...] = ()  # tried at last, with the best weights

    def __post_init__(self) -> None:
        for name, (low, high) in (("lm", self.lm_weights), ("word", self.word_scores)):
            if low > high:
                raise ValueError(f"the range of {name} weights must rise, got {low} to {high}")
        if self.num_points < 2 or self.num_rounds < 1:
            raise ValueError(
                "a search needs at least 2 points along each side and 1 round, got "
                f"{self.num_points} and {self.num_rounds}"
            )

    @property
    def most_trials(self) -> int:
        """How many trials there are at most."""
        return len(self.coarse()) + 8 * (self.num_rounds - 1) + len(self.beam_sizes)

    def coarse(self) -> list[Weights]:
        """Return the first round."""
        sides = (np.linspace(*one, self.num_points) for one in (self.lm_weights, self.word_scores))
        return _distinct(product(*(side.tolist() for side in sides)))

    def around(self, best: Weights, *, round_number: int) -> list[Weights]:
        """Return the neighbours of a point in a later round, within the ranges."""
        sides = []
        for middle, (low, high) in zip(best, (self.lm_weights, self.word_scores), strict=True):
            step = (high - low) / (self.num_points - 1) / 2**round_number
            sides.append([min(high, max(low, middle + n * step)) for n in (-1, 0, 1)])
        return _distinct(product(*sides))


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One set of weights, and how well it does."""

    lm_weight: float
    word_score: float
    beam_size: int
    wer: float  # a fraction
    cer: float  # decides between equal word error rates


def tune_decoder(
    stored: StoredLogits,
    decoder: Option,
    *,
    grid: Grid,
    num_processes: int | None = None,
    on_trial: Callable[[Trial], object] = lambda trial: None,
) -> list[Trial]:
    """Try weights by the word error rate of stored logits; return all trials, the best first.

    Raises:
        ValueError: the decoder asks no language model, or can't be made.
    """
    search = build_decoder(decoder, stored.vocabulary)
    if not isinstance(search, NgramBeamDecoder):
        raise ValueError(
            "only a decoder with a language model has weights to tune: give --lm, or --decoder "
            "with use_lm: true"
        )
    trials: dict[tuple[float, float, int], Trial] = {}

    def try_all(weights: Sequence[Weights], beam_size: int) -> Trial:
        for one in weights:
            if (*one, beam_size) not in trials:
                trial = _try(search, stored, one, beam_size, num_processes)
                trials[*one, beam_size] = trial
                on_trial(trial)
        return min(trials.values(), key=_badness)

    best = try_all(grid.coarse(), search.beam_size)
    for number in range(1, grid.num_rounds):
        point = (best.lm_weight, best.word_score)
        best = try_all(grid.around(point, round_number=number), search.beam_size)
    for beam_size in grid.beam_sizes:
        try_all([(best.lm_weight, best.word_score)], beam_size)
    return sorted(trials.values(), key=_badness)


def write_tuned(folder: Path, decoder: Option, trials: Sequence[Trial]) -> Path:
    """Write the best decoder, all trials and their surface into `folder`; return the first."""
    folder.mkdir(parents=True, exist_ok=True)
    best = asdict(trials[0])
    wer = best.pop("wer")
    del best["cer"]
    comment = f"# The best of {len(trials)} trials: WER {wer:.2%} on the data it was tuned on.\n"
    path = folder / DECODER_FILE
    text = yaml.safe_dump(decoder | {"use_lm": True} | best, sort_keys=False)
    write_whole(path, comment + text)
    with (folder / "decoder_trials.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, asdict(trials[0]))
        rows.writeheader()
        rows.writerows(map(asdict, trials))
    plot = decoder_plot(
        [(one.lm_weight, one.word_score) for one in trials],
        [one.wer for one in trials],
        best=(best["lm_weight"], best["word_score"]),
    )
    (folder / "decoder_surface.png").write_bytes(render(plot, LIGHT))
    return path


def _try(
    search: NgramBeamDecoder,
    stored: StoredLogits,
    weights: Weights,
    beam_size: int,
    num_processes: int | None,
) -> Trial:
    lm_weight, word_score = weights
    decode = search.variant(lm_weight=lm_weight, word_score=word_score, beam_size=beam_size)
    texts = decode_all(decode, stored.logits, num_processes=num_processes)
    references = [one.reference for one in stored.utterances]
    return Trial(
        lm_weight=lm_weight,
        word_score=word_score,
        beam_size=beam_size,
        wer=error_rate(count_word_edits(references, texts)),
        cer=error_rate(count_character_edits(references, texts)),
    )


def _badness(trial: Trial) -> tuple[float, ...]:
    """Order by errors; equals by the narrower beam and the weaker weights."""
    return trial.wer, trial.cer, trial.beam_size, trial.lm_weight, abs(trial.word_score)


def _distinct(points: Iterable[Sequence[float]]) -> list[Weights]:
    return list(dict.fromkeys((round(one[0], 4), round(one[1], 4)) for one in points))
