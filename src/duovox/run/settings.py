"""The settings tree of a run as typed records: what exists, what type it has, what is required.

The YAML files under `config/` give the values; these records give the rules. A key that is not
here is refused with the list of those that are, so a misspelt setting never passes silently.
`Option` nodes (with a `_target_`) are pluggable: the signature of their target is the rule.

A rule between two settings stands in the `__post_init__` of their record, in a sentence that begins
with the name of one of them; `read` puts the record's place before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from duovox.run.rule import Amount, Count, Positive, Share, above, at_least, between, distinct
from duovox.run.speaker_settings import Speaker, SpeakerData, Speeds
from duovox.run.speech_settings import SpeechData, SpeechLoading
from duovox.run.ssl_settings import Collapse, Ssl, SslConfig, SslData

Option = dict[str, Any]  # {"_target_": "duovox....", its keyword arguments}
Precision = Literal["auto", 16, "16", "bf16", 32, "32"]  # auto: the fastest of the machine
Seed = Annotated[int, between(0, 2**63 - 1)]  # what torch and numpy both take


@dataclass(frozen=True, kw_only=True)
class Data:
    """What a run learns from: a batch for each task, or joint ones that have both labels."""

    speech: SpeechData | None = None
    speaker: SpeakerData | None = None
    ssl: SslData | None = None
    batches: Literal["disjoint", "joint"] = "disjoint"

    def __post_init__(self) -> None:
        words, voices = (part.train if part else None for part in (self.speech, self.speaker))
        if self.batches == "joint" and (words is None or words != voices):
            raise ValueError(
                "batches=joint hears the same utterances for both tasks, so speaker.train must be "
                f"speech.train, got {voices} and {words}"
            )


@dataclass(frozen=True, kw_only=True)
class SpeechPipeline:
    """From bytes to waves and tokens."""

    normalize: bool
    min_seconds: Amount
    max_seconds: float
    unknown_characters: Literal["error", "drop"]
    speeds: Speeds
    augmentations: dict[str, Option]

    def __post_init__(self) -> None:
        if self.max_seconds <= self.min_seconds:
            raise ValueError(
                f"max_seconds must be above min_seconds={self.min_seconds}, got {self.max_seconds}"
            )


@dataclass(frozen=True, kw_only=True)
class Tokenizer:
    """The symbols of the CTC head; the first is its blank."""

    vocabulary: Annotated[list[str], distinct(2)]


@dataclass(frozen=True, kw_only=True)
class Speech:
    """Everything about the speech task but its data."""

    dataloader: SpeechLoading
    pipeline: SpeechPipeline
    tokenizer: Tokenizer


@dataclass(frozen=True, kw_only=True)
class Regularisation:
    """Dropout and masking of the network."""

    activation_dropout: Share
    attention_dropout: Share
    feat_proj_dropout: Share
    hidden_dropout: Share
    final_dropout: Share
    layerdrop: Share
    mask_feature_length: Positive
    mask_feature_prob: Share
    mask_time_length: Positive
    mask_time_prob: Share
    mask_time_min_spans: Count = 2


@dataclass(frozen=True, kw_only=True)
class Network:
    """Backbone and heads."""

    wav2vec_checkpoint: str | None
    architecture: Option
    regularisation: Regularisation
    completely_freeze_feature_extractor: bool
    wav2vec_initially_frozen: bool
    num_frozen_steps: Count | None
    num_frozen_feature_extractor_steps: Count = 0
    freeze_feature_projection: bool = False
    use_gradient_checkpointing: bool
    length_aware: bool
    pooling: dict[str, Option]
    stat_pooling_type: str | None = None
    use_speaker_head: bool = True
    use_cosine_linear: bool = True
    num_speaker_centers: Positive = 1
    use_multi_branch_encoder: bool = False
    num_shared_transformers: Count = 6
    num_speaker_dimensions: Positive | None = None
    speaker_head_layer: Annotated[int, at_least(-1)] = -1
    use_data_source_head: bool = False
    reversal_scale: Amount = 1.0
    enable_ctc_pool_speaker_embedding: bool = False
    enable_ctc_pool_no_grad: bool = True
    ctc_pool_on_blank_embeddings: bool = False
    random_permutation_mode: Literal["before", "after"] | None = None
    ctc_blank_bias: float = 0.0
    ctc_token_scale: Amount = 1.0
    ssl_cfg: SslConfig | None = None  # of pre-training

    def __post_init__(self) -> None:
        if self.num_speaker_centers > 1 and not self.use_cosine_linear:
            raise ValueError(
                "num_speaker_centers above 1 needs use_cosine_linear=true: a linear head has no "
                f"centers; got {self.num_speaker_centers}"
            )


@dataclass(frozen=True, kw_only=True)
class Loss:
    """The losses of the tasks, how they are weighted, and what becomes of their gradients."""

    ctc_blank_idx: int = 0
    use_cross_entropy: bool = False
    aam_margin: float = 0.2
    aam_scale: float = 30.0
    aam_margin_warmup_steps: Count = 0
    aam_inter_top_k: Count = 0
    aam_inter_top_k_penalty: Amount = 0.06
    classification_weight: Amount = 1.0
    triplet_weight: Amount = 0.0
    triplet_margin: Annotated[float, above(0)] = 1.0
    scale_method: str | None = None
    static_speech_weight: Share = 0.5
    dwa_temperature: Annotated[float, above(0)] = 2.0
    dwa_weight_sum: Annotated[float, above(0)] = 1.0
    dwa_use_average_loss: bool = True
    dwa_average_loss_window: Positive = 5
    gradnorm_alpha: Amount = 1.5
    gradnorm_lr: Annotated[float, above(0)] = 0.025
    weighting: dict[str, Option] | None = None
    gradient_method: str | None = None
    cagrad_c: Amount = 0.5
    log_task_gradients: bool = False
    data_source_weight: Amount = 1.0
    gradient: dict[str, Option] | None = None

    def __post_init__(self) -> None:
        for name in ("aam_margin_warmup_steps", "aam_inter_top_k"):
            if self.use_cross_entropy and getattr(self, name):
                raise ValueError(
                    f"{name} belongs to AAM-softmax and needs use_cross_entropy=false, got "
                    f"{getattr(self, name)}"
                )


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
    patience: Count
    divergence_threshold: float | None = None


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Checkpoints, early stopping and the limits of what a run puts up with."""

    monitor: str | None
    save_every_minutes: Amount
    bad_utterance_share: Share
    bad_utterance_count: Count
    max_bad_steps: Count
    early_stopping: list[EarlyStop]
    keep_progress: bool = False
    collapse: Collapse | None = None  # of pre-training
    gradient_variance_steps: Count = 0  # after each validation; 0 = not measured


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """How long and how precisely to train."""

    max_steps: Positive
    val_check_interval: Positive
    accumulate_grad_batches: Positive
    precision: Precision
    gradient_clip_val: Amount
    deterministic: bool
    compile: bool
    log_every_n_steps: Positive
    num_threads: Count | None
    val_delay: Count = 0  # no validation before this step
    stop_at_step: Positive | None = None  # of the max_steps that the schedule is made for


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One run, whole."""

    data_folder: str
    log_folder: str
    temp_folder: str
    use_wandb: bool
    use_tensorboard: bool
    gpus: Count
    seed: Seed
    fit_model: bool
    eval_model: bool
    resume: bool
    run_lr_range_test: bool = False
    lr_range_iterations: Annotated[int, at_least(2)] = 1000
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
    ssl: Ssl | None = None
