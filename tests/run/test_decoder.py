"""The decoder of a run is made from its settings, and from nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from duovox.decoding.beam import BeamDecoder
from duovox.decoding.greedy import GreedyDecoder
from duovox.run.decoder import (
    GREEDY,
    build_decoder,
    build_search,
    chosen_decoder,
    training_decoder,
    uses_lm,
)
from duovox.run.settings import Settings

VOCABULARY = ("<pad>", "|", "A", "B")


@pytest.mark.parametrize("door", ["speech", "mt_speech_speaker"])
def test_the_best_path_is_the_default(settings_of: Callable[..., Settings], door: str) -> None:
    settings = settings_of(door)
    assert settings.decoder is not None
    assert not uses_lm(settings.decoder)
    assert build_decoder(settings.decoder, VOCABULARY) == GreedyDecoder(VOCABULARY)
    assert build_search(settings.decoder, VOCABULARY) is None
    assert build_decoder(None, VOCABULARY) == GreedyDecoder(VOCABULARY)


def test_beam_search_is_a_setting(settings_of: Callable[..., Settings]) -> None:
    settings = settings_of("speech", "decoder=beam", "decoder.beam_size=7")
    assert settings.decoder is not None
    assert build_decoder(settings.decoder, VOCABULARY) == BeamDecoder(VOCABULARY, beam_size=7)


PUBLISHED = {
    "default": (50, 2, 0),
    "4gram_fast": (50, 2, 0),
    "4gram_fair_10min": (1500, 3.23, -0.26),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_settings_ask_a_language_model(
    settings_of: Callable[..., Settings], name: str
) -> None:
    decoder = settings_of("speech", f"decoder={name}", "decoder.use_lm=true").decoder
    assert decoder is not None
    assert uses_lm(decoder)
    weights = (decoder["beam_size"], decoder["lm_weight"], decoder["word_score"])
    assert weights == PUBLISHED[name]
    assert uses_lm(settings_of("speech", f"decoder={name}").decoder) == (name != "default")


def test_a_language_model_that_is_missing_is_said_before_training(
    settings_of: Callable[..., Settings], flashlight: None
) -> None:
    decoder = settings_of("speech", "decoder.use_lm=true", "decoder.lm=no.arpa").decoder
    with pytest.raises(
        ValueError, match=r"decoder\.lm must name a language model, and there is no no\.arpa"
    ):
        build_search(decoder, VOCABULARY)


def test_validation_within_training_asks_no_language_model(
    settings_of: Callable[..., Settings],
) -> None:
    asking = settings_of("speech", "decoder.use_lm=true").decoder
    assert training_decoder(asking) == training_decoder(None) == GREEDY
    beam = settings_of("speech", "decoder=beam").decoder
    assert training_decoder(beam) == beam


def test_the_command_line_names_a_decoder(tmp_path: Path) -> None:
    assert chosen_decoder() is None
    file = tmp_path / "decoder.yaml"
    file.write_text("_target_: duovox.decoding.ngram_beam.NgramBeamDecoder\nbeam_size: 9\nlm: a\n")
    decoder = chosen_decoder(file=file, lm=tmp_path / "b", lexicon=tmp_path / "c")
    assert decoder is not None
    assert (decoder["beam_size"], decoder["lm"], decoder["lexicon"]) == (
        9,
        str(tmp_path / "b"),
        str(tmp_path / "c"),
    )
    assert uses_lm(decoder)
    with pytest.raises(ValueError, match="--lexicon needs a language model"):
        chosen_decoder(lexicon=Path("c"))
    file.write_text("beam_size: 9\n")
    with pytest.raises(ValueError, match="must name a decoder"):
        chosen_decoder(file=file)


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        ({"use_lm": "yes"}, "decoder.use_lm must be true or false, got 'yes'"),
        ({"_target_": "os.system"}, "decoder._target_ must name something in duovox.decoding"),
        (GREEDY | {"beam_sise": 3}, "decoder.*beam_sise"),
        ({"_target_": "duovox.decoding.beam.BeamDecoder", "beam_size": 0}, "beam_size .* got 0"),
    ],
)
def test_what_is_no_decoder_is_refused(decoder: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_decoder(decoder, VOCABULARY)
