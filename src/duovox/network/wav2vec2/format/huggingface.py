"""Hugging Face's names of parameters, and the keys of its `config.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.format import names
from duovox.network.wav2vec2.format.checkpoint import Quantization
from duovox.network.wav2vec2.format.names import WEIGHT_NORM, Table, Translated

PREFIX = "wav2vec2."  # of the backbone inside checkpoints that also hold a head

TABLE: Table = (
    ("embedding.masking.vector", "masked_spec_embed"),
    ("feature_encoder.layers.*.conv", "feature_extractor.conv_layers.*.conv"),
    ("feature_encoder.layers.*.norm", "feature_extractor.conv_layers.*.layer_norm"),
    ("embedding.feature_norm", "feature_projection.layer_norm"),
    ("embedding.projection", "feature_projection.projection"),
    ("embedding.position.bias", "encoder.pos_conv_embed.conv.bias"),
    (
        "embedding.position.magnitude",
        "encoder.pos_conv_embed.conv.parametrizations.weight.original0",
    ),
    (
        "embedding.position.direction",
        "encoder.pos_conv_embed.conv.parametrizations.weight.original1",
    ),
    ("embedding.norm", "encoder.layer_norm"),  # norms behind the residual sums
    ("transformer.final_norm", "encoder.layer_norm"),  # norms before
    ("transformer.layers.*.attention.query", "encoder.layers.*.attention.q_proj"),
    ("transformer.layers.*.attention.key", "encoder.layers.*.attention.k_proj"),
    ("transformer.layers.*.attention.value", "encoder.layers.*.attention.v_proj"),
    ("transformer.layers.*.attention.output", "encoder.layers.*.attention.out_proj"),
    ("transformer.layers.*.attention_norm", "encoder.layers.*.layer_norm"),
    (
        "transformer.layers.*.feed_forward.inner",
        "encoder.layers.*.feed_forward.intermediate_dense",
    ),
    ("transformer.layers.*.feed_forward.output", "encoder.layers.*.feed_forward.output_dense"),
    ("transformer.layers.*.feed_forward_norm", "encoder.layers.*.final_layer_norm"),
    # beside the backbone: pre-training, speech recognition
    ("quantizer.codebooks", "quantizer.codevectors"),
    ("quantizer.logits", "quantizer.weight_proj"),
    ("target_projection", "project_q"),
    ("context_projection", "project_hid"),
    ("speech_head.linear", "lm_head"),
)

# Our settings, their keys, and what an absent key means.
SIZES: tuple[tuple[str, str, Any], ...] = (
    ("conv_channels", "conv_dim", (512,) * 7),
    ("conv_kernels", "conv_kernel", (10, 3, 3, 3, 3, 2, 2)),
    ("conv_strides", "conv_stride", (5, 2, 2, 2, 2, 2, 2)),
    ("conv_bias", "conv_bias", False),
    ("conv_norm", "feat_extract_norm", "group"),
    ("width", "hidden_size", 768),
    ("num_layers", "num_hidden_layers", 12),
    ("num_heads", "num_attention_heads", 12),
    ("feed_forward_width", "intermediate_size", 3072),
    ("position_kernel", "num_conv_pos_embeddings", 128),
    ("position_groups", "num_conv_pos_embedding_groups", 16),
    ("pre_norm", "do_stable_layer_norm", False),
    ("norm_epsilon", "layer_norm_eps", 1e-5),
    ("conv_activation", "feat_extract_activation", "gelu"),
    ("feed_forward_activation", "hidden_act", "gelu"),
)
QUANTIZATION: tuple[tuple[str, str, int], ...] = (
    ("num_codebooks", "num_codevector_groups", 2),
    ("num_entries", "num_codevectors_per_group", 320),
    ("out_dim", "codevector_dim", 256),
    ("similarity_dim", "proj_codevector_dim", 256),
)
_ACTIVATIONS = (("gelu", "gelu"), ("gelu_tanh", "gelu_pytorch_tanh"))
_SUPPORTED = {"model_type": "wav2vec2", "add_adapter": False, "adapter_attn_dim": None}


def translate(checkpoint: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> Translated:
    """Look up the tensors of our network in a Hugging Face state dict, with or without a head.

    Args:
        own: the state dict of a backbone, of a pre-training network or of a speech recogniser.
    """
    return names.to_ours(bare(checkpoint), own, TABLE)


def bare(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state dict without prefixes, in the present spelling, as the table has the names."""
    modern = names.respell(checkpoint, WEIGHT_NORM)
    return {name.removeprefix(PREFIX): tensor for name, tensor in modern.items()}


def to_theirs(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state dict of one of our networks as transformers' model of its kind has it."""
    backbone = {key: state[key] for key in state if key.startswith(names.BACKBONE)}
    head = {key: state[key] for key in state if key not in backbone}
    prefix = PREFIX if head else ""
    theirs = names.to_theirs(backbone, TABLE).items()
    return {f"{prefix}{name}": tensor for name, tensor in theirs} | names.to_theirs(head, TABLE)


def read_config(config: Mapping[str, Any]) -> Architecture:
    """Read the dictionary of a `config.json`; an absent key means its default there.

    Raises:
        ValueError: the configuration asks for something this backbone does not have.
    """
    for key, value in _SUPPORTED.items():
        if config.get(key, value) != value:
            raise ValueError(
                f"config.json: {key} must be {value!r} for this backbone, got {config[key]!r}"
            )
    sizes: dict[str, Any] = {}
    for ours, theirs, default in SIZES:
        value = config.get(theirs, default)
        sizes[ours] = tuple(value) if isinstance(value, list) else value
        if ours.endswith("_activation"):
            sizes[ours] = _activation(theirs, value)
    return Architecture(**sizes, conv_paddings=(0,) * len(sizes["conv_channels"]))


def write_config(architecture: Architecture) -> dict[str, Any]:
    """Return the keys of a `config.json` that tell the architecture.

    transformers has none for `conv_paddings`.
    """
    activations = dict(_ACTIVATIONS)
    config = {theirs: getattr(architecture, ours) for ours, theirs, _ in SIZES}
    for theirs in ("feat_extract_activation", "hidden_act"):
        config[theirs] = activations[config[theirs]]
    return {"model_type": "wav2vec2", **config}


def read_quantization(config: Mapping[str, Any]) -> Quantization:
    """Read the sizes of what pre-training puts beside the backbone."""
    return Quantization(**{ours: config.get(theirs, size) for ours, theirs, size in QUANTIZATION})


def write_quantization(sizes: Quantization) -> dict[str, int]:
    """Return the keys of a `config.json` that tell the sizes of what pre-training adds."""
    return {theirs: getattr(sizes, ours) for ours, theirs, _ in QUANTIZATION}


def _activation(key: str, name: str) -> str:
    ours = {theirs: ours for ours, theirs in _ACTIVATIONS}
    if name not in ours:
        raise ValueError(
            f"config.json: {key} must be one of {', '.join(ours)} for this backbone, got {name!r}"
        )
    return ours[name]
