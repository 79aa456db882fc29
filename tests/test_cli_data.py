"""The data subcommands do their work, say what they did, and end with the right exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from duovox.cli import app
from duovox.data.dataset.index import Index
from duovox.data.dataset.summary import DatasetSummary
from duovox.data.dataset.write import ShardOptions, write_dataset
from duovox.data.utterance import Utterance


def duovox(*arguments: object) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Return a manifest of twelve utterances by three speakers."""
    generator = np.random.default_rng(0)
    lines = ["ID,duration,wav,spk_id,wrd"]
    for number in range(12):
        soundfile.write(tmp_path / f"{number}.flac", generator.uniform(-0.5, 0.5, 1600), 16_000)
        lines.append(f"u.{number},0.1,$data_root/{number}.flac,s{number % 3},WORD")
    path = tmp_path / "all.csv"
    path.write_text("\n".join(lines))
    return path


def test_a_demo_corpus_of_another_seed_is_not_taken_for_the_wanted_one(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", np.random.default_rng(0).uniform(-1, 1, 800), 16_000)
    one = Utterance(key="a/b/c", path=tmp_path / "a.flac", source="a.flac", speaker_id="a")
    for split in ("train", "valid", "test"):
        options = ShardOptions(command="duovox prepare demo --seed 3")
        write_dataset([one], tmp_path / split, name=split, options=options)
    kept = duovox("prepare", "demo", "--out", tmp_path, "--seed", 3)
    assert (kept.exit_code, "already" in kept.output) == (0, True)
    refused = duovox("prepare", "demo", "--out", tmp_path)
    said = " ".join(refused.output.split())
    assert "prepare demo --seed 3`, not of `duovox prepare demo`" in said


@pytest.fixture
def dataset(manifest: Path) -> Path:
    """Return the data set of the manifest."""
    result = duovox("prepare", "manifest", manifest, "--out", manifest.parent / "shards" / "all")
    assert result.exit_code == 0, result.output
    return manifest.parent / "shards" / "all"


def test_a_manifest_becomes_a_data_set(manifest: Path, tmp_path: Path):
    out = tmp_path / "out"
    options = ["--name", "train", "--order", "given", "--utterances-per-shard", 5]
    result = duovox("prepare", "manifest", manifest, "--out", out, *options)
    assert result.exit_code == 0
    assert "12 utterances, 0.00 hours, 3 speakers, 3 shards, 4 characters" in result.output
    assert "12 keys hold odd characters" in result.output
    assert DatasetSummary.load(out).shards[0].name == "train-000000.tar"
    assert Index.load([out]).key[0] == "s0/_/u%2E0"


def test_the_command_line_is_recorded(dataset: Path):
    assert DatasetSummary.load(dataset).command.split()[0] == "duovox"


def test_a_name_is_taken_from_the_folder(dataset: Path):
    assert DatasetSummary.load(dataset).name == "all"
    assert (dataset / "all-000000.tar").is_file()


def test_a_data_set_is_not_replaced_unasked(dataset: Path, manifest: Path):
    again = ["prepare", "manifest", manifest, "--out", dataset, "--seed", 3]
    result = duovox(*again)
    assert result.exit_code == 1
    assert "pass --overwrite" in result.output
    assert duovox(*again, "--overwrite").exit_code == 0


def test_too_many_bad_inputs_end_with_1_and_are_listed(manifest: Path, tmp_path: Path):
    (tmp_path / "3.flac").write_bytes(b"no audio")
    command = ["prepare", "manifest", manifest, "--out", tmp_path / "out"]
    result = duovox(*command)
    assert result.exit_code == 1
    assert "1 of 12 utterances are bad (1 undecodable)" in result.output
    (line,) = (tmp_path / "out" / "failures.jsonl").read_text().splitlines()
    assert json.loads(line)["key"] == "s0/_/u%2E3"
    result = duovox(*command, "--max-bad-share", 0.1)
    assert result.exit_code == 0
    assert "1 faults: 1 undecodable" in result.output


def test_how_far_it_is_goes_to_the_error_stream_as_lines(manifest: Path) -> None:
    out = manifest.parent / "shards"
    result = duovox("prepare", "manifest", manifest, "--out", out)
    assert result.stderr.startswith(f"preparing {out}: 12 of 12 utterances in ")
    result = duovox("shards", "verify", out)
    assert result.stderr.startswith(f"verifying {out}: 1 of 1 shards in ")
    assert result.stdout == f"{out}: 12 utterances in 1 shards, no fault\n"


def test_verify_ends_with_0_or_with_1_and_a_list(dataset: Path):
    result = duovox("shards", "verify", dataset)
    assert result.exit_code == 0
    assert "12 utterances in 1 shards, no fault" in result.output
    shard = dataset / "all-000000.tar"
    shard.write_bytes(shard.read_bytes()[:20_000])
    result = duovox("shards", "verify", dataset)
    assert result.exit_code == 1
    assert "damaged shard: cut short" in result.output
    assert "lost utterance" in result.output.splitlines()[-1]


def test_parts_are_written_and_merged(manifest: Path, tmp_path: Path):
    out = tmp_path / "parts"
    command = ["prepare", "manifest", manifest, "--out", out, "--utterances-per-shard", 2]
    for part in ("2/2", "1/2"):
        result = duovox(*command, "--part", part)
        assert result.exit_code == 0, result.output
        assert f"part {part} is written" in result.output
        assert not (out / "dataset.json").exists()
    result = duovox("shards", "merge", out)
    assert result.exit_code == 0, result.output
    assert "12 utterances" in result.output
    assert duovox("shards", "verify", out).exit_code == 0
    result = duovox(*command, "--part", "3/2")
    assert result.exit_code == 1
    assert "needs 1 <= i <= n, got 3/2" in result.output


def test_differences_from_official_counts_are_said(manifest: Path, tmp_path: Path):
    out = tmp_path / "test-clean"
    result = duovox("prepare", "manifest", manifest, "--out", out)
    assert "has 12 utterances, 2608 fewer than the official 2620" in result.output
    result = duovox("shards", "stats", out)
    assert "12 words, 52564 fewer than the official 52576" in result.output
    result = duovox("shards", "stats", out, "--official", "voxceleb1-test")
    assert "voxceleb1-test has 3 speakers, 37 fewer than the official 40" in result.output
    result = duovox("shards", "stats", out, "--official", "unheard")
    assert result.exit_code == 1
    assert "no official counts are known for 'unheard'" in result.output


def test_foreign_shards_are_indexed(dataset: Path):
    for name in ("dataset.json", "index.parquet"):
        (dataset / name).unlink()
    result = duovox("shards", "index", dataset, "--name", "foreign")
    assert result.exit_code == 0
    assert DatasetSummary.load(dataset).name == "foreign"
    assert len(Index.load([dataset])) == 12


def test_statistics_are_shown_and_plotted(dataset: Path, tmp_path: Path):
    result = duovox("shards", "stats", dataset, "--audio", "--plots", tmp_path / "plots")
    assert result.exit_code == 0
    for text in ("utterances", "12", "silent", "characters"):
        assert text in result.output
    assert (tmp_path / "plots" / "lengths.png").is_file()


def test_trials_are_made_and_checked(dataset: Path, tmp_path: Path):
    out = tmp_path / "trials.txt"
    command = ["trials", "make", dataset, "--num-targets", 6, "--num-nontargets", 9, "--out", out]
    assert duovox(*command).exit_code == 0
    assert len(out.read_text().splitlines()) == 15
    result = duovox("trials", "check", out, "--data", dataset)
    assert result.exit_code == 0
    assert "6 target and 9 non-target trials" in result.output
    result = duovox("trials", "check", out, "--data", dataset, "--train", dataset)
    assert result.exit_code == 1
    assert "are also in training" in result.output


def test_a_trial_without_audio_is_named(dataset: Path, tmp_path: Path):
    (tmp_path / "list.txt").write_text("1 0.flac 3.flac\n0 0.flac nowhere.flac\n")
    result = duovox("trials", "check", tmp_path / "list.txt", "--data", dataset)
    assert result.exit_code == 1
    assert "1 of 3 entries" in result.output
    assert "nowhere.flac" in result.output


def test_a_mistake_is_a_sentence_and_a_traceback_only_on_demand(tmp_path: Path):
    result = duovox("shards", "verify", tmp_path / "nothing")
    assert result.exit_code == 1
    assert result.output.startswith("error: ")
    assert "there is no such folder" in result.output
    assert isinstance(result.exception, SystemExit)
    assert isinstance(duovox("--debug", "shards", "verify", tmp_path / "x").exception, ValueError)


def test_wrong_usage_ends_with_2(manifest: Path, tmp_path: Path):
    assert duovox("shards", "verify").exit_code == 2
    assert duovox("shards", "verfy", tmp_path).exit_code == 2
    command = ["prepare", "manifest", manifest, "--out", tmp_path, "--order", "sorted"]
    assert duovox(*command).exit_code == 2


def test_help_needs_no_heavy_library():
    heavy = ("torch", "torchaudio", "webdataset", "pyarrow", "matplotlib", "lightning")
    code = (
        "import sys; from duovox import cli; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert done.stdout == b"[]\n"
