"""The second dialect: words of the batch-size study's config, for the settings of this tree.

`config/ssl.yaml`, `config/ft_asr.yaml` and what they include map them by interpolation. Here they
are held against their types and left behind, so that a misspelt one is refused and the rest of the
package reads one tree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from duovox.batch import SAMPLE_RATE
from duovox.run.read import read
from duovox.run.rule import Amount, Count, Positive, at_least
from duovox.run.speech_settings import SampleSeed

Plain = dict[str, Any]
Steps = Annotated[int, at_least(-1)]  # -1 = all
# What stands in the tree but is no setting of it; `train` tells that a config speaks the dialect.
TOP = ("train", "tags", "compile", "load_from_ckpt")
DATA = ("pipe", "set")
NETWORK = ("asr_cfg",)


@dataclass(frozen=True, kw_only=True)
class Train:
    """How long, how precisely and on what to train."""

    devices: Count
    accumulation: Positive
    num_steps: Positive
    val_interval: Positive
    log_interval: Positive
    precision: Literal["auto", 16, "16", "bf16", 32, "32"]
    clip_norm: Amount
    val_delay: Count = 0
    stop_at: Positive | None = None


@dataclass(frozen=True, kw_only=True)
class SslTrainPipe:
    """From shards to batches of pre-training; samples are called frames."""

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
class AsrTrainPipe:
    """From shards to batches of fine-tuning; samples are called frames."""

    max_tokens: Positive | None
    batch_size: Positive | None
    max_audio_frames: Positive
    min_audio_frames: Count
    normalize: bool
    length_jitter: Amount
    num_workers: Count


@dataclass(frozen=True, kw_only=True)
class EvaluationPipe:
    """From shards to validation batches."""

    max_tokens: Positive


@dataclass(frozen=True, kw_only=True)
class SslPipe:
    """From shards to batches, in pre-training."""

    train: SslTrainPipe
    val: EvaluationPipe


@dataclass(frozen=True, kw_only=True)
class AsrPipe:
    """From shards to batches, in fine-tuning."""

    train: AsrTrainPipe
    val: EvaluationPipe
    test: EvaluationPipe


@dataclass(frozen=True, kw_only=True)
class DrawnSet:
    """How much of the training data to draw."""

    sample_minutes: float | None
    sample_utterances: int | None
    sample_seed: SampleSeed | None


@dataclass(frozen=True, kw_only=True)
class AsrConfig:
    """How long parts of the network are frozen, in steps."""

    freeze_cnn_for_initial_steps: Steps
    freeze_transformer_for_initial_steps: Steps


def without_dialect(plain: Plain) -> Plain:
    """Return the settings without the words of the dialect, once these have been checked.

    Raises:
        ValueError: a word is unknown or missing, or its value has the wrong type.
    """
    if "train" not in plain:
        return plain
    data, network = plain["data"], plain["network"]
    read(Train, plain["train"], path="train")
    if "ssl" in plain:
        read(SslPipe, data["pipe"], path="data.pipe")
    else:
        read(AsrPipe, data["pipe"], path="data.pipe")
        read(DrawnSet, data["set"], path="data.set")
        read(AsrConfig, network["asr_cfg"], path="network.asr_cfg")
    inner = {"data": _without(DATA, data), "network": _without(NETWORK, network)}
    return _without(TOP, plain) | inner


def _without(words: Collection[str], node: Plain) -> Plain:
    return {key: value for key, value in node.items() if key not in words}


def _of_count(function: Callable[[int], Any]) -> Callable[[Any], Any]:
    """Leave what is no whole number as it is: that it is wrong is said by the word's own name."""
    return lambda value: function(value) if isinstance(value, int) else value


# Interpolation takes `${steps:...}` and the like to these.
RESOLVERS: Mapping[str, Callable[[Any], Any]] = {
    "seconds": _of_count(lambda num_samples: num_samples / SAMPLE_RATE),
    "is_always": _of_count(lambda num_steps: num_steps < 0),
    "is_ever": _of_count(lambda num_steps: num_steps != 0),
    "steps": _of_count(lambda num_steps: None if num_steps < 0 else num_steps),
    "first_steps": _of_count(lambda num_steps: max(num_steps, 0)),
}
