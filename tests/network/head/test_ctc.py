from __future__ import annotations

import torch

from duovox.network.head.ctc import CtcHead


def test_logits_are_one_product_per_frame_in_float32() -> None:
    head = CtcHead(8, 5, dropout=0.5).eval()
    frames = torch.randn(2, 3, 8)
    logits = head(frames)
    assert logits.shape == (2, 3, 5)
    torch.testing.assert_close(logits[1, 2], head.linear.weight @ frames[1, 2] + head.linear.bias)
    with torch.autocast("cpu", torch.bfloat16):
        assert head(frames).dtype == torch.float32


def test_dropout_acts_on_the_frames_in_training() -> None:
    head = CtcHead(8, 5, dropout=1.0)
    torch.testing.assert_close(head(torch.randn(1, 1, 8))[0, 0], head.linear.bias)
