"""Folders that transformers reads without a word, and what is read from its own."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format import huggingface_folder
from duovox.network.wav2vec2.format.checkpoint import Checkpoint

CLASSES = {
    "backbone": "Wav2Vec2Model",
    "speech": "Wav2Vec2ForCTC",
    "pretraining": "Wav2Vec2ForPreTraining",
}


@pytest.fixture
def silence(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that fails if transformers has logged or printed a warning."""
    import transformers

    transformers.logging.set_verbosity_warning()
    transformers.utils.logging.disable_progress_bar()
    logger = logging.getLogger("transformers")
    logger.addHandler(caplog.handler)
    yield lambda: (caplog.messages, capsys.readouterr()) == ([], ("", ""))
    logger.removeHandler(caplog.handler)


def _load(kind: str, folder: Path) -> Any:
    import transformers

    model, found = getattr(transformers, CLASSES[kind]).from_pretrained(
        folder, output_loading_info=True
    )
    assert not any(found.values()), found  # missing, unexpected, mismatched keys, errors
    return model.eval()


def _frames(checkpoint: Checkpoint, waves: Tensor) -> Tensor:
    backbone = Wav2Vec2Backbone(checkpoint.architecture).eval()
    backbone.load_state_dict(checkpoint.backbone_state())
    return backbone(waves, torch.tensor([waves.shape[1]])).frames


@pytest.mark.parametrize("kind", CLASSES)
@torch.inference_mode()
def test_transformers_loads_what_is_written_and_says_nothing(
    kind: str, make_checkpoint: Callable[[str], Checkpoint], tmp_path: Path, silence: Any
) -> None:
    checkpoint = make_checkpoint(kind)
    huggingface_folder.write(checkpoint, tmp_path)
    model = _load(kind, tmp_path)
    assert silence()
    waves = torch.randn(1, 4000)
    frames = _frames(checkpoint, waves)
    theirs = getattr(model, "wav2vec2", model)(waves).last_hidden_state
    torch.testing.assert_close(frames, theirs, atol=1e-4, rtol=1e-4)
    state = checkpoint.state
    if kind == "speech":
        head = state["speech_head.linear.weight"], state["speech_head.linear.bias"]
        expected = torch.nn.functional.linear(frames, *head)
        torch.testing.assert_close(expected, model(waves).logits, atol=1e-3, rtol=1e-4)
    if kind == "pretraining":
        own = state["context_projection.weight"], state["context_projection.bias"]
        contexts = torch.nn.functional.linear(frames, *own)
        theirs = model(waves).projected_states
        torch.testing.assert_close(contexts, theirs, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("kind", CLASSES)
def test_a_folder_is_read_as_it_was_written(
    kind: str, make_checkpoint: Callable[[str], Checkpoint], tmp_path: Path, assert_same: Any
) -> None:
    checkpoint = make_checkpoint(kind)
    huggingface_folder.write(checkpoint, tmp_path)
    assert_same(huggingface_folder.read(tmp_path), checkpoint)


@pytest.mark.parametrize("kind", CLASSES)
def test_a_folder_that_transformers_wrote_again_is_the_same(
    kind: str, make_checkpoint: Callable[[str], Checkpoint], tmp_path: Path, assert_same: Any
) -> None:
    checkpoint = make_checkpoint(kind)
    huggingface_folder.write(checkpoint, tmp_path)
    _load(kind, tmp_path).save_pretrained(tmp_path)
    assert_same(huggingface_folder.read(tmp_path), checkpoint)


def test_the_approximated_gelu_is_told(
    make_checkpoint: Callable[[str], Checkpoint], tmp_path: Path
) -> None:
    checkpoint = make_checkpoint("backbone")
    architecture = replace(checkpoint.architecture, conv_activation="gelu_tanh")
    checkpoint = replace(checkpoint, architecture=architecture)
    huggingface_folder.write(checkpoint, tmp_path)
    waves = torch.randn(1, 4000)
    with torch.inference_mode():
        theirs = _load("backbone", tmp_path)(waves).last_hidden_state
        torch.testing.assert_close(_frames(checkpoint, waves), theirs, atol=1e-4, rtol=1e-4)


@pytest.fixture
def speech(make_checkpoint: Callable[[str], Checkpoint], tmp_path: Path) -> Path:
    """Return the folder of a speech recogniser."""
    huggingface_folder.write(make_checkpoint("speech"), tmp_path)
    return tmp_path


def _change(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_the_processor_reads_waves_and_writes_texts(speech: Path, silence: Any) -> None:
    from transformers import Wav2Vec2Processor

    processor = Wav2Vec2Processor.from_pretrained(speech)
    assert silence()
    assert len(processor.tokenizer) == 32
    numbers = processor.tokenizer("HELLO YOU").input_ids
    assert numbers == [11, 5, 15, 15, 8, 4, 22, 8, 16]
    assert (
        processor.tokenizer.decode([0, 11, 11, 5, 0, 15, 0, 15, 8, 4, 4, 22, 8, 16]) == "HELLO YOU"
    )
    features = processor.feature_extractor
    normalizes = json.loads((speech / "preprocessor_config.json").read_text())["do_normalize"]
    assert (features.sampling_rate, features.do_normalize) == (16_000, normalizes)
    processor.save_pretrained(speech)  # in the files of its own version
    found = huggingface_folder.read(speech)
    assert found.normalizes == normalizes
    assert found.vocabulary is not None


def test_a_vocabulary_without_special_symbols_but_the_blank_is_loaded(
    make_checkpoint: Callable[[str], Checkpoint], tmp_path: Path, silence: Any
) -> None:
    from transformers import Wav2Vec2CTCTokenizer

    checkpoint = make_checkpoint("speech")
    state = {
        name: tensor[:4] if name.startswith("speech_head") else tensor
        for name, tensor in checkpoint.state.items()
    }
    symbols = ("<blank>", "|", "ß", "é")
    huggingface_folder.write(replace(checkpoint, state=state, vocabulary=symbols), tmp_path)
    tokenizer = Wav2Vec2CTCTokenizer.from_pretrained(tmp_path)
    _load("speech", tmp_path)
    assert silence()
    assert len(tokenizer) == 4
    assert tokenizer.decode([2, 2, 0, 2, 1, 3]) == "ßß é"
    assert huggingface_folder.read(tmp_path).vocabulary == symbols


def test_a_blank_elsewhere_becomes_the_first_symbol(speech: Path) -> None:
    before = huggingface_folder.read(speech)
    symbols = {"|": 0, "[UNK]": 30, "[PAD]": 31} | {chr(64 + n): n for n in range(1, 30)}
    (speech / "vocab.json").write_text(json.dumps(symbols))
    _change(speech / "config.json", pad_token_id=31)
    _change(speech / "tokenizer_config.json", pad_token="[PAD]", unk_token="[UNK]")
    after = huggingface_folder.read(speech)
    assert after.vocabulary is not None
    assert after.vocabulary[:3] == ("[PAD]", "|", "A")
    name = "speech_head.linear.weight"
    assert torch.equal(after.state[name], before.state[name].roll(1, dims=0))


def test_another_border_between_words_becomes_ours(speech: Path) -> None:
    rows = json.loads((speech / "vocab.json").read_text())
    rows[" "] = rows.pop("|")
    (speech / "vocab.json").write_text(json.dumps(rows))
    _change(speech / "tokenizer_config.json", word_delimiter_token=" ")
    found = huggingface_folder.read(speech).vocabulary
    assert found is not None
    assert found[4] == "|"


def test_symbols_that_were_added_later_are_read(speech: Path) -> None:
    rows = json.loads((speech / "vocab.json").read_text())
    (speech / "added_tokens.json").write_text(json.dumps({"Z": rows.pop("Z")}))
    (speech / "vocab.json").write_text(json.dumps(rows))
    found = huggingface_folder.read(speech).vocabulary
    assert found is not None
    assert found[31] == "Z"


@pytest.mark.parametrize("symbols", [None, {"<pad>": 0}, {"de": {"a": 0}}])
def test_symbols_that_do_not_fit_are_none(speech: Path, symbols: dict[str, Any] | None) -> None:
    (speech / "vocab.json").unlink()
    if symbols is not None:
        (speech / "vocab.json").write_text(json.dumps(symbols))
    assert huggingface_folder.read(speech).vocabulary is None


def test_another_size_in_the_configuration_is_told(speech: Path) -> None:
    _change(speech / "config.json", intermediate_size=65)
    with pytest.raises(ValueError, match=r"intermediate_dense\.weight is \(64, 32\), the network"):
        huggingface_folder.read(speech)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.safetensors", r"model\.safetensors can't be read: it is cut short or damaged"),
        ("config.json", r"config\.json is damaged, take another copy"),
    ],
)
def test_a_truncated_file_is_told(speech: Path, name: str, message: str) -> None:
    content = (speech / name).read_bytes()
    (speech / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=message):
        huggingface_folder.read(speech)
