"""The settings of pre-training, as parts of the tree in `settings`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from duovox.run.rule import Amount, Count, Positive, Share, above, named_as_files

Factor = Annotated[float, above(0)]


@dataclass(frozen=True, kw_only=True)
class SslData:
    """Dataset folders to pre-train on; the names are those of the results. Texts are not read."""

    train: list[str]
    validation: Annotated[dict[str, str], named_as_files()]
    test: Annotated[dict[str, str], named_as_files()] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SslLoading:
    """Batches of a budget of padded samples, or of a fixed count."""

    train_max_num_samples: Positive | None
    train_batch_size: Positive | None
    length_jitter: Amount
    val_max_num_samples: Positive
    num_workers: Count
    pin_memory: bool

    def __post_init__(self) -> None:
        if (self.train_max_num_samples is None) == (self.train_batch_size is None):
            raise ValueError(
                "train_max_num_samples or train_batch_size must be set, and the other null, got "
                f"{self.train_max_num_samples} and {self.train_batch_size}"
            )


@dataclass(frozen=True, kw_only=True)
class SslPipeline:
    """From bytes to waves; lengths are in samples at 16 kHz."""

    normalize: bool
    min_num_samples: Count
    max_num_samples: Positive | None  # longer ones are left out
    crop_num_samples: Positive | None  # longer ones are cut
    crop_start: Literal["first", "random"]

    def __post_init__(self) -> None:
        if self.max_num_samples is not None and self.max_num_samples <= self.min_num_samples:
            raise ValueError(
                f"max_num_samples must be above min_num_samples={self.min_num_samples}, got "
                f"{self.max_num_samples}"
            )


@dataclass(frozen=True, kw_only=True)
class Ssl:
    """Everything about pre-training but its data and its objective."""

    dataloader: SslLoading
    pipeline: SslPipeline


@dataclass(frozen=True, kw_only=True)
class SslConfig:
    """The objective: what is masked, what it is told from, and what the loss is made of."""

    percentage_masked: Share
    mask_length: Positive
    mask_convention: Literal["fairseq", "huggingface", "nano"]
    min_mask_spans: Count
    num_negative_samples: Positive
    contrastive_temperature: Factor
    num_dim_similarity: Positive
    num_codebooks: Positive
    num_entries: Positive
    num_dim_quantized: Positive
    quantizer_dropout: Share
    gumbel_temperature: Factor
    gumbel_temperature_floor: Factor
    gumbel_temperature_factor: Annotated[float, above(0)]
    cnn_grad_factor: Share
    diversity_loss_weight: Amount
    diversity_loss_epsilon: Amount
    diversity_loss_scale_down: bool
    l2_loss_weight: Amount
    scale_penalties: bool


@dataclass(frozen=True, kw_only=True)
class Collapse:
    """When pre-training has collapsed: too few entries of a codebook in use for too long."""

    min_code_share: Share  # of the entries; by the choices made in a training batch
    patience: Count  # points of the training curves in a row that are put up with
