from __future__ import annotations

import torch

from duovox.network.padding import true_frames


def test_true_frames_are_the_first_ones_of_each_utterance() -> None:
    is_real = true_frames(torch.tensor([3, 1, 0]), 3)
    assert is_real.tolist() == [[True, True, True], [True, False, False], [False, False, False]]
