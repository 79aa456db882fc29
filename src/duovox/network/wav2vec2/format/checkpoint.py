"""What every format of weights is read into and written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format.names import BACKBONE, MASK_VECTOR, Table, to_ours
from duovox.network.wav2vec2.pretraining import PretrainingNetwork
from duovox.network.wav2vec2.quantizer import ProductQuantizer

HEAD = "speech_head.linear"  # of a network that recognises speech


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """The sizes of what pre-training puts beside the backbone."""

    num_codebooks: int = 2  # G
    num_entries: int = 320  # V of each
    out_dim: int = 256  # D, of the entries of all codebooks side by side
    similarity_dim: int = 256  # P, in which contexts and targets are compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The weights of one network in our names, and what it takes to make it again."""

    architecture: Architecture
    state: dict[str, Tensor]  # `backbone.*`; `speech_head.linear.*` or the parts of pre-training
    normalizes: bool  # waves get zero mean and unit variance before the network
    quantization: Quantization | None = None  # of a network that pre-trains
    vocabulary: tuple[str, ...] | None = None  # V symbols of the CTC head, the first is its blank
    left_out: tuple[str, ...] = ()  # names in the source of tensors that have no place here

    @property
    def has_head(self) -> bool:
        """Whether there is a CTC head."""
        return f"{HEAD}.weight" in self.state

    def backbone_state(self) -> dict[str, Tensor]:
        """Return the backbone's own state dict."""
        return {
            key.removeprefix(BACKBONE): tensor
            for key, tensor in self.state.items()
            if key.startswith(BACKBONE)
        }


def make_pretraining_network(
    backbone: Wav2Vec2Backbone,
    sizes: Quantization,
    *,
    feature_gradient_scale: float = 1.0,
    feat_quantizer_dropout: float = 0.0,
) -> PretrainingNetwork:
    """Return a new network that pre-trains this backbone."""
    return PretrainingNetwork(
        backbone,
        ProductQuantizer(
            backbone.architecture.conv_channels[-1],
            num_codebooks=sizes.num_codebooks,
            num_entries=sizes.num_entries,
            out_dim=sizes.out_dim,
        ),
        similarity_dim=sizes.similarity_dim,
        feature_gradient_scale=feature_gradient_scale,
        feat_quantizer_dropout=feat_quantizer_dropout,
    )


def collect(
    tensors: Mapping[str, Tensor],
    table: Table | None,
    *,
    source: str,
    architecture: Architecture,
    quantization: Quantization | None,
    vocabulary_size: int | None,
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return the state of the network of these sizes, and the names of the tensors left over.

    A mask vector that is absent, because the network never masked, is drawn as a new one is.

    Args:
        tensors: in the names of the table; without one, in ours, without `backbone.`.
        source: where they come from, for messages.

    Raises:
        ValueError: a tensor is missing or has another shape; all such are listed.
    """
    own = _own_state(architecture, quantization, vocabulary_size)
    found = to_ours(tensors, own, table)
    if found.missing or found.misshapen:
        raise ValueError(
            f"{source} does not hold the network that it describes. "
            + "; ".join(
                f"{title}: {_listed(names)}"
                for title, names in (
                    ("missing", found.missing),
                    ("of another shape", found.misshapen),
                    ("without a place", found.unexpected),
                )
                if names
            )
            + ". The checkpoint is incomplete, or its sizes are those of another: take both "
            "from the same place"
        )
    state = {key: tensor.detach() for key, tensor in found.state.items()}
    if f"{BACKBONE}{MASK_VECTOR}" not in state:
        generator = torch.Generator().manual_seed(0)
        state[f"{BACKBONE}{MASK_VECTOR}"] = torch.rand(architecture.width, generator=generator)
    return {key: state[key] for key in own}, tuple(found.unexpected)


def _own_state(
    architecture: Architecture, quantization: Quantization | None, vocabulary_size: int | None
) -> dict[str, Tensor]:
    """Return the keys and shapes of a network, without memory behind them."""
    with torch.device("meta"):
        backbone = Wav2Vec2Backbone(architecture)
        if quantization is not None:
            return make_pretraining_network(backbone, quantization).state_dict()
        state = {f"{BACKBONE}{key}": tensor for key, tensor in backbone.state_dict().items()}
        if vocabulary_size is not None:
            state[f"{HEAD}.weight"] = torch.empty(vocabulary_size, architecture.width)
            state[f"{HEAD}.bias"] = torch.empty(vocabulary_size)
        return state


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(names[:10]) + more
