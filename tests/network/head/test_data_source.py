from __future__ import annotations

import torch

from duovox.network.head.data_source import DataSourceHead, reverse_gradient


def test_logits_are_those_of_the_mean_frame_without_padding() -> None:
    head = DataSourceHead(8, reversal_scale=1.0)
    frames = torch.randn(2, 5, 8)
    expected = head.linear(frames[1, :3].mean(dim=0))
    torch.testing.assert_close(head(frames, torch.tensor([5, 3]))[1], expected)
    with torch.autocast("cpu", torch.bfloat16):
        assert head(frames, torch.tensor([5, 3])).dtype == torch.float32


def test_the_gradient_turns_round_on_its_way_to_the_frames_alone() -> None:
    """The published code turned it behind the linear layer, which then learnt to be wrong too."""
    gradients = []
    for scale in (-1.0, 0.5):  # -1: as it is
        torch.manual_seed(0)
        head = DataSourceHead(8, reversal_scale=scale)
        frames = torch.randn(3, 4, 8, requires_grad=True)
        head(frames, torch.tensor([4, 2, 1]))[:, 0].sum().backward()
        gradients.append((frames.grad, head.linear.weight.grad))
    torch.testing.assert_close(gradients[1][0], -0.5 * gradients[0][0])
    torch.testing.assert_close(gradients[1][1], gradients[0][1])


def test_reversing_leaves_the_values_as_they_are() -> None:
    values = torch.randn(3)
    assert torch.equal(reverse_gradient(values, 2.0), values)
