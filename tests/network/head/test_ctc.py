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


def test_a_leaning_head_begins_with_blanks_and_keeps_the_blanks_own_weights() -> None:
    head = CtcHead(8, 5)
    weight, bias = head.linear.weight.clone(), head.linear.bias.clone()
    head.lean(2, bias=5.0, scale=0.1)
    assert set(head(torch.randn(4, 100, 8)).argmax(-1).unique().tolist()) == {2}
    expected = torch.tensor([0.1, 0.1, 1.0, 0.1, 0.1])[:, None] * weight
    torch.testing.assert_close(head.linear.weight, expected)
    torch.testing.assert_close(head.linear.bias - bias, torch.tensor([0.0, 0, 5, 0, 0]))
