"""When each word of a decoded text was said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from duovox.decoding.alignment import TokenSpan, align
from duovox.decoding.text import check_vocabulary, spellings


@dataclass(frozen=True, slots=True, kw_only=True)
class WordSpan:
    """A word and the frames from its first character to its last."""

    word: str
    first_frame: int
    stop_frame: int  # one behind the last
    score: float  # mean probability of its characters in these frames


def word_spans(logits: Tensor, text: str, vocabulary: Sequence[str]) -> list[WordSpan]:
    """Return the frames of each word of a text that was decoded from logits (T, V).

    Raises:
        ValueError: the text has characters that the vocabulary lacks, or needs more frames.
    """
    check_vocabulary(logits.shape[-1], vocabulary)
    places = {spelling: place for place, spelling in enumerate(spellings(vocabulary)) if spelling}
    spoken = text if " " in places else "".join(text.split())  # each space is a border of its own
    if unknown := sorted(set(spoken) - places.keys()):
        raise ValueError(f"{text!r} can't be timed: the vocabulary lacks {unknown}")
    log_probabilities = torch.log_softmax(logits.detach().float(), dim=-1).cpu().numpy()
    spans = align(log_probabilities, [places[character] for character in spoken])
    return [
        _joined(match[0], spans[match.start() : match.end()])
        for match in re.finditer(r"\S+", spoken)
    ]


def _joined(word: str, spans: Sequence[TokenSpan]) -> WordSpan:
    num_frames = [span.stop_frame - span.first_frame for span in spans]
    total = sum(span.score * number for span, number in zip(spans, num_frames, strict=True))
    return WordSpan(
        word=word,
        first_frame=spans[0].first_frame,
        stop_frame=spans[-1].stop_frame,
        score=total / sum(num_frames),
    )
