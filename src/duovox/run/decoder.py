"""Make the decoder of a run: what turns its token logits into text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from duovox.run.option import DECODERS, make
from duovox.run.settings import Option

GREEDY: Option = {"_target_": "duovox.decoding.greedy.GreedyDecoder"}  # config/decoder/default.yaml


def build_decoder(
    decoder: Option | None, vocabulary: Sequence[str]
) -> Callable[[Tensor, Tensor], list[str]]:
    """Return what turns token logits (B, T, V) and num_frames (B,) into texts; None is greedy."""
    decode: Callable[[Tensor, Tensor], list[str]] = make(
        decoder or GREEDY, tuple(vocabulary), path="decoder", within=DECODERS
    )
    return decode
