"""Checkpoints of nano, the network of the batch-size study: what it learns and how it differs.

It pads its convolutions and approximates GELU around them; both are settings of an architecture
here, so that its checkpoints run as they did there. One product makes keys, queries and values, in
this order. A checkpoint holds no sizes, so they are told from the shapes of its tensors.

Source: Vaessen and van Leeuwen 2024, "The effect of batch size on contrastive self-supervised
speech representation learning".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.format import names, torch_file
from duovox.network.wav2vec2.format.checkpoint import Checkpoint, Quantization, collect
from duovox.network.wav2vec2.format.names import WEIGHT_NORM, Table
from duovox.network.wav2vec2.format.vocabulary import NANO_LETTERS

PREFIX = "w2v2."
PADDINGS = (3, 1, 1, 1, 1, 0, 0)
HEAD_WIDTH = 64  # of each head of attention, as in all published sizes

# Keys, queries and values are taken apart before, and a CTC head is renamed to `head`.
TABLE: Table = (
    ("embedding.masking.vector", "masking_vector"),
    ("feature_encoder.layers.*.conv", "conv_network.conv_layers.*.conv"),
    ("feature_encoder.layers.*.norm", "conv_network.conv_layers.*.norm"),
    ("embedding.feature_norm", "project_speech_feature_norm"),
    ("embedding.projection", "project_speech_feature"),
    ("embedding.position.bias", "rel_pos_layer.conv.bias"),
    ("embedding.position.magnitude", "rel_pos_layer.conv.weight_g"),
    ("embedding.position.direction", "rel_pos_layer.conv.weight_v"),
    ("embedding.norm", "rel_pos_layer.norm"),
    ("transformer.layers.*.attention.key", "transformer_network.*.attention.key"),
    ("transformer.layers.*.attention.query", "transformer_network.*.attention.query"),
    ("transformer.layers.*.attention.value", "transformer_network.*.attention.value"),
    ("transformer.layers.*.attention.output", "transformer_network.*.attention.out_projection"),
    ("transformer.layers.*.attention_norm", "transformer_network.*.norm_att"),
    ("transformer.layers.*.feed_forward.inner", "transformer_network.*.ffn.fc1"),
    ("transformer.layers.*.feed_forward.output", "transformer_network.*.ffn.fc2"),
    ("transformer.layers.*.feed_forward_norm", "transformer_network.*.norm_ffn"),
    # beside the backbone: pre-training, speech recognition
    ("quantizer.codebooks", "quantization_layer.quantization_choices"),
    ("quantizer.logits", "quantization_layer.classification_layer"),
    ("target_projection", "project_quantized_feature"),
    ("context_projection", "project_context_feature"),
    ("speech_head.linear", "head"),
)
FUSED, ORDER = "attention.attention_projection", ("key", "query", "value")


def read(content: Mapping[str, Any], *, source: str) -> Checkpoint:
    """Read what a checkpoint file holds: a pre-training network, or one that recognises speech.

    Args:
        source: the file, for messages.

    Raises:
        ValueError: tensors are missing or do not fit each other.
    """
    tensors = _bare(torch_file.tensors(content["network"], source))
    try:
        architecture = _architecture(tensors)
        quantization = _quantization(tensors)
    except KeyError as error:
        raise ValueError(
            f"{source} lacks {error.args[0]}, without which the network's sizes are unknown: it "
            "is incomplete, or no checkpoint of nano"
        ) from error
    size = None
    if quantization is None and (head := _head(tensors)) is not None:
        size = len(tensors[f"{head}.bias"])
        tensors |= {f"head.{name}": tensors.pop(f"{head}.{name}") for name in ("weight", "bias")}
    state, left_out = collect(
        tensors,
        TABLE,
        source=source,
        architecture=architecture,
        quantization=quantization,
        vocabulary_size=size,
    )
    return Checkpoint(
        architecture=architecture,
        state=state,
        normalizes=False,
        quantization=quantization,
        vocabulary=NANO_LETTERS if size == len(NANO_LETTERS) else None,
        left_out=left_out,
    )


def _bare(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Drop the prefix, take fused products apart, and give norms without a bias one of zeros."""
    spelt = names.respell(tensors, tuple((old, new) for new, old in WEIGHT_NORM))
    bare: dict[str, Tensor] = {}
    for name, tensor in spelt.items():
        name = name.removeprefix(PREFIX)
        if FUSED in name:
            parts = zip(ORDER, tensor.chunk(len(ORDER)), strict=True)
            bare |= {name.replace(FUSED, f"attention.{part}"): values for part, values in parts}
        else:
            bare[name] = tensor
    for _, part in TABLE:
        if "norm" in part.rpartition(".")[2]:
            bare |= _missing_biases(bare, part)
    return bare


def _missing_biases(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """Return zeros for the norms of a part of the table that were trained without a bias."""
    found = (part.replace("*", str(layer)) for layer in range(len(tensors)))
    return {
        f"{name}.bias": torch.zeros_like(tensors[f"{name}.weight"])
        for name in found
        if f"{name}.weight" in tensors and f"{name}.bias" not in tensors
    }


def _architecture(tensors: Mapping[str, Tensor]) -> Architecture:
    convolutions = [
        tensors[f"conv_network.conv_layers.{layer}.conv.weight"].shape
        for layer in range(len(PADDINGS))
    ]
    width = len(tensors["project_speech_feature.weight"])
    _, group_width, position_kernel = tensors["rel_pos_layer.conv.weight_v"].shape
    return Architecture(
        conv_channels=tuple(shape[0] for shape in convolutions),
        conv_kernels=tuple(shape[2] for shape in convolutions),
        conv_paddings=PADDINGS,
        conv_bias="conv_network.conv_layers.0.conv.bias" in tensors,
        conv_norm="group",
        width=width,
        num_layers=sum(name.endswith("ffn.fc1.weight") for name in tensors),
        num_heads=max(width // HEAD_WIDTH, 1),
        feed_forward_width=len(tensors["transformer_network.0.ffn.fc1.weight"]),
        position_kernel=position_kernel,
        position_groups=width // group_width,
        pre_norm=False,
        conv_activation="gelu_tanh",  # around the transformer; inside it GELU is exact
    )


def _quantization(tensors: Mapping[str, Tensor]) -> Quantization | None:
    choices = tensors.get("quantization_layer.quantization_choices")  # (G V, D / G)
    if choices is None:
        return None
    similarity_dim, out_dim = tensors["project_quantized_feature.weight"].shape
    num_codebooks = out_dim // choices.shape[1]
    return Quantization(
        num_codebooks=num_codebooks,
        num_entries=len(choices) // num_codebooks,
        out_dim=out_dim,
        similarity_dim=similarity_dim,
    )


def _head(tensors: Mapping[str, Tensor]) -> str | None:
    """Return the name of the one linear layer that is not of the backbone: the CTC head."""
    own = {part.partition(".")[0] for _, part in TABLE}
    found = [
        name.removesuffix(".weight")
        for name, tensor in tensors.items()
        if name.endswith(".weight") and tensor.ndim == 2 and name.partition(".")[0] not in own
    ]
    return found[0] if len(found) == 1 and f"{found[0]}.bias" in tensors else None
