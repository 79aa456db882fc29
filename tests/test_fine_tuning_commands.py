"""The printed commands of fine-tuning, end to end, on real speech with a tiny backbone.

The excerpt of LibriSpeech has no Libri-light, dev-other and larger training subsets; digits stand
in for them.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from duovox.cli import app
from duovox.data.dataset.index import Index

REPOSITORY = Path(__file__).resolve().parents[1]
FROM_DIGITS = {  # how many training utterances each gets
    "librilight-10m": 40,
    "librilight-50m": 40,
    "librilight-9h": 80,
    "train-clean-360": 100,
    "train-other-500": 100,
    "dev-other": 40,
    "train-clean-360-val": 20,
    "train-other-500-val": 20,
}
HEARD = {"ft_min_10": 40, "ft_1h": 80, "ft_10h": 160}
SHORT = "train.num_steps=4 train.val_interval=2 train.precision=32 data.pipe.train.num_workers=0 "
SHORT += "data.pipe.train.normalize=true"
SETS = {"dev_clean", "dev_other", "test_clean", "test_other"}

pytestmark = pytest.mark.slow


def duovox(*arguments: object) -> str:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def data_folder(speech_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with shards where the experiments look for LibriSpeech's."""
    folder = tmp_path_factory.mktemp("data")
    shards, digits = folder / "librispeech_shards", speech_data / "digits"
    duovox("prepare", "librispeech", speech_data / "librispeech" / "LibriSpeech", "--out", shards)
    left = folder / "digits"
    whole = ("--data-root", digits, "--out", left, "--name", "train")
    duovox("prepare", "manifest", digits / "train.csv", *whole)
    for name, count in FROM_DIGITS.items():
        rest = folder / f"after-{name}"
        duovox("split", left, "--out", shards / name, "--rest", rest, "--count", count)
        left = rest
    return folder


@pytest.fixture(scope="module")
def shell(data_folder: Path):
    """Return a function that types a line, with shards and runs in the folder; it gets stdout."""
    variables = {"DATA_FOLDER": str(data_folder), "LOG_FOLDER": str(data_folder / "logs")}

    def type_in(line: str) -> str:
        command = line.replace("python ", f"{sys.executable} ", 1)
        result = subprocess.run(
            ["bash", "-c", command],
            cwd=REPOSITORY,
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    return type_in


@pytest.fixture(scope="module")
def checkpoint(shell, data_folder: Path) -> Path:
    """Return a checkpoint of pre-training."""
    shell("python run_ssl.py +experiment=ssl_tiny train.num_steps=4 train.val_interval=2")
    (path,) = data_folder.glob("logs/pretraining/tiny/*/checkpoints/best.ckpt")
    return path


def metrics_of(run: Path) -> dict:
    return json.loads((run / "metrics.json").read_text())["test"]


@pytest.mark.parametrize("condition", ["ft_min_10", "ft_1h", "ft_10h", "ft_100h", "ft_960h"])
def test_a_condition_runs_as_printed(shell, data_folder, checkpoint, condition: str) -> None:
    command = 'python run_ft_asr.py +experiment=$CONDITION load_from_ckpt="$(realpath {})"'
    line = command.replace("$CONDITION", condition).format(checkpoint)
    out = shell(f"{line} {SHORT}")
    (run,) = data_folder.glob(f"logs/fine-tuning/{condition}/*/")
    assert f"run folder: {run}" in out
    assert f"speech: {HEARD.get(condition, '')}" in out
    results = metrics_of(run)
    assert results.keys() == SETS
    assert results["dev_other"]["num_utterances"] == 40
    assert all(result["wer"] > 0 for result in results.values())


def test_the_replication_is_a_sweep_over_samples_with_a_summary(
    shell, data_folder, checkpoint
) -> None:
    line = f"python run_ft_asr.py -m +experiment=replicate_10min load_from_ckpt={checkpoint}"
    out = shell(f"{line} data.set.sample_seed=1,2,3 data.set.sample_minutes=2 {SHORT}")
    folder = data_folder / "logs" / "fine-tuning" / "replicate_10min"
    assert f"duovox report {folder}" in out
    assert "3 runs: 3 done" in duovox("report", folder)
    with (folder / "runs.csv").open(newline="") as file:
        assert {row["data.speech.sample.seed"] for row in csv.DictReader(file)} == {"1", "2", "3"}
    summary = json.loads((folder / "summary.json").read_text())
    assert len(summary["runs"]) == 3
    (group,) = summary["groups"]
    assert group["num_runs"] == 3
    assert group["results"].keys() == {"test_clean", "test_other"}
    values = [metrics_of(Path(run["folder"]))["test_clean"]["wer"] for run in summary["runs"]]
    assert group["results"]["test_clean"]["wer"]["mean"] == pytest.approx(sum(values) / 3)
    assert (folder / "plots" / "wer_test_clean.png").is_file()
    training = Index.load([data_folder / "librispeech_shards" / "train-clean-100"])
    assert len(training) > 100  # of which two minutes are few
