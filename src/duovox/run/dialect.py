"""The second dialect: words of the batch-size study's config, for the settings of this tree.

`config/ssl.yaml` maps them by interpolation. Here they are held against their types and left
behind, so that a misspelt one is refused and the rest of the package reads one tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from duovox.run.read import read
from duovox.run.rule import Amount, Count, Positive

Plain = dict[str, Any]
WORDS = ("train", "tags", "compile", "load_from_ckpt")  # at the top; beside data.pipe


@dataclass(frozen=True, kw_only=True)
class Train:
    """How long, how precisely and on what to train."""

    devices: Count
    accumulation: Positive
    num_steps: Positive
    val_interval: Positive
    log_interval: Positive
    precision: Literal[16, "16", "bf16", 32, "32"]
    clip_norm: Amount


@dataclass(frozen=True, kw_only=True)
class TrainPipe:
    """From shards to training batches; samples are called frames."""

    max_tokens: Positive | None
    batch_size: Positive | None
    max_audio_frames: Positive | None
    min_audio_frames: Count
    crop_audio_frames: Positive | None
    crop_start: Literal["first", "random"]
    normalize: bool
    length_jitter: Amount
    num_workers: Count


@dataclass(frozen=True, kw_only=True)
class EvaluationPipe:
    """From shards to validation batches."""

    max_tokens: Positive


@dataclass(frozen=True, kw_only=True)
class Pipe:
    """From shards to batches."""

    train: TrainPipe
    val: EvaluationPipe


def without_dialect(plain: Plain) -> Plain:
    """Return the settings without the words of the dialect, once these have been checked.

    Raises:
        ValueError: a word is unknown or missing, or its value has the wrong type.
    """
    if "train" not in plain:
        return plain
    read(Train, plain["train"], path="train")
    read(Pipe, plain["data"]["pipe"], path="data.pipe")
    kept = {key: node for key, node in plain.items() if key not in WORDS}
    data = {key: node for key, node in plain["data"].items() if key != "pipe"}
    return kept | {"data": data}
