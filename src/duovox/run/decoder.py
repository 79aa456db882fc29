"""Make the decoder of a run: what turns its token logits into text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from duovox.decoding.parallel import Decode
from duovox.run.option import DECODERS, make
from duovox.run.settings import Option

GREEDY: Option = {"_target_": "duovox.decoding.greedy.GreedyDecoder"}
# What `--lm` and `--lexicon` begin with: the settings of config/decoder/default.yaml.
NGRAM: Option = {
    "_target_": "duovox.decoding.ngram_beam.NgramBeamDecoder",
    "use_lm": True,
    "beam_size": 50,
    "lm_weight": 2.0,
    "word_score": 0.0,
}


def build_decoder(decoder: Option | None, vocabulary: Sequence[str]) -> Decode:
    """Return what turns token logits (B, T, V) and num_frames (B,) into texts; None is greedy.

    With `use_lm: false` the other settings of a decoder wait for a language model, and it is
    greedy.
    """
    option = GREEDY if decoder is None else decoder
    if "use_lm" in option:
        rest = {name: value for name, value in option.items() if name != "use_lm"}
        option = rest if uses_lm(option) else GREEDY
    decode: Decode = make(option, tuple(vocabulary), path="decoder", within=DECODERS)
    return decode


def uses_lm(decoder: Option | None) -> bool:
    """Tell whether a decoder asks a language model.

    Raises:
        ValueError: `use_lm` is neither true nor false.
    """
    use_lm = (decoder or {}).get("use_lm", False)
    if not isinstance(use_lm, bool):
        raise ValueError(f"decoder.use_lm must be true or false, got {use_lm!r}")
    return use_lm


def training_decoder(decoder: Option | None) -> Option:
    """Return the decoder of the validations within training: none of them asks a language model.

    So the checkpoint that is kept, and with it the run, is the same with any.
    """
    return GREEDY if decoder is None or "use_lm" in decoder else decoder


def build_search(decoder: Option | None, vocabulary: Sequence[str] | None) -> Decode | None:
    """Return the decoder of the final scores where it asks a language model, else None."""
    if vocabulary is None or not uses_lm(decoder):
        return None
    return build_decoder(decoder, vocabulary)


def chosen_decoder(
    *, file: Path | None = None, lm: Path | None = None, lexicon: Path | None = None
) -> Option | None:
    """Return the decoder that a command line asks for; None where it asks for none.

    Args:
        file: What `duovox tune-decoder` wrote, or a file of config/decoder without references.
        lm: A language model, in place of the file's.
        lexicon: Of the language model, in place of the file's.

    Raises:
        ValueError: the file is missing or holds no decoder, or there is a lexicon alone.
    """
    if file is None and lm is None:
        if lexicon is not None:
            raise ValueError("--lexicon needs a language model: give --lm or --decoder, too")
        return None
    option = dict(NGRAM) if file is None else _read(file)
    if lm is not None:
        option |= {"lm": _whole(lm), "use_lm": True}
    if lexicon is not None:
        option |= {"lexicon": _whole(lexicon)}
    return option


def _whole(path: Path) -> str:
    """Return a path as it can be written down and found from anywhere."""
    return str(path.expanduser().absolute())


def _read(file: Path) -> Option:
    try:
        option = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{file} can't be read as a decoder: {error}") from error
    if not isinstance(option, dict) or "_target_" not in option:
        raise ValueError(
            f"{file} must name a decoder (_target_) and its settings, as `duovox tune-decoder` "
            "writes them"
        )
    return option
