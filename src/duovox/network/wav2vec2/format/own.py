"""Our own checkpoints: run folders and what conversions write.

The folder's `model.json` tells the architecture, the vocabulary and the normalisation; its best
checkpoint has the weights, with `network.` in front of their names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.format import torch_file
from duovox.network.wav2vec2.format.checkpoint import HEAD, Checkpoint, Quantization, collect
from duovox.network.wav2vec2.format.names import BACKBONE, CODEBOOKS

CARD = "model.json"
PREFIX = "network."  # of the network's weights inside a Lightning checkpoint

# Where each task has layers of its own, speech goes on through these.
_SPEECH_LAYERS, _SPEECH_NORM = "branch.layers.speech.layers.", "branch.layers.speech.final_norm."
_LAYERS, _NORM = "transformer.layers.", "transformer.final_norm."


def checkpoint_of(folder: Path) -> Path:
    """Return best.ckpt of a run folder, or last.ckpt where there is no best."""
    for name in ("best.ckpt", "last.ckpt"):
        if (path := folder / "checkpoints" / name).is_file():
            return path
    raise ValueError(f"{folder / 'checkpoints'} holds no checkpoint: train first (fit_model=true)")


def content_of(path: Path) -> dict[str, Any]:
    """Return what a checkpoint of a run holds, whose `state_dict` holds tensors by name.

    Raises:
        ValueError: it is damaged, or something else; the message says no more than why.
    """
    content = torch_file.content_of(path)
    state = content.get("state_dict") if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping) or not all(map(torch.is_tensor, state.values())):
        raise ValueError("it has no state_dict of tensors")
    return dict(content)


def network_state(path: Path) -> dict[str, Tensor]:
    """Return the network's state dict out of a checkpoint.

    Raises:
        ValueError: it is damaged, or something else.
    """
    try:
        state = content_of(path)["state_dict"]
    except ValueError as error:
        raise ValueError(
            f"{path} can't be read as a checkpoint of a duovox run ({error}). Use another "
            "checkpoint of the run"
        ) from error
    return {
        name.removeprefix(PREFIX): tensor
        for name, tensor in state.items()
        if name.startswith(PREFIX)
    }


def read(folder: Path, path: Path | None = None) -> Checkpoint:
    """Read the weights of a run: the backbone, with the CTC head or the parts of pre-training.

    Of a network whose tasks have layers of their own, those of speech are taken. What belongs to
    speakers alone is left out.

    Args:
        path: one of its checkpoints; None: the best.

    Raises:
        ValueError: the card or the checkpoint is damaged, or they do not fit each other.
    """
    path = checkpoint_of(folder) if path is None else path
    card = _card(folder / CARD)
    architecture = read_architecture(folder)
    state = network_state(path)
    tensors = {name.removeprefix(BACKBONE): tensor for name, tensor in state.items()}
    tensors = _with_layers_of_speech(tensors)
    quantization = _quantization(tensors) if CODEBOOKS in tensors else None
    head = tensors.get(f"{HEAD}.weight")
    if head is not None:  # it may see the last dimensions only: nothing comes from the others
        unseen = architecture.width - head.shape[1]
        tensors[f"{HEAD}.weight"] = F.pad(head, (max(unseen, 0), 0))
    own, left_out = collect(
        tensors,
        None,
        source=str(path),
        architecture=architecture,
        quantization=quantization,
        vocabulary_size=None if head is None else len(head),
    )
    normalizes = card.get("normalizes") or {}
    return Checkpoint(
        architecture=architecture,
        state=own,
        normalizes=normalizes.get("speech", any(normalizes.values())),
        quantization=quantization,
        vocabulary=None if head is None else tuple(card["vocabulary"]),
        left_out=left_out,
    )


def read_architecture(folder: Path) -> Architecture:
    """Return the sizes of a run's backbone.

    Raises:
        ValueError: the card is damaged.
    """
    card = _card(folder / CARD)
    sizes: dict[str, Any] = {
        name: tuple(size) if isinstance(size, list) else size
        for name, size in card["architecture"].items()
        if name != "_target_"
    }
    try:
        return Architecture(**sizes)
    except TypeError as error:
        raise ValueError(
            f"{folder / CARD} is damaged, restore it: architecture: {error}"
        ) from error


def write(checkpoint: Checkpoint, folder: Path) -> None:
    """Write the card and the checkpoint of a network."""
    sizes = asdict(checkpoint.architecture)
    card = {
        "vocabulary": checkpoint.vocabulary,
        "speakers": None,
        "architecture": {"_target_": f"{Architecture.__module__}.Architecture", **sizes},
        "normalizes": {"speech": checkpoint.normalizes, "speaker": checkpoint.normalizes},
    }
    text = json.dumps(card, indent=2, ensure_ascii=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")
    (folder / "checkpoints").mkdir()
    state = {f"{PREFIX}{name}": tensor for name, tensor in checkpoint.state.items()}
    torch.save({"state_dict": state}, folder / "checkpoints" / "best.ckpt")


def _card(path: Path) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged, restore it: {error}") from error
    return card


def _with_layers_of_speech(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    shared = {name.split(".")[2] for name in tensors if name.startswith(_LAYERS)}
    renamed = {}
    for name, tensor in tensors.items():
        if name.startswith(_SPEECH_LAYERS):
            layer, _, parameter = name.removeprefix(_SPEECH_LAYERS).partition(".")
            name = f"{_LAYERS}{len(shared) + int(layer)}.{parameter}"
        elif name.startswith(_SPEECH_NORM):
            name = name.replace(_SPEECH_NORM, _NORM)
        renamed[name] = tensor
    return renamed


def _quantization(tensors: Mapping[str, Tensor]) -> Quantization:
    num_codebooks, num_entries, width = tensors[CODEBOOKS].shape
    return Quantization(
        num_codebooks=num_codebooks,
        num_entries=num_entries,
        out_dim=num_codebooks * width,
        similarity_dim=len(tensors["target_projection.bias"]),
    )
