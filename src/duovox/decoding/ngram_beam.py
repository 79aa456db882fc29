"""Beam search with an n-gram language model: flashlight's search, KenLM's model.

With a lexicon its words are all that can be said, and the model is one of words. Without, anything
can be said, and the model is one of the vocabulary's symbols.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from duovox.decoding.kenlm import check_flashlight, check_lm
from duovox.decoding.language_model import LanguageModel
from duovox.decoding.text import BLANK, WORD_BORDER, check_vocabulary, spellings

_NEVER = -1e4  # a log-probability that no search survives


@dataclass(frozen=True)
class NgramBeamDecoder:
    """Find the text with the highest sum of what the network hears and the language model expects.

    score = log P(best path) + lm_weight x log10 P(text) + word_score x words + sil_score x silences

    Args:
        vocabulary: V symbols; the first is the CTC blank, "|" the border between words.
        lm: An n-gram: ARPA text, packed with gzip or not, or KenLM's binary format.
        lexicon: Words, alone or with their symbols; None spells freely, with a language model of
            symbols.
        beam_size: Hypotheses kept per frame.
        word_score: For every word; needs a lexicon.
        sil_score: For every border between words that is no part of a word's spelling.
        beam_threshold: Hypotheses this much below the best of a frame are dropped.
        beam_size_token: The likeliest symbols of a frame that are tried; None tries all.
        blank_threshold: Of successive frames with a blank likelier than this, one is kept: faster,
            and the same text but for ties. 1 keeps all.

    Source: Collobert et al. 2016, Wav2Letter, section 2.4; Heafield 2011, KenLM.
    """

    vocabulary: Sequence[str]
    lm: str
    lexicon: str | None = None
    beam_size: int = 50
    lm_weight: float = 2.0
    word_score: float = 0.0
    sil_score: float = 0.0
    beam_threshold: float = 50.0
    beam_size_token: int | None = None
    blank_threshold: float = 1.0

    def __post_init__(self) -> None:
        for name in ("beam_size", "beam_size_token"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        for name in ("lm_weight", "word_score", "sil_score"):
            if not math.isfinite(value := getattr(self, name)):
                raise ValueError(f"{name} must be a finite number, got {value}")
        if not self.beam_threshold > 0:
            raise ValueError(f"beam_threshold must be above 0, got {self.beam_threshold}")
        if not 0 < self.blank_threshold <= 1:
            raise ValueError(f"blank_threshold must lie in (0, 1], got {self.blank_threshold}")
        if WORD_BORDER not in self.vocabulary:
            raise ValueError(
                f"lm: a language model needs a border between words, and the vocabulary has no "
                f"{WORD_BORDER!r}"
            )
        check_flashlight()
        if not self.lm:
            raise ValueError(f"lm must name a language model, got {self.lm!r}")
        check_lm(Path(self.lm).expanduser())
        if self.lexicon is not None and not Path(self.lexicon).expanduser().is_file():
            raise ValueError(f"lexicon: there is no file {self.lexicon}")

    def __call__(self, logits: Tensor, num_frames: Tensor) -> list[str]:
        """Return the text of each utterance; logits (B, T, V) on any device, num_frames (B,)."""
        check_vocabulary(logits.shape[-1], self.vocabulary)
        scores = torch.log_softmax(logits.detach().float(), dim=-1).cpu()
        return [
            self.search(row[:length])[0]
            for row, length in zip(scores, num_frames.tolist(), strict=True)
        ]

    def search(self, log_probabilities: Tensor) -> tuple[str, float]:
        """Return the best text of one utterance and its score; log_probabilities (T, V)."""
        frames = self.prepare(log_probabilities)
        results = self._decoder.decode(frames.ctypes.data, *frames.shape) if len(frames) else []
        if not results:
            return "", -math.inf
        best = max(results, key=lambda result: result.score)
        return self._text(best), float(best.score)

    def prepare(self, log_probabilities: Tensor) -> NDArray[np.float32]:
        """Return the frames that are searched (T', V).

        A word of the lexicon ends with a border. One more frame at the end, which is a border or
        nothing at no cost, completes the last word of a network that doesn't say it.
        """
        frames = log_probabilities.numpy()
        is_blank = frames[:, BLANK] > math.log(self.blank_threshold)
        is_kept = ~is_blank
        is_kept[1:] |= ~is_blank[:-1]  # the first of successive blanks
        is_kept[:1] = True
        frames = frames[is_kept]
        if self.lexicon is not None and len(frames):
            end = np.full((1, frames.shape[1]), _NEVER, np.float32)
            end[0, [BLANK, self._border]] = 0.0
            frames = np.concatenate([frames, end])
        return np.ascontiguousarray(frames, np.float32)

    def variant(self, **settings: float | None) -> NgramBeamDecoder:
        """Return a decoder with other weights or beam that shares the loaded language model."""
        other = replace(self, **settings)  # type: ignore[arg-type]
        vars(other)["_model"] = self._model
        return other

    def _text(self, result: Any) -> str:
        spelling, lexicon = spellings(self.vocabulary), self._model.lexicon
        if lexicon is None:
            symbols = [symbol for symbol, _ in groupby(result.tokens) if symbol > BLANK]
            return " ".join("".join(spelling[symbol] for symbol in symbols).split())
        words = [lexicon.spellings[word][0] for word in result.words if word >= 0]
        return " ".join("".join(spelling[symbol] for symbol in word) for word in words)

    @property
    def _border(self) -> int:
        return list(self.vocabulary).index(WORD_BORDER)

    @cached_property
    def _model(self) -> LanguageModel:
        lexicon = None if self.lexicon is None else Path(self.lexicon).expanduser()
        return LanguageModel.load(Path(self.lm).expanduser(), lexicon, self.vocabulary)

    @cached_property
    def _decoder(self) -> Any:
        """Flashlight's search; it keeps no state between utterances."""
        from flashlight.lib.text import decoder as flashlight

        model = self._model
        settings = {
            "beam_size": self.beam_size,
            "beam_size_token": self.beam_size_token or len(self.vocabulary),
            "beam_threshold": self.beam_threshold,
            "lm_weight": self.lm_weight,
            "sil_score": self.sil_score,
            "log_add": False,
            "criterion_type": flashlight.CriterionType.CTC,
        }
        if model.lexicon is None:
            free = flashlight.LexiconFreeDecoderOptions(**settings)
            return flashlight.LexiconFreeDecoder(free, model.lm, self._border, BLANK, [])
        options = flashlight.LexiconDecoderOptions(
            word_score=self.word_score, unk_score=-math.inf, **settings
        )
        unknown = len(model.lexicon.words)
        places = (self._border, BLANK, unknown)
        return flashlight.LexiconDecoder(options, model.trie, model.lm, *places, [], False)
