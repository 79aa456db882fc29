"""`duovox convert` and the scripts of the source, as a user types them."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from duovox.cli import app

REPOSITORY = Path(__file__).resolve().parents[1]
GOLDEN = REPOSITORY / "tests" / "network" / "wav2vec2" / "format" / "golden"


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that gives arguments to `duovox convert` in this process."""
    monkeypatch.delenv("DUOVOX_DEBUG", raising=False)
    return lambda *words: CliRunner().invoke(app, ["convert", *map(str, words)])


def test_a_conversion_says_what_it_did_and_what_that_changed(type_in, tmp_path) -> None:
    result = type_in(GOLDEN / "fairseq_ctc.pt", tmp_path / "hf", "--to", "huggingface")
    assert result.exit_code == 0, result.output
    first, last = result.stdout.splitlines()
    assert first.startswith(f"{tmp_path / 'hf'}: speech recogniser of 32 symbols for huggingface, ")
    assert first.endswith("weights, the same to the bit when read again")
    assert last == "largest difference on one second of fixed audio: token logits 0"
    names = {"config.json", "model.safetensors", "preprocessor_config.json", "vocab.json"}
    names |= {"tokenizer_config.json", "special_tokens_map.json"}
    assert {path.name for path in (tmp_path / "hf").iterdir()} == names


def test_what_the_format_has_no_place_for_is_told(type_in, finished_run, tmp_path) -> None:
    result = type_in(finished_run, tmp_path / "run.pt", "--to", "fairseq")
    assert "left out, for it belongs to no such network: " in result.stdout
    assert "speaker_head.weight" in result.stdout


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("unpickled",)


def test_code_in_a_checkpoint_needs_trust_and_is_not_run(type_in, tmp_path) -> None:
    content = torch.load(GOLDEN / "fairseq_ctc.pt") | {"criterion": Harmful()}
    torch.save(content, tmp_path / "model.pt")
    result = type_in(tmp_path / "model.pt", tmp_path / "ours", "--to", "duovox")
    assert result.exit_code == 1
    assert "is refused: it holds more than tensors" in result.stderr
    assert "--trust" in result.stderr
    trusted = type_in(tmp_path / "model.pt", tmp_path / "ours", "--to", "duovox", "--trust")
    assert trusted.exit_code == 0, trusted.output
    assert "unpickled" not in result.output + trusted.output


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("gone.pt", "does not exist"),
        ("half.pt", "cut short"),
        ("empty", "neither model.json nor config.json"),
    ],
)
def test_a_mistake_ends_in_a_sentence_and_exit_code_1(type_in, tmp_path, source, message) -> None:
    content = (GOLDEN / "fairseq_ctc.pt").read_bytes()
    (tmp_path / "half.pt").write_bytes(content[: len(content) // 2])
    (tmp_path / "empty").mkdir()
    result = type_in(tmp_path / source, tmp_path / "ours", "--to", "duovox")
    assert result.exit_code == 1
    assert message in result.stderr
    assert not (tmp_path / "ours").exists()


def test_an_unknown_format_ends_in_exit_code_2(type_in, tmp_path) -> None:
    assert type_in("a.pt", tmp_path / "b", "--to", "onnx").exit_code == 2


@pytest.mark.parametrize(
    ("script", "target", "kind"),
    [
        ("nano_to_fairseq.py", "model.pt", "fairseq"),
        ("convert_fairseq_to_hf.py", "model", "huggingface"),
    ],
)
def test_the_scripts_of_the_source_do_the_same(
    script: str, target: str, kind: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    path = REPOSITORY / "scripts" / "convert" / script
    words = [path, GOLDEN / "fairseq_pretraining.pt", tmp_path / target]
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(path), run_name="__main__")
    assert ended.value.code == 0
    assert f"pre-training network for {kind}" in capsys.readouterr().out
    assert (tmp_path / target).exists()
