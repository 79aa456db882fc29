"""fairseq's names of parameters and its settings.

A checkpoint has its settings under `cfg`, in groups of which `model` and `task` matter here; early
ones have them side by side in `args`. A fine-tuned model has the settings of its backbone once more
inside its own, as `w2v_args`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.format.checkpoint import Quantization
from duovox.network.wav2vec2.format.names import Table

# Inside a fine-tuned model: of the backbone, of the head.
PREFIXES = ("w2v_encoder.w2v_model.", "w2v_encoder.")

_TABLE: Table = (
    ("embedding.masking.vector", "mask_emb"),
    ("feature_encoder.layers.*.conv", "feature_extractor.conv_layers.*.0"),
    ("embedding.feature_norm", "layer_norm"),
    ("embedding.projection", "post_extract_proj"),
    ("embedding.position.bias", "encoder.pos_conv.0.bias"),
    ("embedding.position.magnitude", "encoder.pos_conv.0.weight_g"),
    ("embedding.position.direction", "encoder.pos_conv.0.weight_v"),
    ("embedding.norm", "encoder.layer_norm"),  # norms behind the residual sums
    ("transformer.final_norm", "encoder.layer_norm"),  # norms before
    ("transformer.layers.*.attention.query", "encoder.layers.*.self_attn.q_proj"),
    ("transformer.layers.*.attention.key", "encoder.layers.*.self_attn.k_proj"),
    ("transformer.layers.*.attention.value", "encoder.layers.*.self_attn.v_proj"),
    ("transformer.layers.*.attention.output", "encoder.layers.*.self_attn.out_proj"),
    ("transformer.layers.*.attention_norm", "encoder.layers.*.self_attn_layer_norm"),
    ("transformer.layers.*.feed_forward.inner", "encoder.layers.*.fc1"),
    ("transformer.layers.*.feed_forward.output", "encoder.layers.*.fc2"),
    ("transformer.layers.*.feed_forward_norm", "encoder.layers.*.final_layer_norm"),
    # beside the backbone: pre-training, speech recognition
    ("quantizer.codebooks", "quantizer.vars"),
    ("quantizer.logits", "quantizer.weight_proj"),
    ("target_projection", "project_q"),
    ("context_projection", "final_proj"),
    ("speech_head.linear", "proj"),
)
# The norms of the convolutions stand one level deeper where each has one.
_CONV_NORM: dict[str, tuple[str, str]] = {
    "group": ("feature_encoder.layers.*.norm", "feature_extractor.conv_layers.*.2"),
    "layer": ("feature_encoder.layers.*.norm", "feature_extractor.conv_layers.*.2.1"),
}

# Our sizes, their settings, and what an absent one means.
_SIZES: tuple[tuple[str, str, Any], ...] = (
    ("conv_bias", "conv_bias", False),
    ("width", "encoder_embed_dim", 768),
    ("num_layers", "encoder_layers", 12),
    ("num_heads", "encoder_attention_heads", 12),
    ("feed_forward_width", "encoder_ffn_embed_dim", 3072),
    ("position_kernel", "conv_pos", 128),
    ("position_groups", "conv_pos_groups", 16),
    ("pre_norm", "layer_norm_first", False),
)
_EXTRACTOR_MODES = (("group", "default"), ("layer", "layer_norm"))
_CONVOLUTIONS = "[(512, 10, 5)] + [(512, 3, 2)] * 4 + [(512,2,2)] * 2"
_SUPPORTED = {
    "activation_fn": "gelu",
    "layer_type": "transformer",
    "pos_conv_depth": 1,
    "quantize_input": False,
    "quantizer_depth": 1,
    "target_glu": False,
}


def table(architecture: Architecture) -> Table:
    """Return the names of a network of this architecture."""
    return (*_TABLE, _CONV_NORM[architecture.conv_norm])


def backbone_settings(cfg: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings of the backbone and of the task, out of the groups of a checkpoint."""
    model, task = cfg["model"], cfg.get("task") or {}
    inner = model.get("w2v_args") or {"model": model}
    return inner.get("model") or inner, task


def read_architecture(settings: Mapping[str, Any]) -> Architecture:
    """Read the settings of a backbone; an absent one means its default there.

    Raises:
        ValueError: they ask for something this backbone does not have.
    """
    for key, value in _SUPPORTED.items():
        if settings.get(key, value) != value:
            raise ValueError(f"{key} must be {value!r} for this backbone, got {settings[key]!r}")
    norms = {theirs: ours for ours, theirs in _EXTRACTOR_MODES}
    mode = settings.get("extractor_mode", "default")
    if mode not in norms:
        raise ValueError(f"extractor_mode must be one of {', '.join(norms)}, got {mode!r}")
    layers = read_convolutions(settings.get("conv_feature_layers", _CONVOLUTIONS))
    channels, kernels, strides = zip(*layers, strict=True)
    sizes: dict[str, Any] = {ours: settings.get(theirs, value) for ours, theirs, value in _SIZES}
    return Architecture(
        **sizes,
        conv_channels=channels,
        conv_kernels=kernels,
        conv_strides=strides,
        conv_paddings=(0,) * len(layers),
        conv_norm=norms[mode],  # type: ignore[arg-type]
    )


def write_architecture(architecture: Architecture) -> dict[str, Any]:
    """Return the settings of a backbone.

    fairseq has none for `conv_paddings`, `conv_activation` and `feed_forward_activation`.
    """
    layers = zip(
        architecture.conv_channels,
        architecture.conv_kernels,
        architecture.conv_strides,
        strict=True,
    )
    return {
        "_name": "wav2vec2",
        **{theirs: getattr(architecture, ours) for ours, theirs, _ in _SIZES},
        "conv_feature_layers": str(list(layers)),
        "extractor_mode": dict(_EXTRACTOR_MODES)[architecture.conv_norm],
    }


def read_quantization(settings: Mapping[str, Any]) -> Quantization:
    """Read the sizes of what pre-training puts beside the backbone."""
    similarity_dim = settings.get("final_dim") or settings.get("encoder_embed_dim", 768)
    return Quantization(
        num_codebooks=settings.get("latent_groups", 2),
        num_entries=settings.get("latent_vars", 320),
        out_dim=settings.get("latent_dim") or similarity_dim,
        similarity_dim=similarity_dim,
    )


def write_quantization(sizes: Quantization) -> dict[str, Any]:
    """Return the settings of what pre-training puts beside the backbone."""
    return {
        "quantize_targets": True,
        "latent_groups": sizes.num_codebooks,
        "latent_vars": sizes.num_entries,
        "latent_dim": sizes.out_dim,
        "final_dim": sizes.similarity_dim,
    }


def read_convolutions(text: str) -> list[tuple[int, int, int]]:
    """Return channels, kernel and stride of each convolution, of the Python text that lists them.

    The text is a sum of lists, which may be repeated: "[(512, 10, 5)] + [(512, 3, 2)] * 4". It is
    read, and not run.

    Raises:
        ValueError: it is something else.
    """
    try:
        layers = [
            (int(c), int(k), int(s)) for c, k, s in _layers(ast.parse(text, mode="eval").body)
        ]
    except (SyntaxError, TypeError, ValueError) as error:
        raise ValueError(
            "conv_feature_layers must list (channels, kernel, stride) of each convolution, got "
            f"{text!r}"
        ) from error
    return layers


def _layers(node: ast.expr) -> list[Any]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _layers(node.left) + _layers(node.right)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        times: int = ast.literal_eval(node.right)
        return _layers(node.left) * min(times, 1000)
    return list(ast.literal_eval(node))
