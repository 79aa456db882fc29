"""Backbones and pre-training networks from checkpoints of every format.

folder with model.json     a run of ours, or what `duovox convert --to duovox` wrote
folder with config.json    transformers; a hub id such as facebook/wav2vec2-base is fetched
file with `model`          fairseq
file with `network`        nano
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, Unpack

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format import fairseq_file, huggingface_folder, nano, own, torch_file
from duovox.network.wav2vec2.format.checkpoint import Checkpoint, make_pretraining_network
from duovox.network.wav2vec2.format.names import BACKBONE
from duovox.network.wav2vec2.pretraining import PretrainingNetwork

logger = logging.getLogger(__name__)

SUFFIXES = (".pt", ".pth", ".ckpt", ".bin")  # of files; anything else that is not here is a hub id


class Settings(TypedDict, total=False):
    """What `Wav2Vec2Backbone` takes beside the architecture; see there."""

    feat_proj_dropout: float
    hidden_dropout: float
    attention_dropout: float
    activation_dropout: float
    layerdrop: float
    mask_time_prob: float
    mask_time_length: int
    mask_time_min_spans: int
    mask_feature_prob: float
    mask_feature_length: int
    length_aware: bool
    freeze_feature_encoder: bool
    gradient_checkpointing: bool


def load(
    source: str | Path,
    *,
    trust: bool = False,
    normalizes: bool | None = None,
    **settings: Unpack[Settings],
) -> Wav2Vec2Backbone:
    """Make a backbone from a checkpoint of any format.

    Checkpoints with a head (CTC, pre-training) are welcome: what is not of the backbone is left
    out and named in the log. Dropouts and masks come from the settings, not from the checkpoint.

    Args:
        trust: read a pickle that names code, and leave the code out; see `torch_file`.
        normalizes: whether waves will have zero mean and unit variance; the log tells where the
            checkpoint was trained otherwise.

    Raises:
        ValueError: nothing readable is found there, or a tensor is missing or of another shape.
    """
    checkpoint = read(source, trust=trust)
    _tell(
        source, [*(k for k in checkpoint.state if not k.startswith(BACKBONE)), *checkpoint.left_out]
    )
    if normalizes is not None and normalizes != checkpoint.normalizes:
        logger.warning(
            "%s was trained on waves %s zero mean and unit variance, unlike this run's "
            "(speech.pipeline.normalize, speaker.pipeline.normalize, data.pipe.train.normalize)",
            source,
            "of" if checkpoint.normalizes else "without",
        )
    backbone = Wav2Vec2Backbone(checkpoint.architecture, **settings)
    backbone.load_state_dict(checkpoint.backbone_state())
    return backbone


def load_pretraining(
    source: str | Path,
    *,
    trust: bool = False,
    feature_gradient_scale: float = 0.1,
    feat_quantizer_dropout: float = 0.0,
    **settings: Unpack[Settings],
) -> PretrainingNetwork:
    """Make a network that goes on with pre-training from a checkpoint of any format.

    Raises:
        ValueError: as for `load`, or the checkpoint has no quantiser, as where it has been
            fine-tuned.
    """
    checkpoint = read(source, trust=trust)
    if checkpoint.quantization is None:
        raise ValueError(
            f"{source} has no quantiser and projections to go on with pre-training from: it has "
            "been fine-tuned, or holds the backbone alone"
        )
    _tell(source, checkpoint.left_out)
    network = make_pretraining_network(
        Wav2Vec2Backbone(checkpoint.architecture, **settings),
        checkpoint.quantization,
        feature_gradient_scale=feature_gradient_scale,
        feat_quantizer_dropout=feat_quantizer_dropout,
    )
    network.load_state_dict(checkpoint.state)
    return network


def read(source: str | Path, *, trust: bool = False) -> Checkpoint:
    """Read a checkpoint of any format, with all that goes beside the weights.

    Raises:
        ValueError: as for `load`.
    """
    path = Path(source).expanduser()
    if path.is_file() or path.suffix in SUFFIXES:
        return _read_file(path, trust=trust)
    if not path.is_dir():
        path = _download(str(source))
    if (path / own.CARD).is_file():
        return own.read(path)
    if (path / huggingface_folder.CONFIG).is_file():
        return huggingface_folder.read(path, trust=trust)
    raise ValueError(
        f"{path} has neither {own.CARD} nor {huggingface_folder.CONFIG}, so it is no run folder "
        "and no Hugging Face folder"
    )


def architecture_of(source: str | Path) -> Architecture:
    """Return the sizes of a checkpoint of any format; of our own, without reading the weights.

    Raises:
        ValueError: as for `load`.
    """
    path = Path(source).expanduser()
    for folder in (path, path.resolve().parent.parent):  # a run, or RUN/checkpoints/best.ckpt
        if path.exists() and (folder / own.CARD).is_file():
            return own.read_architecture(folder)
    return read(source).architecture


def _read_file(path: Path, *, trust: bool) -> Checkpoint:
    folder = path.resolve().parent.parent  # of RUN/checkpoints/best.ckpt
    if path.is_file() and (folder / own.CARD).is_file():
        return own.read(folder, path)
    content = torch_file.read(path, trust=trust)
    entries = set(content) if isinstance(content, Mapping) else set()
    if "model" in entries:
        return fairseq_file.read(content, source=str(path))
    if "network" in entries:
        return nano.read(content, source=str(path))
    raise ValueError(
        f"{path} holds neither a `model` as of fairseq nor a `network` as of nano, but "
        f"{', '.join(sorted(map(str, entries))[:10]) or type(content).__name__}. Name the folder "
        "of a run or of transformers, not a file in it"
    )


def _tell(source: str | Path, left_out: list[str] | tuple[str, ...]) -> None:
    if left_out:
        logger.warning("left out of %s: %s", source, ", ".join(left_out))


def _download(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download

    settings, weights = "*.json", huggingface_folder.SAFETENSORS
    try:
        folder = Path(snapshot_download(hub_id, allow_patterns=[settings, weights]))
        if not (folder / weights).is_file():
            pickle = huggingface_folder.PICKLE
            folder = Path(snapshot_download(hub_id, allow_patterns=[settings, pickle]))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{hub_id!r} is no folder here, and the Hugging Face hub did not give it either "
            f"({error}); check the spelling, or download it where there is a network and name "
            "the folder"
        ) from error
    return folder
