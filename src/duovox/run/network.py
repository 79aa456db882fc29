"""Make the network that the settings ask for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from torch import nn

from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.head.cosine import CosineHead
from duovox.network.head.ctc import CtcHead
from duovox.network.head.data_source import DataSourceHead
from duovox.network.head.linear import LinearHead
from duovox.network.pooling import Pooling
from duovox.network.pooling.ctc import CtcPooling
from duovox.network.wav2vec2 import pretrained
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.pretraining import PretrainingNetwork
from duovox.network.wav2vec2.transformer import TransformerLayer
from duovox.run.option import ARCHITECTURES, POOLINGS, choose, make
from duovox.run.settings import Network, Option


def build_network(
    settings: Network,
    *,
    vocabulary_size: int | None,
    num_speakers: int | None,
    blank: int = 0,
    normalizes: bool | None = None,
) -> SpeechSpeakerNetwork:
    """Return a new network; its backbone has the weights of `wav2vec_checkpoint`, if that is set.

    Args:
        vocabulary_size: V, or None for a network that does not recognise speech.
        num_speakers: K, or None for a network that does not recognise speakers.
        normalizes: whether waves have zero mean and unit variance; None: not known.
    """
    if settings.random_permutation_mode is not None and vocabulary_size is not None:
        raise ValueError(
            "network.random_permutation_mode shuffles the frames, and words need their order: set "
            "it in run_speaker.py only, or leave it null"
        )
    options = backbone_options(settings)
    if settings.wav2vec_checkpoint is None:
        architecture = make(
            settings.architecture, path="network.architecture", within=ARCHITECTURES
        )
        backbone = Wav2Vec2Backbone(architecture, **options)
    else:
        backbone = pretrained.load(settings.wav2vec_checkpoint, normalizes=normalizes, **options)
    return _with_heads(backbone, settings, vocabulary_size, num_speakers, blank)


def compile_layers(network: nn.Module) -> None:
    """Let torch.compile make the transformer's layers, all of them from one plan.

    The convolutions stay as they are: inductor of torch 2.11 can't order the strides of their
    outputs when lengths vary ("cannot determine truth value of Relational").
    """
    for module in network.modules():
        if isinstance(module, TransformerLayer):
            module.compile()


def sizes_of(network: SpeechSpeakerNetwork | PretrainingNetwork) -> Option:
    """Return the architecture of the network's backbone as plain data, in place of a checkpoint."""
    sizes = asdict(network.backbone.architecture)
    return {"_target_": f"{Architecture.__module__}.Architecture", **sizes}


def backbone_options(settings: Network) -> dict[str, Any]:
    """Return what `Wav2Vec2Backbone` takes beside the architecture."""
    options = asdict(settings.regularisation)
    del options["final_dropout"]  # the heads'
    return options | {
        "length_aware": settings.length_aware,
        "freeze_feature_encoder": settings.completely_freeze_feature_extractor,
        "gradient_checkpointing": settings.use_gradient_checkpointing,
        "random_permutation_mode": settings.random_permutation_mode,
    }


def _with_heads(
    backbone: Wav2Vec2Backbone,
    settings: Network,
    vocabulary_size: int | None,
    num_speakers: int | None,
    blank: int,
) -> SpeechSpeakerNetwork:
    speech_width, speaker_width = _widths(settings.num_speaker_dimensions, backbone.width)
    dropout = settings.regularisation.final_dropout
    speech_head = pooling = speaker_head = source_head = num_shared_layers = None
    if vocabulary_size is not None:
        speech_head = CtcHead(speech_width, vocabulary_size, dropout=dropout)
        speech_head.lean(blank, bias=settings.ctc_blank_bias, scale=settings.ctc_token_scale)
    if num_speakers is not None:
        pooling = _pooling(settings, speaker_width, backbone.width, blank)
        if settings.use_speaker_head:
            speaker_head = _speaker_head(settings, pooling.out_dim, num_speakers, dropout)
    if settings.use_data_source_head:
        source_head = DataSourceHead(backbone.width, reversal_scale=settings.reversal_scale)
    if settings.use_multi_branch_encoder:
        num_shared_layers = settings.num_shared_transformers
    return SpeechSpeakerNetwork(
        backbone,
        speech_head=speech_head,
        pooling=pooling,
        speaker_head=speaker_head,
        source_head=source_head,
        num_shared_layers=num_shared_layers,
        num_speaker_dimensions=settings.num_speaker_dimensions,
        speaker_layer=None if settings.speaker_head_layer == -1 else settings.speaker_head_layer,
    )


def _speaker_head(
    settings: Network, width: int, num_speakers: int, dropout: float
) -> CosineHead | LinearHead:
    if not settings.use_cosine_linear:
        return LinearHead(width, num_speakers, dropout=dropout)
    return CosineHead(
        width, num_speakers, dropout=dropout, num_centers=settings.num_speaker_centers
    )


def _widths(num_speaker_dimensions: int | None, width: int) -> tuple[int, int]:
    """Return how many dimensions of a frame each head sees: speech, speaker."""
    if num_speaker_dimensions is None:
        return width, width
    if not 0 < num_speaker_dimensions < width:
        raise ValueError(
            f"network.num_speaker_dimensions must lie between 0 and the network's width {width}, "
            f"got {num_speaker_dimensions}"
        )
    return width - num_speaker_dimensions, num_speaker_dimensions


def _pooling(settings: Network, dim: int, class_width: int, blank: int) -> Pooling:
    name = settings.stat_pooling_type
    if settings.enable_ctc_pool_speaker_embedding:
        if name != "mean":
            raise ValueError(
                "network.enable_ctc_pool_speaker_embedding averages chosen frames, so it goes with "
                f"network.stat_pooling_type=mean, got {name}"
            )
        if not settings.enable_ctc_pool_no_grad:
            raise ValueError(
                "network.enable_ctc_pool_no_grad must be true, got false: the letters only choose "
                "frames, and a choice hands no gradient back, so false would learn the same slower"
            )
        return CtcPooling(dim, pool_blanks=settings.ctc_pool_on_blank_embeddings, blank=blank)
    option = choose(settings.pooling, name, setting="network.stat_pooling_type")
    pooling: Pooling = make(
        option,
        dim,
        path=f"network.pooling.{name}",
        within=POOLINGS,
        class_width=class_width,
    )
    return pooling
