"""What `duovox convert` writes, refuses and leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import duovox
from duovox.network.wav2vec2 import pretrained
from duovox.network.wav2vec2.format import own
from duovox.network.wav2vec2.format.checkpoint import HEAD, Checkpoint
from duovox.network.wav2vec2.format.vocabulary import LETTERS
from duovox.run.again import evaluate_again
from duovox.run.convert import Format, convert
from duovox.run.weights import ModelCard

GOLDEN = Path(__file__).parents[1] / "network" / "wav2vec2" / "format" / "golden"


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """Return a converted speech recogniser of ours."""
    convert(GOLDEN / "fairseq_ctc.pt", tmp_path / "converted", to="duovox")
    return tmp_path / "converted"


def test_a_converted_recogniser_transcribes(speech: Path, tiny_corpus: Path) -> None:
    model = duovox.load(speech)
    (text,) = model.transcribe([tiny_corpus / "audio" / "i" / "ONE0.flac"])
    assert set(text) <= set("".join(LETTERS[4:]) + " ")
    assert ModelCard.load(speech).vocabulary == list(LETTERS)


def test_a_converted_recogniser_is_scored(speech: Path, tiny_corpus: Path) -> None:
    metrics, _ = evaluate_again(speech, tiny_corpus / "demo" / "test", num_workers=0)
    assert metrics["test"]["test"]["num_utterances"] == 12


def test_what_has_no_heads_says_what_it_is_good_for(tmp_path: Path) -> None:
    convert(GOLDEN / "fairseq_pretraining.pt", tmp_path / "ours", to="duovox")
    with pytest.raises(ValueError, match=r"good for network\.wav2vec_checkpoint=.*ours only"):
        duovox.load(tmp_path / "ours")


def test_a_run_leaves_what_is_the_speakers_behind_and_counts_what_that_changes(
    finished_run: Path, tmp_path: Path
) -> None:
    conversion = convert(finished_run, tmp_path / "hf", to="huggingface")
    has_class_frame = "pooling.class_frame" in conversion.checkpoint.left_out
    assert "speaker_head.weight" in conversion.checkpoint.left_out
    assert (conversion.differences["token logits"] > 1e-4) == has_class_frame


@pytest.mark.parametrize(("name", "text"), [("vocab.json", None), ("dict.ltr.txt", "| 3\nÉ 1\n")])
def test_symbols_that_a_checkpoint_lacks_are_given_in_a_file(
    name: str, text: str | None, tmp_path: Path
) -> None:
    checkpoint = pretrained.read(GOLDEN / "fairseq_ctc.pt")
    state = {n: t[:6] if n.startswith(HEAD) else t for n, t in checkpoint.state.items()}
    symbols = ("<pad>", "<s>", "</s>", "<unk>", "|", "É")
    (tmp_path / "ours").mkdir()
    own.write(replace(checkpoint, state=state, vocabulary=symbols), tmp_path / "ours")
    convert(tmp_path / "ours", tmp_path / "fairseq.pt", to="fairseq")
    with pytest.raises(ValueError, match=r"CTC head of 6 outputs .*--vocabulary"):
        convert(tmp_path / "fairseq.pt", tmp_path / "hf", to="huggingface")
    listed = text or json.dumps({symbol: row for row, symbol in enumerate(symbols)})
    (tmp_path / name).write_text(listed)
    convert(tmp_path / "fairseq.pt", tmp_path / "hf", to="huggingface", vocabulary=tmp_path / name)
    assert pretrained.read(tmp_path / "hf").vocabulary == symbols
    (tmp_path / "other.txt").write_text("a\nb\n")
    with pytest.raises(ValueError, match=r"other\.txt must list 6 symbols, .* got 2"):
        convert(
            tmp_path / "fairseq.pt",
            tmp_path / "no",
            to="huggingface",
            vocabulary=tmp_path / "other.txt",
        )


@pytest.mark.parametrize("to", ["duovox", "huggingface", "fairseq"])
def test_what_fails_leaves_nothing_behind(
    speech: Path, to: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(speech.parent.iterdir())

    def fail(*_: object) -> Any:
        raise ValueError("no")

    monkeypatch.setattr("duovox.run.convert.largest_differences", fail)
    with pytest.raises(ValueError, match="no"):
        convert(speech, speech.parent / "target", to=to)
    assert sorted(speech.parent.iterdir()) == before


def test_a_target_that_exists_is_left_alone(speech: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="converted exists: name another place"):
        convert(speech, speech, to="huggingface")
    (tmp_path / "empty").mkdir()
    convert(speech, tmp_path / "empty", to="huggingface")


def test_weights_that_come_back_changed_are_not_kept(
    speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Callable[..., Checkpoint] = pretrained.read

    def read_wrongly(source: Path, **settings: Any) -> Checkpoint:
        checkpoint = read(source, **settings)
        if source.name.endswith(".tmp"):
            checkpoint.state[f"{HEAD}.bias"][0] += 1e-6
        return checkpoint

    monkeypatch.setattr(pretrained, "read", read_wrongly)
    with pytest.raises(ValueError, match=r"is not written: speech_head\.linear\.bias came back"):
        convert(speech, speech.parent / "hf", to="huggingface")
    assert not (speech.parent / "hf").exists()


def test_a_folder_has_one_dictionary(speech: Path) -> None:
    convert(speech, speech.parent / "a.pt", to="fairseq")
    convert(speech, speech.parent / "b.pt", to="fairseq")
    (speech.parent / "dict.ltr.txt").write_text("X 1\n")
    with pytest.raises(ValueError, match=r"dict\.ltr\.txt has the symbols of another model"):
        convert(speech, speech.parent / "c.pt", to="fairseq")
