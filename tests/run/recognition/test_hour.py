"""An hour of real words: memory stays where it is, and no word is lost at the windows' edges."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

import duovox
from duovox.data.dataset.write import write_dataset
from duovox.data.utterance import Utterance
from duovox.metric.wer import word_error_rate

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[3]
NUM_STEPS = 600


def strings(
    folder: Path, speech_data: Path, split: str, seconds: Sequence[float]
) -> Iterator[Utterance]:
    """Write real digits with pauses between, as utterances of at least these lengths."""
    generator = np.random.default_rng(len(seconds))
    with (speech_data / "digits" / f"{split}.csv").open() as file:
        rows = list(csv.DictReader(file))
    root = str(speech_data / "digits")
    waves = [soundfile.read(row["wav"].replace("$data_root", root))[0] for row in rows]
    folder.mkdir(parents=True)
    for number, wanted in enumerate(seconds):
        pieces, words = [], []
        while sum(map(len, pieces)) < 16_000 * wanted:
            row = generator.integers(len(rows))
            pause = 1e-4 * generator.standard_normal(generator.integers(800, 8000))
            pieces += [waves[row], pause]
            words.append(rows[row]["wrd"])
        path = folder / f"{number:04d}.flac"
        soundfile.write(path, np.concatenate(pieces), 16_000)
        yield Utterance(
            key=f"all/{split}/{number:04d}",
            path=path,
            source=path.name,
            speaker_id="all",
            session_id=split,
            transcript=" ".join(words),
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hour")


@pytest.fixture(scope="module")
def utterances(folder: Path, speech_data: Path) -> list[Utterance]:
    """Return more than an hour of utterances, 4 to 28 s long, of digits nobody was trained on."""
    seconds = np.random.default_rng(0).uniform(4, 28, 230)
    return list(strings(folder / "test", speech_data, "test", seconds.tolist()))


@pytest.fixture(scope="module")
def hour(folder: Path, utterances: list[Utterance]) -> Path:
    """Return all utterances as one recording."""
    path = folder / "hour.flac"
    with soundfile.SoundFile(path, "w", 16_000, 1) as file:
        for utterance in utterances:
            file.write(soundfile.read(utterance.path)[0])
    assert soundfile.info(path).duration > 3600
    return path


@pytest.fixture(scope="module")
def run(folder: Path, speech_data: Path) -> Path:
    """Return the folder of a run that has learnt strings of digits, in minutes."""
    shards = folder / "shards" / "digits"
    lengths = np.random.default_rng(1).uniform(1, 12, 700).tolist()
    for split, seconds in (("train", lengths), ("valid", lengths[:20]), ("test", lengths[:20])):
        made = list(strings(folder / f"{split} strings", speech_data, split, seconds))
        write_dataset(made, shards / split, name=split)
    settings = [
        "+experiment=digits",
        f"data_folder={folder}",
        f"log_folder={folder / 'logs'}",
        f"trainer.max_steps={NUM_STEPS}",
        f"trainer.val_check_interval={NUM_STEPS}",
        "speech.dataloader.num_workers=0",
    ]
    command = [sys.executable, str(REPOSITORY / "run_speech.py"), *settings]
    subprocess.run(command, check=True, cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"})
    (model,) = folder.glob("logs/*/*/*/model.json")
    return model.parent


def transcribe(run: Path, path: Path) -> tuple[str, int]:
    """Return what the command line says is said, and the most memory it took, in bytes."""
    command = [sys.executable, "-c", "from duovox.cli import main; main()", "transcribe"]
    process = subprocess.Popen([*command, str(run), str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return said.partition("\t")[2].strip(), 1024 * usage.ru_maxrss


def test_an_hour_takes_the_memory_of_a_quarter_of_it(finished_run, hour, folder) -> None:
    wave, _ = soundfile.read(hour, frames=15 * 60 * 16_000, dtype="float32")
    soundfile.write(folder / "quarter.flac", wave, 16_000)
    _, little = transcribe(finished_run, folder / "quarter.flac")
    _, much = transcribe(finished_run, hour)
    print(f"peak memory: 15 min {little / 1e6:.0f} MB, 60 min {much / 1e6:.0f} MB")
    assert much - little < 50e6  # three quarters of an hour are 173 MB as a wave


def test_an_hour_is_heard_as_well_as_its_utterances(run, hour, utterances) -> None:
    references = [one.transcript or "" for one in utterances]
    texts = duovox.load(run).transcribe([one.path for one in utterances])
    alone = word_error_rate(references, texts).wer
    text, _ = transcribe(run, hour)
    at_once = word_error_rate([" ".join(references)], [text]).wer
    print(f"WER: {100 * alone:.2f} % by utterance, {100 * at_once:.2f} % in an hour")
    assert alone < 0.5  # or it would say little
    assert abs(at_once - alone) < 0.005
