"""Lexicons of every spelling, and what a vocabulary can't spell."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from duovox.decoding.lexicon import read_lexicon, write_lexicon

VOCABULARY = ("<pad>", "|", "A", "B", "'")


def test_words_stand_alone_or_with_their_symbols(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.txt"
    path.write_text("AB\nBA B A |\n\nB'A\tB ' A\nAB A B B |\nAB A B\n")
    lexicon = read_lexicon(path, VOCABULARY)
    assert lexicon.words == ("AB", "BA", "B'A")
    assert lexicon.spellings == (((2, 3), (2, 3, 3)), ((3, 2),), ((3, 4, 2),))


def test_words_in_the_other_case_are_spelt_in_the_vocabulary(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.txt"
    path.write_text("ab a b |\n")
    lexicon = read_lexicon(path, VOCABULARY)
    assert (lexicon.words, lexicon.spellings) == (("ab",), (((2, 3),),))


def test_what_was_written_or_packed_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.txt"
    write_lexicon(["BA", "AB", "BA"], path)
    assert path.read_text() == "AB A B |\nBA B A |\n"
    packed = tmp_path / "lexicon.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_lexicon(packed, VOCABULARY) == read_lexicon(path, VOCABULARY)


def test_words_that_cannot_be_spelt_are_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.txt"
    path.write_text("AB\nCAFÉ\nA|B\nBÄ\n")
    with pytest.warns(UserWarning, match="3 of 4 words .* outside the vocabulary .*: CAFÉ, A|B"):
        lexicon = read_lexicon(path, VOCABULARY)
    assert lexicon.words == ("AB",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"XYZ\nC\n", "can spell none of the 2 words of .*, such as 'XYZ'"),
        (b"", "can spell none of the 0 words"),
        (b"\x1f\x8b\x08\x00broken", "is damaged or no text"),
        (b"\xff\xfe\x00A", "is damaged or no text"),
        (None, "there is no lexicon"),
    ],
)
def test_what_is_no_lexicon_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "lexicon.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_lexicon(path, VOCABULARY)
