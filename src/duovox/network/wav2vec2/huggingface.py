"""Parameter names and layouts of Hugging Face checkpoints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

PREFIX = "wav2vec2."  # of the backbone inside checkpoints that also hold a head
OUR_PREFIX = "backbone."  # of the backbone inside our networks
OPTIONAL = {
    "embedding.masking.vector"
}  # absent where no masks were trained with; ours stays as drawn

# Our parts -> theirs, tried in this order; a key takes the first that fits.
_PARTS = (
    (r"embedding\.masking\.vector", r"masked_spec_embed"),
    (r"feature_encoder\.layers\.(\d+)\.conv", r"feature_extractor.conv_layers.\1.conv"),
    (r"feature_encoder\.layers\.(\d+)\.norm", r"feature_extractor.conv_layers.\1.layer_norm"),
    (r"embedding\.feature_norm", r"feature_projection.layer_norm"),
    (r"embedding\.projection", r"feature_projection.projection"),
    (
        r"embedding\.position\.direction",
        r"encoder.pos_conv_embed.conv.parametrizations.weight.original1",
    ),
    (
        r"embedding\.position\.magnitude",
        r"encoder.pos_conv_embed.conv.parametrizations.weight.original0",
    ),
    (r"embedding\.position", r"encoder.pos_conv_embed.conv"),
    (r"embedding\.norm|transformer\.final_norm", r"encoder.layer_norm"),
    (r"transformer\.layers\.(\d+)\.attention_norm", r"encoder.layers.\1.layer_norm"),
    (r"transformer\.layers\.(\d+)\.attention\.output", r"encoder.layers.\1.attention.out_proj"),
    (r"transformer\.layers\.(\d+)\.feed_forward_norm", r"encoder.layers.\1.final_layer_norm"),
    (
        r"transformer\.layers\.(\d+)\.feed_forward\.inner",
        r"encoder.layers.\1.feed_forward.intermediate_dense",
    ),
    (
        r"transformer\.layers\.(\d+)\.feed_forward\.output",
        r"encoder.layers.\1.feed_forward.output_dense",
    ),
    # of pre-training, beside the backbone
    (r"quantizer\.codebooks", r"quantizer.codevectors"),
    (r"quantizer\.logits", r"quantizer.weight_proj"),
    (r"context_projection", r"project_hid"),
    (r"target_projection", r"project_q"),
)
_FUSED = r"transformer\.layers\.(\d+)\.attention\.query_key_value\.(\w+)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """A state dict in our names, and what did not find its place."""

    state: dict[str, Tensor]
    missing: list[str]  # their names of what the backbone needs and the checkpoint lacks
    unexpected: list[str]  # their names of what the backbone has no place for


def translate(checkpoint: Mapping[str, Tensor], keys: Iterable[str]) -> Translated:
    """Look up the tensors of our keys in a Hugging Face state dict, with or without a head.

    The keys are those of a backbone or of a pre-training network. Codebooks come as (1, G V, D / G)
    and want a new shape.
    """
    theirs = {_modern_name(name): tensor for name, tensor in checkpoint.items()}
    state: dict[str, Tensor] = {}
    missing: list[str] = []
    for key in keys:
        names = names_of(key)
        absent = [name for name in names if name not in theirs]
        if not absent:
            state[key] = torch.cat([theirs.pop(name) for name in names])
        elif key.removeprefix(OUR_PREFIX) not in OPTIONAL:
            missing += absent
    for key in state:
        if key.endswith("feature_encoder.layers.0.conv.weight"):
            state[key] = state[key].squeeze(1)  # (C, 1, k): a wave has one channel
    return Translated(state=state, missing=missing, unexpected=sorted(theirs))


def names_of(key: str) -> list[str]:
    """Return their names of our key: one, or query, key and value of our fused product."""
    key = key.removeprefix(OUR_PREFIX)
    fused = re.fullmatch(_FUSED, key)
    if fused:
        layer, parameter = fused.groups()
        return [f"encoder.layers.{layer}.attention.{p}_proj.{parameter}" for p in "qkv"]
    for ours, theirs in _PARTS:
        if re.match(rf"({ours})(\.|$)", key):
            return [re.sub(rf"^(?:{ours})(?=\.|$)", theirs, key)]
    raise AssertionError(f"no Hugging Face name for {key}")


def _modern_name(name: str) -> str:
    """Drop the prefix and spell the weight norm as torch does since 2.0."""
    name = name.removeprefix(PREFIX)
    name = name.replace("conv.weight_g", "conv.parametrizations.weight.original0")
    return name.replace("conv.weight_v", "conv.parametrizations.weight.original1")
