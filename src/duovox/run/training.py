"""Make what learns: the tasks and their losses, the optimiser, the module that holds them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from duovox.loss.aam_softmax import AamSoftmaxLoss
from duovox.loss.cross_entropy import CrossEntropyLoss
from duovox.loss.ctc import CtcLoss
from duovox.loss.gradient import GradientMethod
from duovox.loss.triplet import TripletLoss
from duovox.loss.weighting.none import NoWeighting
from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.wav2vec2.pretraining import PretrainingNetwork
from duovox.optim.freezing import backbone_freezing
from duovox.run.decoder import build_decoder
from duovox.run.option import (
    ALGORITHMS,
    GRADIENT_METHODS,
    SCHEDULES,
    WEIGHTINGS,
    choose,
    make,
)
from duovox.run.pretraining import build_ssl_task
from duovox.run.settings import Callbacks, Loss, Option, Settings
from duovox.run.ssl_settings import SslConfig
from duovox.task.data_source import DataSource
from duovox.task.multitask import MultiTask, Task
from duovox.task.speaker import SpeakerTask
from duovox.task.speech import SpeechTask
from duovox.task.ssl import SslTask


def build_tasks(
    loss: Loss,
    *,
    vocabulary: Sequence[str] | None,
    decoder: Option | None,
    has_speakers: bool,
    objective: SslConfig | None = None,
) -> dict[str, Task]:
    """Return the tasks of a run with their losses.

    Args:
        objective: of pre-training.
    """
    if loss.ctc_blank_idx != 0:
        raise ValueError(
            "optim.loss.ctc_blank_idx must be 0: the first symbol of speech.tokenizer.vocabulary "
            f"is the blank; got {loss.ctc_blank_idx}"
        )
    tasks: dict[str, Task] = {}
    if vocabulary is not None:
        ctc = CtcLoss(blank=loss.ctc_blank_idx)
        decode = build_decoder(decoder, vocabulary)
        tasks["speech"] = SpeechTask(ctc=ctc, decode=decode, vocabulary=tuple(vocabulary))
    if has_speakers:
        tasks["speaker"] = _speaker_task(loss)
    if objective is not None:
        tasks["ssl"] = build_ssl_task(objective)
    return tasks


def _speaker_task(loss: Loss) -> SpeakerTask:
    return SpeakerTask(
        classification=CrossEntropyLoss() if loss.use_cross_entropy else _aam_softmax(loss),
        triplet=TripletLoss(margin=loss.triplet_margin) if loss.triplet_weight else None,
        classification_weight=loss.classification_weight,
        triplet_weight=loss.triplet_weight,
    )


def _aam_softmax(loss: Loss) -> AamSoftmaxLoss:
    return AamSoftmaxLoss(
        margin_rad=loss.aam_margin,
        scale=loss.aam_scale,
        inter_top_k=loss.aam_inter_top_k,
        inter_top_k_penalty_rad=loss.aam_inter_top_k_penalty,
        warmup_steps=loss.aam_margin_warmup_steps,
    )


def build_module(
    settings: Settings,
    network: SpeechSpeakerNetwork | PretrainingNetwork,
    tasks: dict[str, Task],
) -> MultiTask:
    """Return the Lightning module that trains the network."""
    if isinstance(network, PretrainingNetwork):
        at_step = _pretraining_step(settings, tasks["ssl"])
    else:
        at_step = _in_turn(_freezing(settings, network), *_margin_schedule(tasks))
    return MultiTask(
        network,
        tasks=tasks,
        weighting=_weighting(settings.optim.loss, network),
        at_step=at_step,
        make_optimizer=_optimizer(settings),
        clip_norm=settings.trainer.gradient_clip_val,
        seed=settings.seed,
        max_bad_steps=settings.callbacks.max_bad_steps,
        log_every_n_steps=settings.trainer.log_every_n_steps,
        gradient_method=_gradient_method(settings.optim.loss),
        log_task_gradients=settings.optim.loss.log_task_gradients,
        data_source=_data_source(settings),
    )


def _data_source(settings: Settings) -> DataSource | None:
    if not settings.network.use_data_source_head:
        return None
    return DataSource(weight=settings.optim.loss.data_source_weight)


def _in_turn(*parts: Callable[[int], None]) -> Callable[[int], None]:
    def at_step(step: int) -> None:
        for part in parts:
            part(step)

    return at_step


def _margin_schedule(tasks: dict[str, Task]) -> list[Callable[[int], None]]:
    speaker = tasks.get("speaker")
    if isinstance(speaker, SpeakerTask) and isinstance(speaker.classification, AamSoftmaxLoss):
        return [speaker.classification.at_step]
    return []


def _freezing(settings: Settings, network: SpeechSpeakerNetwork) -> Callable[[int], None]:
    if settings.speaker is not None:
        _check_loss_fits_head(settings)
        _check_triplets(settings)
    chosen, backbone = settings.network, network.backbone
    parts: list[nn.Module] = [backbone.feature_encoder]
    if chosen.freeze_feature_projection:
        parts += [backbone.embedding.feature_norm, backbone.embedding.projection]
    num_feature_steps = chosen.num_frozen_feature_extractor_steps
    freezing = backbone_freezing(
        backbone,
        feature_parts=parts,
        branch=network.get_submodule("branch"),
        num_feature_steps=None if chosen.completely_freeze_feature_extractor else num_feature_steps,
        initially_frozen=chosen.wav2vec_initially_frozen,
        num_frozen_steps=chosen.num_frozen_steps,
    )
    return freezing.apply


def _pretraining_step(settings: Settings, task: Task) -> Callable[[int], None]:
    assert isinstance(task, SslTask)
    if settings.network.wav2vec_initially_frozen:
        raise ValueError(
            "network.wav2vec_initially_frozen must be false in pre-training, got true: without the "
            "backbone there is nothing to learn"
        )
    return task.at_step


def _check_loss_fits_head(settings: Settings) -> None:
    has_head, weight = settings.network.use_speaker_head, settings.optim.loss.classification_weight
    if has_head != (weight > 0):
        raise ValueError(
            f"optim.loss.classification_weight={weight:g} needs network.use_speaker_head="
            f"{str(weight > 0).lower()}, got {str(has_head).lower()}"
        )
    if not has_head:
        return
    is_cross_entropy = settings.optim.loss.use_cross_entropy
    is_cosine = settings.network.use_cosine_linear
    if is_cross_entropy == is_cosine:
        loss, wanted = ("cross-entropy", "false") if is_cross_entropy else ("AAM-softmax", "true")
        raise ValueError(
            f"optim.loss.use_cross_entropy={str(is_cross_entropy).lower()} ({loss}) needs "
            f"network.use_cosine_linear={wanted}, got {str(is_cosine).lower()}"
        )


def _check_triplets(settings: Settings) -> None:
    assert settings.speaker is not None
    loss, loading = settings.optim.loss, settings.speaker.dataloader
    if loss.triplet_weight == loss.classification_weight == 0:
        raise ValueError(
            "optim.loss.triplet_weight or classification_weight must be above 0, got 0 for both: "
            "without either there is nothing to learn of speakers"
        )
    if (
        loss.triplet_weight
        and not 1 < loading.train_utterances_per_speaker < loading.train_batch_size
    ):
        raise ValueError(
            "optim.loss.triplet_weight compares utterances of a batch, which must have several "
            "speakers and several utterances of each: speaker.dataloader."
            "train_utterances_per_speaker must be at least 2 and below train_batch_size="
            f"{loading.train_batch_size}, got {loading.train_utterances_per_speaker}"
        )


def _weighting(loss: Loss, network: SpeechSpeakerNetwork | PretrainingNetwork) -> nn.Module:
    if loss.weighting is None or isinstance(network, PretrainingNetwork):
        return NoWeighting()
    option = choose(loss.weighting, loss.scale_method, setting="optim.loss.scale_method")
    path = f"optim.loss.weighting.{loss.scale_method}"
    shared = tuple(network.last_shared_layer.parameters())
    weighting: nn.Module = make(option, path=path, within=WEIGHTINGS, shared=shared)
    return weighting


def _gradient_method(loss: Loss) -> GradientMethod | None:
    name = loss.gradient_method
    if name is None:
        return None
    if loss.gradient is None:
        raise ValueError(
            "optim.loss.gradient_method makes one gradient of those of two tasks, and this run has "
            f"one task: leave it null, got {name!r}"
        )
    option = choose(loss.gradient, name, setting="optim.loss.gradient_method")
    path = f"optim.loss.gradient.{name}"
    method: GradientMethod = make(option, path=path, within=GRADIENT_METHODS)
    return method


def _optimizer(settings: Settings) -> Callable[[nn.Module], dict[str, Any]]:
    optim, trainer = settings.optim, settings.trainer

    def configure(module: nn.Module) -> dict[str, Any]:
        optimizer = build_optimizer(optim.algo, module)
        schedule = make(
            optim.schedule,
            optimizer,
            path="optim.schedule",
            within=SCHEDULES,
            max_steps=trainer.max_steps,
        )
        every: dict[str, Any] = {"scheduler": schedule, "interval": "step"}
        if isinstance(schedule, ReduceLROnPlateau):
            # Never by Lightning, which would step it after the checkpoint of the validation.
            every |= {"frequency": sys.maxsize, "monitor": _watched(settings.callbacks)}
        return {"optimizer": optimizer, "lr_scheduler": every}

    return configure


def build_optimizer(algo: Option, module: nn.Module) -> Optimizer:
    """Return the optimiser of all parameters, without a schedule."""
    optimizer: Optimizer = make(algo, module.parameters(), path="optim.algo", within=ALGORITHMS)
    return optimizer


def _watched(settings: Callbacks) -> str:
    if settings.monitor is None:
        raise ValueError(
            "optim/schedule=reduce_on_plateau needs a number to watch: set callbacks.monitor, "
            "which is null"
        )
    return settings.monitor
