"""What accumulation costs: time, and no memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from duovox.data.dataset.write import write_dataset
from duovox.data.utterance import Utterance

REPOSITORY = Path(__file__).resolve().parents[2]
BATCH_SECONDS, MINUTES = 40, 20  # of a batch, and of what a step hears
MEASURE = """
import resource, runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
print("peak kB:", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with a minute of noise, laid out as config/data/set/demo.yaml wants."""
    folder = tmp_path_factory.mktemp("noise")
    generator = np.random.default_rng(0)
    for split, number in (("train", 12), ("valid", 2), ("test", 2)):
        utterances = []
        for n in range(number):
            path = folder / f"{split}{n}.flac"
            soundfile.write(path, 0.1 * generator.standard_normal(80_000), 16_000)
            utterances.append(
                Utterance(
                    key=f"{split}/s/{n}",
                    path=path,
                    source=path.name,
                    speaker_id=split,
                    session_id="s",
                    transcript="NOISE",
                )
            )
        write_dataset(utterances, folder / "demo" / split, name=split)
    return folder


def peak_megabytes(
    data_folder: Path, log_folder: Path, *, accumulation: int, num_steps: int
) -> float:
    """Return the largest memory of a process that pre-trains the tiny network."""
    settings = [
        "+experiment=ssl_tiny",
        "data/set=demo",
        f"data_folder={data_folder}",
        f"log_folder={log_folder}",
        f"data.pipe.train.max_tokens={BATCH_SECONDS * 16_000}",
        "data.pipe.train.num_workers=0",
        f"train.accumulation={accumulation}",
        f"train.num_steps={num_steps}",
        f"train.val_interval={num_steps}",
        "eval_model=false",
    ]
    command = [sys.executable, "-c", MEASURE, str(REPOSITORY / "run_ssl.py"), *settings]
    output = subprocess.run(command, check=True, cwd=log_folder, capture_output=True, text=True)
    return int(output.stdout.rpartition("peak kB: ")[2]) / 1000


@pytest.mark.slow
def test_a_step_of_twenty_minutes_takes_the_memory_of_one_of_its_batches(
    noise: Path, tmp_path: Path
) -> None:
    # The C library's heap grows with the first hundred batches either way, so both hear as many.
    accumulation = 60 * MINUTES // BATCH_SECONDS
    alone = peak_megabytes(noise, tmp_path, accumulation=1, num_steps=2 * accumulation)
    together = peak_megabytes(noise, tmp_path, accumulation=accumulation, num_steps=2)
    print(f"peak memory: {alone:.0f} MB with a batch a step, {together:.0f} MB with {accumulation}")
    assert together < 1.05 * alone
