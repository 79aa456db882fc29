"""Folders of transformers: `config.json`, weights, and the files of the processor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from duovox.batch import SAMPLE_RATE
from duovox.network.wav2vec2.format import huggingface, torch_file
from duovox.network.wav2vec2.format.checkpoint import HEAD, Checkpoint, collect

CONFIG, SAFETENSORS, PICKLE = "config.json", "model.safetensors", "pytorch_model.bin"
PREPROCESSOR, PROCESSOR = "preprocessor_config.json", "processor_config.json"
VOCABULARY, ADDED, TOKENIZER = "vocab.json", "added_tokens.json", "tokenizer_config.json"
BORDER = "|"  # between words

_SPECIAL = (("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>"))


def read(folder: Path, *, trust: bool = False) -> Checkpoint:
    """Read a model of transformers, with its CTC head or what pre-training put beside it.

    A blank that is not the first symbol becomes the first, with its row of the head.

    Raises:
        ValueError: files are missing or damaged, or do not fit each other.
    """
    config = _json(folder / CONFIG)
    tensors = huggingface.bare(_tensors(folder, trust=trust))
    architecture = huggingface.read_config(config)
    is_pretraining = {"quantizer.codevectors", "project_hid.weight"} <= tensors.keys()
    quantization = huggingface.read_quantization(config) if is_pretraining else None
    head = tensors.get("lm_head.weight")
    state, left_out = collect(
        tensors,
        huggingface.TABLE,
        source=str(folder),
        architecture=architecture,
        quantization=quantization,
        vocabulary_size=None if head is None or is_pretraining else len(head),
    )
    vocabulary = None
    if head is not None and not is_pretraining:
        symbols = _symbols(folder, len(head))
        blank = config.get("pad_token_id", 0)
        order = [blank, *(row for row in range(len(head)) if row != blank)]
        state |= {name: state[name][order] for name in (f"{HEAD}.weight", f"{HEAD}.bias")}
        vocabulary = None if symbols is None else tuple(symbols[row] for row in order)
    return Checkpoint(
        architecture=architecture,
        state=state,
        normalizes=_normalizes(folder),
        quantization=quantization,
        vocabulary=vocabulary,
        left_out=left_out,
    )


def write(checkpoint: Checkpoint, folder: Path) -> None:
    """Write a model that `from_pretrained` of transformers' class of its kind loads."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    theirs = huggingface.to_theirs(checkpoint.state)
    try:
        save_file(theirs, folder / SAFETENSORS, metadata={"format": "pt"})
    except SafetensorError as error:
        raise OSError(f"{folder / SAFETENSORS} can't be written: {error}") from error
    _write_json(folder / CONFIG, _config(checkpoint))
    preprocessor = {
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "feature_size": 1,
        "sampling_rate": SAMPLE_RATE,
        "padding_side": "right",
        "padding_value": 0.0,
        "do_normalize": checkpoint.normalizes,
        "return_attention_mask": True,  # the network looks at true frames only
    }
    _write_json(folder / PREPROCESSOR, preprocessor)
    if checkpoint.vocabulary is not None:
        _write_tokenizer(checkpoint.vocabulary, folder)


def _config(checkpoint: Checkpoint) -> dict[str, Any]:
    config = huggingface.write_config(checkpoint.architecture)
    if checkpoint.quantization is not None:
        quantization = huggingface.write_quantization(checkpoint.quantization)
        return {"architectures": ["Wav2Vec2ForPreTraining"], **config, **quantization}
    if not checkpoint.has_head:
        return {"architectures": ["Wav2Vec2Model"], **config}
    vocabulary = checkpoint.vocabulary or ()
    ids = {f"{name.removesuffix('_token')}_token_id": _id(vocabulary, s) for name, s in _SPECIAL}
    del ids["unk_token_id"]
    size = len(checkpoint.state[f"{HEAD}.bias"])
    head = {"vocab_size": size, "pad_token_id": 0, **ids}
    return {"architectures": ["Wav2Vec2ForCTC"], **config, **head}


def _write_tokenizer(vocabulary: Sequence[str], folder: Path) -> None:
    special = {name: s if s in vocabulary else None for name, s in _SPECIAL}
    special["pad_token"] = vocabulary[0]  # transformers' CTC blank
    _write_json(folder / VOCABULARY, {symbol: row for row, symbol in enumerate(vocabulary)})
    _write_json(folder / "special_tokens_map.json", special)
    tokenizer = {
        "tokenizer_class": "Wav2Vec2CTCTokenizer",
        "word_delimiter_token": BORDER,
        "do_lower_case": False,
        **special,
    }
    _write_json(folder / TOKENIZER, tokenizer)


def _symbols(folder: Path, number: int) -> list[str] | None:
    """Return the symbols in the order of their numbers, if the folder tells all of them."""
    if not (folder / VOCABULARY).is_file():
        return None
    rows: dict[str, Any] = _json(folder / VOCABULARY)
    if (folder / ADDED).is_file():
        rows |= _json(folder / ADDED)
    symbols = {row: symbol for symbol, row in rows.items() if isinstance(row, int)}
    if not set(range(number)) <= symbols.keys():
        return None
    border = _json(folder / TOKENIZER, default={}).get("word_delimiter_token", BORDER)
    return [BORDER if symbols[row] == border else symbols[row] for row in range(number)]


def _normalizes(folder: Path) -> bool:
    processor = _json(folder / PROCESSOR, default={}).get("feature_extractor", {})
    settings = processor or _json(folder / PREPROCESSOR, default={})
    return bool(settings.get("do_normalize", True))


def _tensors(folder: Path, *, trust: bool) -> dict[str, Tensor]:
    if (folder / SAFETENSORS).is_file():
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            state: dict[str, Tensor] = load_file(folder / SAFETENSORS)
        except SafetensorError as error:
            raise ValueError(
                f"{folder / SAFETENSORS} can't be read: it is cut short or damaged ({error}). Take "
                "another copy"
            ) from error
        return state
    if not (folder / PICKLE).is_file():
        raise ValueError(f"{folder} has neither {SAFETENSORS} nor {PICKLE}")
    return torch_file.tensors(torch_file.read(folder / PICKLE, trust=trust), str(folder / PICKLE))


def _json(path: Path, *, default: dict[str, Any] | None = None) -> dict[str, Any]:
    if default is not None and not path.is_file():
        return default
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged, take another copy: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object, got {type(content).__name__}")
    return content


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _id(vocabulary: Sequence[str], symbol: str) -> int | None:
    return vocabulary.index(symbol) if symbol in vocabulary else None
