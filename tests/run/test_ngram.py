"""Language models from texts and data sets, as `duovox ngram` writes them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from duovox.run.ngram import write_ngram


def test_words_of_texts_become_a_model_and_a_lexicon(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ONE TWO\n\nTWO\n")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"SIX TWO\n"))
    sources = [tmp_path / "a.txt", tmp_path / "b.txt.gz"]
    out, lexicon = tmp_path / "lm.arpa", tmp_path / "lexicon.txt"
    assert write_ngram(sources, out, order=2, lexicon=lexicon) == (3, 3)
    assert lexicon.read_text() == "ONE O N E |\nSIX S I X |\nTWO T W O |\n"
    assert "ngram 1=6\nngram 2=6\n" in out.read_text()
    packed = tmp_path / "lm.arpa.gz"
    write_ngram(sources, packed, order=2)
    assert gzip.decompress(packed.read_bytes()) == out.read_bytes()


def test_symbols_are_letters_and_borders(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("AB A\n")
    write_ngram([tmp_path / "a.txt"], tmp_path / "lm.arpa", order=3, of_symbols=True)
    assert "\tB | A\n" in (tmp_path / "lm.arpa").read_text()


def test_folders_are_made_and_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ONE\n")
    lm, lexicon = tmp_path / "new" / "lm.arpa", tmp_path / "newer" / "lexicon.txt"
    write_ngram([tmp_path / "a.txt"], lm, order=2, lexicon=lexicon)
    assert lm.is_file()
    assert lexicon.is_file()
    with pytest.raises(ValueError, match="is a folder: give the file to write"):
        write_ngram([tmp_path / "a.txt"], tmp_path, order=2)


@pytest.mark.parametrize(("content", "message"), [(b"\n \n", "no words"), (b"\xff", "no text")])
def test_what_says_nothing_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        write_ngram([tmp_path / "a.txt"], tmp_path / "lm.arpa", order=2)
