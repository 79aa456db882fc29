"""Backbones and pre-training networks from published checkpoints."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypedDict, Unpack

import torch
from torch import Tensor, nn

from duovox.network.wav2vec2 import huggingface
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.pretraining import PretrainingNetwork
from duovox.network.wav2vec2.quantizer import ProductQuantizer

logger = logging.getLogger(__name__)

CONFIG, SAFETENSORS, PICKLE = "config.json", "model.safetensors", "pytorch_model.bin"


class Settings(TypedDict, total=False):
    """What `Wav2Vec2Backbone` takes beside the architecture; see there."""

    feat_proj_dropout: float
    hidden_dropout: float
    attention_dropout: float
    activation_dropout: float
    layerdrop: float
    mask_time_prob: float
    mask_time_length: int
    mask_feature_prob: float
    mask_feature_length: int
    length_aware: bool
    freeze_feature_encoder: bool
    gradient_checkpointing: bool


def load(
    source: str | Path, *, trust: bool = False, **settings: Unpack[Settings]
) -> Wav2Vec2Backbone:
    """Make a backbone from a Hugging Face folder or a hub id such as `facebook/wav2vec2-base`.

    Checkpoints with a head (CTC, pre-training) are welcome: what is not of the backbone is left
    out and named in the log. Dropouts and masks come from the settings, not from the checkpoint.

    Args:
        trust: let an old pickled checkpoint run code of its author, where nothing else reads it.

    Raises:
        ValueError: nothing readable is found there, or a tensor of the backbone is missing.
    """
    folder = _folder(source)
    backbone = Wav2Vec2Backbone(huggingface.read_config(_config(folder)), **settings)
    state = _state_for(backbone, folder, trust=trust)
    backbone.load_state_dict(state, strict=False)  # an optional tensor may be absent
    return backbone


def load_pretraining(
    source: str | Path,
    *,
    trust: bool = False,
    feature_gradient_scale: float = 0.1,
    feat_quantizer_dropout: float = 0.0,
    **settings: Unpack[Settings],
) -> PretrainingNetwork:
    """Make a network that goes on with pre-training from a Hugging Face folder or hub id.

    Raises:
        ValueError: nothing readable is found there, or a tensor is missing, as where the
            checkpoint has been fine-tuned and its quantiser left out.
    """
    folder = _folder(source)
    config = _config(folder)
    shape = huggingface.read_config(config)
    network = PretrainingNetwork(
        Wav2Vec2Backbone(shape, **settings),
        ProductQuantizer(
            shape.conv_channels[-1],
            num_codebooks=config.get("num_codevector_groups", 2),
            num_entries=config.get("num_codevectors_per_group", 320),
            out_dim=config.get("codevector_dim", 256),
        ),
        similarity_dim=config.get("proj_codevector_dim", 256),
        feature_gradient_scale=feature_gradient_scale,
        feat_quantizer_dropout=feat_quantizer_dropout,
    )
    state = _state_for(network, folder, trust=trust)
    state["quantizer.codebooks"] = state["quantizer.codebooks"].view_as(network.quantizer.codebooks)
    network.load_state_dict(state, strict=False)
    return network


def _config(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    return config


def _state_for(network: nn.Module, folder: Path, *, trust: bool) -> dict[str, Tensor]:
    """Read the weights of a folder in the names of our network; say what is missing or left."""
    translated = huggingface.translate(_read_weights(folder, trust=trust), network.state_dict())
    if translated.missing:
        raise ValueError(
            f"{folder} lacks tensors of the network that its {CONFIG} describes: "
            f"{', '.join(translated.missing)}; the checkpoint is incomplete, or its tensors have "
            f"other names: {', '.join(translated.unexpected[:10]) or 'none left'}"
        )
    if translated.unexpected:
        logger.warning("left out of %s: %s", folder, ", ".join(translated.unexpected))
    return translated.state


def _folder(source: str | Path) -> Path:
    path = Path(source)
    if path.suffix == ".pt":
        raise ValueError(
            f"{source}: fairseq and nano checkpoints cannot be read; convert them to a Hugging "
            "Face folder first"
        )
    if not path.is_dir():
        path = _download(str(source))
    if not (path / CONFIG).is_file():
        raise ValueError(f"{path} has no {CONFIG}, so it is no Hugging Face folder")
    return path


def _download(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(hub_id, allow_patterns=[CONFIG, SAFETENSORS]))
        if not (folder / SAFETENSORS).is_file():
            folder = Path(snapshot_download(hub_id, allow_patterns=[CONFIG, PICKLE]))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{hub_id!r} is no folder here, and the Hugging Face hub did not give it either "
            f"({error}); check the spelling, or download it where there is a network and name "
            "the folder"
        ) from error
    return folder


def _read_weights(folder: Path, *, trust: bool) -> dict[str, Tensor]:
    if (folder / SAFETENSORS).is_file():
        from safetensors.torch import load_file

        state: dict[str, Tensor] = load_file(folder / SAFETENSORS)
        return state
    if not (folder / PICKLE).is_file():
        raise ValueError(f"{folder} has neither {SAFETENSORS} nor {PICKLE}")
    return _unpickle(folder / PICKLE, trust=trust)


def _unpickle(path: Path, *, trust: bool) -> dict[str, Tensor]:
    try:
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=not trust)
    except UnpicklingError as error:
        raise ValueError(
            f"{path} holds more than tensors, and reading it could run code of its author; use a "
            f"{SAFETENSORS}, or load it with trust=True if you trust its author"
        ) from error
    return state
