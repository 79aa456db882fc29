from __future__ import annotations

import json
from pathlib import Path

import pytest

from duovox.network.wav2vec2.format.vocabulary import LETTERS, NANO_LETTERS, read_vocabulary


def test_published_letters_are_as_many_as_their_heads_have_outputs() -> None:
    assert len(set(LETTERS)) == len(set(NANO_LETTERS)) == 32
    assert LETTERS[:6] == ("<pad>", "<s>", "</s>", "<unk>", "|", "E")


@pytest.mark.parametrize(
    ("name", "text", "symbols"),
    [
        ("dict.ltr.txt", "| 94802\nE 51860\n", ("<pad>", "<s>", "</s>", "<unk>", "|", "E")),
        ("vocab.json", json.dumps({"B": 2, "<pad>": 0, "|": 1}), ("<pad>", "|", "B")),
        ("symbols.txt", "<blank>\n|\n\nß\n", ("<blank>", "|", "ß")),
    ],
)
def test_symbols_are_read_in_the_order_of_the_outputs(
    tmp_path: Path, name: str, text: str, symbols: tuple[str, ...]
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_vocabulary(tmp_path / name) == symbols


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("vocab.json", '{"a": 0, "b": 2}', "must number its symbols from 0 on"),
        ("vocab.json", '{"de": {"a": 0}}', "must number its symbols from 0 on"),
        ("vocab.json", "[1]", "must number its symbols from 0 on"),
        ("symbols.txt", "a b c\n", "must have one symbol per line"),
        ("symbols.txt", "a\na\n", "must name each symbol once"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        read_vocabulary(tmp_path / name)
