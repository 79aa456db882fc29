"""Kaldi folders and lhotse cuts become data sets through the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from duovox.cli import app
from duovox.data.dataset.index import Index


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """Return the folder of one recording of a second."""
    soundfile.write(tmp_path / "a.wav", np.full(16_000, 0.1), 16_000)
    return tmp_path


def prepare(kind: str, source: Path, out: Path) -> Index:
    result = CliRunner().invoke(app, ["prepare", kind, str(source), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "1 utterances, 0.00 hours, 1 speakers" in result.output
    return Index.load([out])


def test_a_kaldi_folder_becomes_a_data_set(audio: Path):
    for name, line in {"wav.scp": "a a.wav", "text": "a HI", "utt2spk": "a anna"}.items():
        (audio / name).write_text(line + "\n")
    index = prepare("kaldi", audio, audio / "out")
    assert (index.key[0], index.transcript[0], index.num_samples[0]) == ("anna/_/a", "HI", 16_000)


def test_the_same_command_again_says_that_all_is_done(audio: Path):
    for name, line in {"wav.scp": "a a.wav", "utt2spk": "a anna"}.items():
        (audio / name).write_text(line + "\n")
    command = ["prepare", "kaldi", str(audio), "--out", str(audio / "out")]
    assert "finished before" not in CliRunner().invoke(app, command).output
    before = (audio / "out" / "out-000000.tar").stat().st_mtime_ns
    for options, code, said in (
        ([], 0, "was finished before, from the same input; --overwrite makes it anew"),
        (["--part", "1/2"], 0, "was finished before"),
        (["--order", "length", "--utterances-per-shard", "7"], 0, "was finished before"),
        (["--name", "other"], 1, "holds a finished data set, made by"),
    ):
        result = CliRunner().invoke(app, [*command, *options])
        assert (result.exit_code, said in result.output.replace("\n", " ")) == (code, True)
    assert (audio / "out" / "out-000000.tar").stat().st_mtime_ns == before


def test_lhotse_cuts_become_a_data_set(audio: Path):
    recording = {
        "id": "a",
        "sources": [{"type": "file", "channels": [0], "source": "a.wav"}],
        "sampling_rate": 16_000,
        "num_samples": 16_000,
        "duration": 1.0,
    }
    supervision = {"id": "a", "start": 0.0, "duration": 0.5, "text": "HI", "speaker": "anna"}
    cut = {"id": "a", "start": 0.5, "duration": 0.5, "channel": 0, "recording": recording}
    line = json.dumps(cut | {"supervisions": [supervision], "type": "MonoCut"})
    (audio / "cuts.jsonl").write_text(line + "\n")
    index = prepare("lhotse", audio / "cuts.jsonl", audio / "out")
    assert (index.key[0], index.transcript[0], index.num_samples[0]) == ("anna/a/a", "HI", 8000)
