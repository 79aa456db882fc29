"""Make what pre-training is made of: its sets, its network, its task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from duovox.batch import SAMPLE_RATE
from duovox.data.frames import WAV2VEC2, Frames
from duovox.data.plan.batching import Batching
from duovox.data.source.selection import Limits
from duovox.data.source.ssl import SslSource
from duovox.data.stage.chunk import ChunkRule
from duovox.data.stage.masking import Masking
from duovox.data.wave.preparation import Preparation
from duovox.loss.contrastive import ContrastiveLoss
from duovox.loss.pretraining import PretrainingLoss
from duovox.network.wav2vec2 import pretrained
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.pretraining import PretrainingNetwork
from duovox.network.wav2vec2.quantizer import ProductQuantizer
from duovox.optim.gumbel_temperature import GumbelTemperature
from duovox.run.data import evaluation_set, load_index
from duovox.run.evaluate import EvaluationSet
from duovox.run.network import backbone_options
from duovox.run.option import ARCHITECTURES, make
from duovox.run.settings import Network
from duovox.run.ssl_settings import Ssl, SslConfig, SslData
from duovox.task.ssl import SslTask
from duovox.task.ssl_evaluation import SslEvaluation


@dataclass(frozen=True)
class SslSets:
    """The sets of pre-training."""

    data: SslData
    settings: Ssl
    objective: SslConfig
    seed: int
    cache_folder: Path  # for copies of what lies in object stores
    frames: Frames = WAV2VEC2  # that the network makes of a wave

    def training(self) -> SslSource:
        """Return the source that training draws from."""
        pipeline, loading = self.settings.pipeline, self.settings.dataloader
        longest = pipeline.max_num_samples
        return SslSource.for_training(
            load_index(self.data.train, self.cache_folder),
            batching=Batching(
                max_padded_samples=loading.train_max_num_samples,
                batch_size=loading.train_batch_size,
                length_jitter=loading.length_jitter,
            ),
            seed=self.seed,
            preparation=Preparation(chunk=self._chunk(), normalize=self._normalize),
            limits=Limits(
                min_seconds=pipeline.min_num_samples / SAMPLE_RATE,
                max_seconds=None if longest is None else longest / SAMPLE_RATE,
                frames=self.frames,
            ),
            masking=self._masking(),
        )

    def validation(self, task: SslTask) -> list[EvaluationSet]:
        """Return the sets that a run is selected by."""
        return self._sets(self.data.validation, task)

    def test(self, task: SslTask) -> list[EvaluationSet]:
        """Return the sets that are reported."""
        return self._sets(self.data.test, task)

    @property
    def _normalize(self) -> Literal["chunk", "none"]:
        return "chunk" if self.settings.pipeline.normalize else "none"

    def _chunk(self) -> ChunkRule | None:
        pipeline = self.settings.pipeline
        if pipeline.crop_num_samples is None:
            return None
        return ChunkRule(num_samples=pipeline.crop_num_samples, start=pipeline.crop_start)

    def _masking(self) -> Masking:
        return Masking(
            probability=self.objective.percentage_masked,
            length=self.objective.mask_length,
            convention=self.objective.mask_convention,
            min_spans=self.objective.min_mask_spans,
            num_negatives=self.objective.num_negative_samples,
        )

    def _sets(self, folders: Mapping[str, str], task: SslTask) -> list[EvaluationSet]:
        loading = self.settings.dataloader
        sets = []
        for name, folder in folders.items():
            source = SslSource.for_evaluation(
                load_index(folder, self.cache_folder),
                batching=Batching(max_padded_samples=loading.val_max_num_samples),
                seed=self.seed,
                masking=self._masking(),
                chunk_samples=self.settings.pipeline.crop_num_samples,
                normalize=self._normalize,
                frames=self.frames,
            )
            evaluation = SslEvaluation(name=name, task=task)
            sets.append(evaluation_set(evaluation, source, loading.num_workers))
        return sets


def build_ssl_task(objective: SslConfig) -> SslTask:
    """Return the task with its losses."""
    return SslTask(
        contrastive=ContrastiveLoss(temperature=objective.contrastive_temperature),
        pretraining=PretrainingLoss(
            diversity_weight=objective.diversity_loss_weight,
            diversity_epsilon=objective.diversity_loss_epsilon,
            diversity_share=objective.diversity_loss_scale_down,
            feature_penalty_weight=objective.l2_loss_weight,
            scale_penalties=objective.scale_penalties,
        ),
        gumbel_temperature=GumbelTemperature(
            start=objective.gumbel_temperature,
            floor=objective.gumbel_temperature_floor,
            decay=objective.gumbel_temperature_factor,
        ),
    )


def build_pretraining_network(settings: Network, objective: SslConfig) -> PretrainingNetwork:
    """Return a new network, or one that goes on from `network.wav2vec_checkpoint`."""
    options: dict[str, Any] = backbone_options(settings)
    own: dict[str, Any] = {
        "feature_gradient_scale": objective.cnn_grad_factor,
        "feat_quantizer_dropout": objective.quantizer_dropout,
    }
    if settings.wav2vec_checkpoint is not None:
        return pretrained.load_pretraining(settings.wav2vec_checkpoint, **own, **options)
    architecture = make(settings.architecture, path="network.architecture", within=ARCHITECTURES)
    quantizer = ProductQuantizer(
        architecture.conv_channels[-1],
        num_codebooks=objective.num_codebooks,
        num_entries=objective.num_entries,
        out_dim=objective.num_dim_quantized,
    )
    backbone = Wav2Vec2Backbone(architecture, **options)
    return PretrainingNetwork(
        backbone, quantizer, similarity_dim=objective.num_dim_similarity, **own
    )
