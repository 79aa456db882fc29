"""Of several channels the mean is taken, or the one that is wanted."""

from __future__ import annotations

import numpy as np
import pytest

from duovox.audio.channels import count_channels, mix_down, pick_channel
from duovox.audio.error import AudioError


def test_the_mean_of_two_channels():
    stereo = np.array([[0.2, 0.4], [-1.0, 1.0]], np.float32)
    np.testing.assert_allclose(mix_down(stereo), [0.3, 0.0], atol=1e-7)
    assert count_channels(stereo) == 2


def test_mono_stays_as_it_is():
    mono = np.array([0.1, 0.2], np.float32)
    assert mix_down(mono) is mono
    assert count_channels(mono) == 1


def test_the_wanted_channel_is_taken_and_one_that_is_not_there_refused():
    stereo = np.array([[0.2, 0.4], [-1.0, 1.0]], np.float32)
    np.testing.assert_array_equal(pick_channel(stereo, 1), stereo[:, 1])
    np.testing.assert_array_equal(pick_channel(stereo[:, 0], 0), stereo[:, 0])
    for wave, channel in ((stereo, 2), (stereo[:, 0], 1)):
        with pytest.raises(AudioError, match=f"channel {channel} is wanted, of 0 to {channel - 1}"):
            pick_channel(wave, channel)
