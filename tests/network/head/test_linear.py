from __future__ import annotations

import torch

from duovox.network.head.linear import LinearHead


def test_logits_are_one_product_per_embedding_in_float32() -> None:
    head = LinearHead(8, 5, dropout=0.5).eval()
    embedding = torch.randn(2, 8)
    expected = embedding @ head.linear.weight.T + head.linear.bias
    torch.testing.assert_close(head(embedding), expected)
    with torch.autocast("cpu", torch.bfloat16):
        assert head(embedding).dtype == torch.float32


def test_dropout_acts_on_the_embeddings_in_training() -> None:
    head = LinearHead(8, 5, dropout=1.0)
    torch.testing.assert_close(head(torch.randn(1, 8))[0], head.linear.bias)
