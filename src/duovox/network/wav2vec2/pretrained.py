"""Backbones from published checkpoints."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from pickle import UnpicklingError
from typing import TypedDict, Unpack

import torch
from torch import Tensor

from duovox.network.wav2vec2 import architecture, huggingface
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone

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
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    backbone = Wav2Vec2Backbone(architecture.from_huggingface(config), **settings)
    translated = huggingface.translate(_read_weights(folder, trust=trust), backbone.state_dict())
    if translated.missing:
        raise ValueError(
            f"{source} lacks tensors of the backbone that its {CONFIG} describes: "
            f"{', '.join(translated.missing)}; the checkpoint is incomplete, or its tensors have "
            f"other names: {', '.join(translated.unexpected[:10]) or 'none left'}"
        )
    if translated.unexpected:
        logger.warning("left out of %s: %s", source, ", ".join(translated.unexpected))
    backbone.load_state_dict(translated.state, strict=False)  # an optional tensor may be absent
    return backbone


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
