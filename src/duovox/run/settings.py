"""The settings tree of a run as typed records: what exists, what type it has, what is required.

The YAML files under `config/` give the values; these records give the rules. A key that is not
here is refused with the list of those that are, so a misspelt setting never passes silently.
`Option` nodes (with a `_target_`) are pluggable: the signature of their target is the rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Option = dict[str, Any]  # {"_target_": "duovox....", its keyword arguments}


@dataclass(frozen=True, kw_only=True)
class TrialSet:
    """Utterances and the questions asked about them."""

    folder: str | list[str]
    trials: str


@dataclass(frozen=True, kw_only=True)
class SpeechData:
    """Dataset folders for learning and scoring words; the names are those of the results."""

    train: list[str]
    validation: dict[str, str]
    test: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class SpeakerData:
    """Dataset folders and trial lists for learning and scoring speakers."""

    train: list[str]
    validation: dict[str, TrialSet]
    test: dict[str, TrialSet]


@dataclass(frozen=True, kw_only=True)
class Data:
    """What a run learns from."""

    speech: SpeechData | None = None
    speaker: SpeakerData | None = None


@dataclass(frozen=True, kw_only=True)
class SpeechLoading:
    """Batches of a budget of padded samples."""

    train_max_num_samples: int
    length_jitter: float
    val_batch_size: int
    test_batch_size: int
    num_workers: int
    pin_memory: bool


@dataclass(frozen=True, kw_only=True)
class SpeechPipeline:
    """From bytes to waves and tokens."""

    normalize: bool
    min_seconds: float
    max_seconds: float
    unknown_characters: Literal["error", "drop"]
    speeds: list[float]
    augmentations: dict[str, Option]


@dataclass(frozen=True, kw_only=True)
class Tokenizer:
    """The symbols of the CTC head; the first is its blank."""

    vocabulary: list[str]


@dataclass(frozen=True, kw_only=True)
class Speech:
    """Everything about the speech task but its data."""

    dataloader: SpeechLoading
    pipeline: SpeechPipeline
    tokenizer: Tokenizer


@dataclass(frozen=True, kw_only=True)
class SpeakerLoading:
    """Batches of a fixed count."""

    train_batch_size: int
    val_batch_size: int
    test_batch_size: int
    num_workers: int
    pin_memory: bool


@dataclass(frozen=True, kw_only=True)
class Selector:
    """Which part of an utterance is used."""

    start: Literal["first", "random"]
    desired_chunk_length_sec: float


@dataclass(frozen=True, kw_only=True)
class SpeakerPipeline:
    """From bytes to chunks."""

    normalize: Literal["chunk", "utterance", "none"]
    min_seconds: float
    speeds: list[float]
    speeds_are_speakers: bool
    augmentations: dict[str, Option]
    selector_train: Selector
    selector_val: Selector
    selector_test: Selector


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """Everything about the speaker task but its data."""

    dataloader: SpeakerLoading
    pipeline: SpeakerPipeline


@dataclass(frozen=True, kw_only=True)
class Regularisation:
    """Dropout and masking of the network."""

    activation_dropout: float
    attention_dropout: float
    feat_proj_dropout: float
    hidden_dropout: float
    final_dropout: float
    layerdrop: float
    mask_feature_length: int
    mask_feature_prob: float
    mask_time_length: int
    mask_time_prob: float


@dataclass(frozen=True, kw_only=True)
class Network:
    """Backbone and heads."""

    wav2vec_checkpoint: str | None
    architecture: Option
    regularisation: Regularisation
    completely_freeze_feature_extractor: bool
    wav2vec_initially_frozen: bool
    num_frozen_steps: int | None
    use_gradient_checkpointing: bool
    length_aware: bool
    pooling: dict[str, Option]
    stat_pooling_type: str | None = None
    use_cosine_linear: bool = True
    use_multi_branch_encoder: bool = False
    num_shared_transformers: int = 6
    num_speaker_dimensions: int | None = None
    enable_ctc_pool_speaker_embedding: bool = False
    ctc_pool_on_blank_embeddings: bool = False


@dataclass(frozen=True, kw_only=True)
class Loss:
    """The losses of the tasks and how they are weighted."""

    ctc_blank_idx: int = 0
    use_cross_entropy: bool = False
    aam_margin: float = 0.2
    aam_scale: float = 30.0
    scale_method: str | None = None
    static_speech_weight: float = 0.5
    dwa_temperature: float = 2.0
    dwa_weight_sum: float = 1.0
    dwa_use_average_loss: bool = True
    dwa_average_loss_window: int = 5
    weighting: dict[str, Option] | None = None


@dataclass(frozen=True, kw_only=True)
class Optim:
    """Algorithm, learning-rate schedule and losses."""

    algo: Option
    schedule: Option
    loss: Loss


@dataclass(frozen=True, kw_only=True)
class EarlyStop:
    """When to give up: `patience` validations without progress, or a value beyond a threshold."""

    monitor: str
    patience: int
    divergence_threshold: float | None = None


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Checkpoints, early stopping and the limits of what a run puts up with."""

    monitor: str | None
    save_every_minutes: float
    bad_utterance_share: float
    bad_utterance_count: int
    max_bad_steps: int
    early_stopping: list[EarlyStop]

    def __post_init__(self) -> None:
        for name in ("save_every_minutes", "max_bad_steps"):
            if getattr(self, name) < 0:
                raise ValueError(f"callbacks.{name} must be at least 0, got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """How long and how precisely to train."""

    max_steps: int
    val_check_interval: int
    accumulate_grad_batches: int
    precision: Literal[16, "16", "bf16", 32, "32"]
    gradient_clip_val: float
    deterministic: bool
    compile: bool
    log_every_n_steps: int
    num_threads: int | None

    def __post_init__(self) -> None:
        counts = ("max_steps", "val_check_interval", "accumulate_grad_batches", "log_every_n_steps")
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"trainer.{name} must be at least 1, got {getattr(self, name)}")
        if self.num_threads is not None and self.num_threads < 0:
            raise ValueError(
                "trainer.num_threads must be at least 1, or 0 or null for torch's choice, "
                f"got {self.num_threads}"
            )
        if self.gradient_clip_val < 0:
            raise ValueError(
                "trainer.gradient_clip_val must be 0 (no clipping) or above, "
                f"got {self.gradient_clip_val}"
            )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One run, whole."""

    data_folder: str
    log_folder: str
    temp_folder: str
    use_wandb: bool
    use_tensorboard: bool
    gpus: int
    seed: int
    fit_model: bool
    eval_model: bool
    resume: bool
    load_network_from_checkpoint: str | None
    project_name: str
    experiment_name: str | None
    tag: str | list[str] | None
    data: Data
    network: Network
    optim: Optim
    callbacks: Callbacks
    trainer: Trainer
    decoder: Option | None = None  # of runs that learn words
    speech: Speech | None = None
    speaker: Speaker | None = None
