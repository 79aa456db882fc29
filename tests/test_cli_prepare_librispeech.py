"""`duovox prepare librispeech` on real speech: what it says, and what lies there afterwards."""

from __future__ import annotations

import tarfile
from pathlib import Path

from typer.testing import CliRunner

from duovox.cli import app
from duovox.data.dataset.index import Index
from duovox.data.dataset.summary import DatasetSummary


def test_an_official_archive_becomes_a_data_set(speech_data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "dev-clean.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for name in ("SPEAKERS.TXT", "dev-clean"):
            tar.add(speech_data / "librispeech" / "LibriSpeech" / name, f"LibriSpeech/{name}")
    arguments = ["prepare", "librispeech", str(archive), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*arguments, "--format", "wav"])
    assert result.exit_code == 0, result.output
    said = result.output.replace("\n", " ")
    assert "dev-clean: 4 utterances, 0.01 hours, 2 speakers, 1 shards" in said
    assert said.count("4 utterances, 2699 fewer than the official 2703") == 1
    index = Index.load([tmp_path / "out" / "dev-clean"])
    assert set(index.audio_format) == {"wav"}
    assert "" not in [*index.gender, *index.transcript]
    assert DatasetSummary.load(tmp_path / "out" / "dev-clean").name == "dev-clean"


def test_a_cut_archive_ends_with_advice_and_exit_code_1(tmp_path: Path) -> None:
    archive = tmp_path / "dev-clean.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(__file__, "LibriSpeech/README.TXT")
    archive.write_bytes(archive.read_bytes()[:200])
    result = CliRunner().invoke(
        app, ["prepare", "librispeech", str(archive), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 1
    assert "is cut short" in result.output.replace("\n", " ")
