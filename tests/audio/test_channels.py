"""Mixing down takes the mean of the channels."""

from __future__ import annotations

import numpy as np

from duovox.audio.channels import count_channels, mix_down


def test_the_mean_of_two_channels():
    stereo = np.array([[0.2, 0.4], [-1.0, 1.0]], np.float32)
    np.testing.assert_allclose(mix_down(stereo), [0.3, 0.0], atol=1e-7)
    assert count_channels(stereo) == 2


def test_mono_stays_as_it_is():
    mono = np.array([0.1, 0.2], np.float32)
    assert mix_down(mono) is mono
    assert count_channels(mono) == 1
