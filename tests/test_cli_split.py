"""`duovox split` parts a data set into two that share nothing and lose nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from duovox.cli import app
from duovox.data.dataset.index import Index


def split(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["split", *map(str, arguments)])


@pytest.mark.parametrize("by", ["speaker", "utterance"])
def test_both_halves_are_the_whole(by: str, tiny_corpus: Path, tmp_path: Path):
    whole = tiny_corpus / "demo" / "train"
    out, rest = tmp_path / "some", tmp_path / "others"
    result = split(whole, "--out", out, "--rest", rest, "--by", by, "--share", 0.3, "--seed", 4)
    assert result.exit_code == 0, result.output
    some, others = Index.load([out]), Index.load([rest])
    assert not {*some.key} & {*others.key}
    assert {*some.key} | {*others.key} == {*Index.load([whole]).key}
    if by == "speaker":
        assert not {*some.speaker_id} & {*others.speaker_id}


def test_it_must_be_said_how_much(tiny_corpus: Path, tmp_path: Path):
    result = split(tiny_corpus / "demo" / "train", "--out", tmp_path / "some")
    assert result.exit_code == 1
    assert "one of --share, --hours and --count" in result.output
