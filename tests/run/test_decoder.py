"""The decoder of a run is made from its settings, and from nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from duovox.decoding.beam import BeamDecoder
from duovox.decoding.greedy import GreedyDecoder
from duovox.run.decoder import GREEDY, build_decoder
from duovox.run.settings import Settings

VOCABULARY = ("<pad>", "|", "A", "B")


@pytest.mark.parametrize("door", ["speech", "mt_speech_speaker"])
def test_the_best_path_is_the_default(settings_of: Callable[..., Settings], door: str) -> None:
    settings = settings_of(door)
    assert settings.decoder == GREEDY
    assert build_decoder(GREEDY, VOCABULARY) == GreedyDecoder(VOCABULARY)


def test_beam_search_is_a_setting(settings_of: Callable[..., Settings]) -> None:
    settings = settings_of("speech", "decoder=beam", "decoder.beam_size=7")
    assert settings.decoder is not None
    assert build_decoder(settings.decoder, VOCABULARY) == BeamDecoder(VOCABULARY, beam_size=7)


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        ({"_target_": "os.system"}, "decoder._target_ must name something in duovox.decoding"),
        (GREEDY | {"beam_sise": 3}, "decoder.*beam_sise"),
        ({"_target_": "duovox.decoding.beam.BeamDecoder", "beam_size": 0}, "beam_size .* got 0"),
    ],
)
def test_what_is_no_decoder_is_refused(decoder: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_decoder(decoder, VOCABULARY)
