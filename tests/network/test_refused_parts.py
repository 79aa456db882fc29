"""Parts of a network that do not fit each other."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.head.ctc import CtcHead
from duovox.network.head.data_source import DataSourceHead
from duovox.network.head.linear import LinearHead
from duovox.network.pooling.ctc import CtcPooling
from duovox.network.pooling.first_cls import FirstClassPooling
from duovox.network.pooling.mean import MeanPooling
from duovox.network.pooling.mean_std import MeanStdPooling
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "needs a speech head or a pooling"),
    ({"speaker_head": LinearHead(32, 7)}, "needs a speech head or a pooling"),
    (
        {"speech_head": CtcHead(32, 5), "speaker_head": LinearHead(32, 7)},
        "a speaker head needs a pooling",
    ),
    ({"pooling": CtcPooling(32)}, "chooses frames by the token logits"),
    ({"speech_head": CtcHead(32, 5), "num_shared_layers": 1}, "but it has one"),
    ({"pooling": MeanPooling(8), "num_speaker_dimensions": 8}, "but it has one"),
    (
        {
            "speech_head": CtcHead(24, 5),
            "pooling": MeanPooling(8),
            "num_shared_layers": 1,
            "num_speaker_dimensions": 8,
        },
        "nothing to split",
    ),
    ({"speech_head": CtcHead(31, 5)}, "speech head must take vectors of width 32, got in_dim=31"),
    (
        {"pooling": MeanStdPooling(32), "speaker_head": LinearHead(32, 7)},
        "speaker head must take vectors of width 64, got in_dim=32",
    ),
    ({"speech_head": CtcHead(32, 5), "speaker_layer": 1}, "a layer for the speaker head needs a"),
    ({"pooling": MeanPooling(32), "speaker_layer": 3}, r"from 0 to 2, got 3 \(network\.speaker_he"),
    ({"pooling": FirstClassPooling(32), "speaker_layer": 0}, "a class frame hears the others in"),
    (
        {
            "speech_head": CtcHead(32, 5),
            "pooling": MeanPooling(32),
            "num_shared_layers": 1,
            "speaker_layer": 1,
        },
        r"got layer 1 \(network\.speaker_head_layer\): leave it at -1",
    ),
    (
        {"speech_head": CtcHead(32, 5), "source_head": DataSourceHead(32, reversal_scale=1.0)},
        "tells the data of two tasks apart, and this network has one",
    ),
]


@pytest.mark.parametrize(("parts", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_parts_that_do_not_fit_are_refused(
    architecture: Architecture, parts: dict[str, nn.Module | int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        SpeechSpeakerNetwork(Wav2Vec2Backbone(architecture), **parts)
