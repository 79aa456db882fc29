"""Parameter names of other formats: how their tables are read.

A table has a row for each part of the network: our name, and theirs. `*` stands for the number of a
layer; what follows a part (`.weight`, `.bias`) is called the same everywhere. Our `backbone.` and
the prefixes of the others are left out. We keep queries, keys and values in one product, in this
order; the others have three, so a table has three rows for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Table = tuple[tuple[str, str], ...]

BACKBONE = "backbone."  # in front of the backbone's part inside our networks
FUSED, PARTS = "query_key_value", ("query", "key", "value")
MASK_VECTOR = "embedding.masking.vector"  # absent where no masks were trained with
CODEBOOKS = "quantizer.codebooks"  # (G, V, D / G); theirs (1, G V, D / G)
WAVE_WEIGHT = "feature_encoder.layers.0.conv.weight"  # (C, k); theirs (C, 1, k): one channel in

# The weight norm of the positions, as torch spells it since 2.0 and as it did before.
WEIGHT_NORM = (
    ("parametrizations.weight.original0", "weight_g"),
    ("parametrizations.weight.original1", "weight_v"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """A state dict in our names, and what did not find its place."""

    state: dict[str, Tensor]
    missing: list[str]  # their names of what the network needs and the checkpoint lacks
    unexpected: list[str]  # their names of what the network has no place for
    misshapen: list[str]  # sentences about tensors of another shape than the network's


def names_of(key: str, table: Table) -> list[str]:
    """Return their names of our key: one, or query, key and value of our fused product."""
    key = key.removeprefix(BACKBONE)
    keys = [key.replace(FUSED, part) for part in PARTS] if FUSED in key else [key]
    return [_name_of(key, table) for key in keys]


def to_ours(
    checkpoint: Mapping[str, Tensor], own: Mapping[str, Tensor], table: Table | None
) -> Translated:
    """Look up the tensors of our network in a state dict that has their names.

    Args:
        own: the state dict of our network, for its keys and shapes.
        table: None: the names and shapes are ours, without `backbone.`.
    """
    left = dict(checkpoint)
    found = Translated(state={}, missing=[], unexpected=[], misshapen=[])
    for key, wanted in own.items():
        names = [key.removeprefix(BACKBONE)] if table is None else names_of(key, table)
        absent = [name for name in names if name not in left]
        if absent:
            found.missing.extend(absent if not key.endswith(MASK_VECTOR) else [])
            continue
        tensor = torch.cat([left.pop(name) for name in names])
        if table is not None and _is_reshaped(key) and tensor.numel() == wanted.numel():
            tensor = tensor.view(wanted.shape)
        if tensor.shape != wanted.shape:
            shapes = f"{tuple(tensor.shape)}, the network wants {tuple(wanted.shape)}"
            found.misshapen.append(f"{', '.join(names)} is {shapes}")
        found.state[key] = tensor
    found.unexpected.extend(sorted(left))
    return found


def to_theirs(state: Mapping[str, Tensor], table: Table) -> dict[str, Tensor]:
    """Return a state dict in their names and shapes, without prefixes."""
    theirs: dict[str, Tensor] = {}
    for key, tensor in state.items():
        names = names_of(key, table)
        if _is_reshaped(key):
            tensor = tensor.flatten(0, 1)[None] if key == CODEBOOKS else tensor[:, None]
        parts = tensor.chunk(len(names))
        theirs |= {name: part.clone() for name, part in zip(names, parts, strict=True)}
    return theirs


def respell(state: Mapping[str, Tensor], spellings: Table) -> dict[str, Tensor]:
    """Replace the second spelling of each row, where a name ends in it, by the first."""
    respelt = {}
    for name, tensor in state.items():
        for wanted, other in spellings:
            if name.endswith(f".{other}"):
                name = f"{name.removesuffix(other)}{wanted}"
        respelt[name] = tensor
    return respelt


def _is_reshaped(key: str) -> bool:
    return key == CODEBOOKS or key.endswith(WAVE_WEIGHT)


def _name_of(key: str, table: Table) -> str:
    for ours, theirs in table:
        pattern = re.escape(ours).replace(r"\*", r"(\d+)")
        if match := re.fullmatch(rf"{pattern}((?:\.\w+)?)", key):
            *layer, parameter = match.groups()
            return (theirs.replace("*", layer[0]) if layer else theirs) + str(parameter)
    raise AssertionError(f"the table has no row for {key}")
