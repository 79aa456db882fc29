"""The transformer over frames."""

from __future__ import annotations

from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from duovox.network.dropout import Dropout
from duovox.network.padding import true_frames
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.product import Activation, Linear


class Transformer(nn.Module):
    """Let the frames of each utterance attend to each other, layer after layer.

    LayerDrop passes over whole layers in training. A dropped layer is still computed and its
    output put aside: every parameter keeps its (zero) gradient, which distributed training
    needs, and the coin never leaves the device.

    Source: Fan et al. 2019 (LayerDrop).
    """

    def __init__(
        self,
        architecture: Architecture,
        *,
        attention_dropout: float = 0.0,
        activation_dropout: float = 0.0,
        hidden_dropout: float = 0.0,
        layerdrop: float = 0.0,
        gradient_checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.layerdrop = layerdrop
        self.gradient_checkpointing = gradient_checkpointing
        self.layers = nn.ModuleList(
            TransformerLayer(
                architecture,
                attention_dropout=attention_dropout,
                activation_dropout=activation_dropout,
                hidden_dropout=hidden_dropout,
            )
            for _ in range(architecture.num_layers)
        )
        self.final_norm = (
            nn.LayerNorm(architecture.width, eps=architecture.norm_epsilon)
            if architecture.pre_norm
            else nn.Identity()
        )

    def forward(
        self,
        frames: Tensor,
        num_frames: Tensor,
        *,
        with_layers: bool = False,
        start: int = 0,
        stop: int | None = None,
    ) -> tuple[Tensor, ...]:
        """Return the last layer's output (B, T, D), or the input and the output of every layer.

        Padding is neither attended to nor left in what is returned: it is zero.

        Args:
            start, stop: run the layers from `start` up to `stop` only, counted from 0; the final
                norm comes behind the last of all layers, so not where `stop` is set.
        """
        is_real = true_frames(num_frames, frames.shape[1])
        attention_mask = is_real[:, None, None]  # (B, 1, 1, T): the same for all heads and queries
        states: tuple[Tensor, ...] = (frames,)
        for layer in list(self.layers)[start:stop]:
            output = self._run(layer, states[-1], attention_mask)
            states = (*states, output) if with_layers else (output,)
        if stop is None:
            states = (*states[:-1], self.final_norm(states[-1]))
        return tuple(state.masked_fill(~is_real[..., None], 0.0) for state in states)

    def take_layers_above(self, num_kept: int) -> Transformer:
        """Cut the transformer in two: keep the lowest layers, return the others as a new one."""
        upper = deepcopy(self)
        upper.layers = upper.layers[num_kept:]
        self.layers, self.final_norm = self.layers[:num_kept], nn.Identity()
        return upper

    def _run(self, layer: nn.Module, frames: Tensor, attention_mask: Tensor) -> Tensor:
        if self.training and self.gradient_checkpointing:
            output: Tensor = checkpoint(layer, frames, attention_mask, use_reentrant=False)
        else:
            output = layer(frames, attention_mask)
        if self.training and self.layerdrop > 0:
            is_kept = torch.rand((), device=frames.device) >= self.layerdrop
            output = torch.where(is_kept, output, frames)
        return output


class TransformerLayer(nn.Module):
    """Self-attention and a feed-forward network, each with its residual connection and norm.

    Source: Vaswani et al. 2017 (norm after the residual sum), Xiong et al. 2020 (norm before).
    """

    def __init__(
        self,
        architecture: Architecture,
        *,
        attention_dropout: float,
        activation_dropout: float,
        hidden_dropout: float,
    ) -> None:
        super().__init__()
        width, epsilon = architecture.width, architecture.norm_epsilon
        self.pre_norm = architecture.pre_norm
        self.attention = SelfAttention(width, architecture.num_heads, dropout=attention_dropout)
        self.attention_norm = nn.LayerNorm(width, eps=epsilon)
        self.feed_forward = FeedForward(
            width,
            architecture.feed_forward_width,
            dropout=activation_dropout,
            activation=architecture.feed_forward_activation,
        )
        self.feed_forward_norm = nn.LayerNorm(width, eps=epsilon)
        self.dropout = Dropout(hidden_dropout)

    def forward(self, frames: Tensor, attention_mask: Tensor) -> Tensor:
        """Return (B, T, D); attention_mask (B, 1, 1, T) is True where a frame may be seen."""
        if self.pre_norm:
            attended = self.attention(self.attention_norm(frames), attention_mask)
            frames = frames + self.dropout(attended)
            output: Tensor = frames + self.dropout(
                self.feed_forward(self.feed_forward_norm(frames))
            )
        else:
            attended = self.attention(frames, attention_mask)
            frames = self.attention_norm(frames + self.dropout(attended))
            output = self.feed_forward_norm(frames + self.dropout(self.feed_forward(frames)))
        return output


class SelfAttention(nn.Module):
    """Attend with several heads; one product makes queries, keys and values, in this order."""

    def __init__(self, width: int, num_heads: int, *, dropout: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout
        self.query_key_value = Linear(width, 3 * width)
        self.output = Linear(width, width)
        self.query_key_value.draw(width)
        self.output.draw(width)

    def forward(self, frames: Tensor, attention_mask: Tensor) -> Tensor:
        """Return (B, T, D)."""
        heads = self.query_key_value(frames).unflatten(-1, (3, self.num_heads, -1))
        query, key, value = heads.permute(2, 0, 3, 1, 4)  # each (B, heads, T, D / heads)
        attended = F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=attention_mask,
            dropout_p=self.dropout if self.training else 0.0,
        )
        mixed: Tensor = self.output(attended.transpose(1, 2).flatten(2))
        return mixed


class FeedForward(nn.Module):
    """Widen, apply GELU, and narrow again."""

    def __init__(
        self, width: int, inner_width: int, *, dropout: float, activation: Activation = "gelu"
    ) -> None:
        super().__init__()
        self.inner = Linear(width, inner_width, activation=activation)
        self.output = Linear(inner_width, width)
        self.inner.draw(width)
        self.output.draw(width)
        self.dropout = Dropout(dropout)

    def forward(self, frames: Tensor) -> Tensor:
        """Return (B, T, D)."""
        output: Tensor = self.output(self.dropout(self.inner(frames)))
        return output
