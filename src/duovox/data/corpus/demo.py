"""Synthesise a small corpus of many voices, for people who have no data yet.

Digit strings and short sentences, spoken by eSpeak NG in 396 voices; those of valid and test are
not heard in training. The same seed gives the same bytes.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

from duovox.batch import SAMPLE_RATE
from duovox.data.corpus.demo_recording import record
from duovox.data.corpus.demo_text import make_text
from duovox.data.corpus.demo_voice import Voice, make_voices
from duovox.data.corpus.espeak import Speech, open_speech
from duovox.data.dataset.index import Index
from duovox.data.dataset.summary import DatasetSummary
from duovox.data.dataset.write import ShardOptions, write_dataset
from duovox.data.trial.list import write_trials
from duovox.data.trial.making import TrialOptions, make_trials
from duovox.data.utterance import Utterance, make_key

DEMO_COMMAND = "duovox prepare demo"

_SPLITS = ("train", "valid", "test")
_TRIAL_SPLITS = ("valid", "test")  # their voices are compared; those of train are learnt
_TARGETS_PER_UTTERANCE = 1
_NONTARGETS_PER_UTTERANCE = 4


def demo_command(*, seed: int, utterances_per_voice: int) -> str:
    """Return the command that makes a corpus; its data sets keep it, to be told apart by it."""
    seed_option = f" --seed {seed}" if seed else ""
    number = f" --utterances-per-voice {utterances_per_voice}"
    return f"{DEMO_COMMAND}{seed_option}{'' if utterances_per_voice == 10 else number}"


def make_demo(
    folder: Path,
    *,
    seed: int = 0,
    utterances_per_voice: int = 10,
    overwrite: bool = False,
    on_utterance: Callable[[], object] = lambda: None,
) -> dict[str, DatasetSummary]:
    """Make the data sets `train`, `valid` and `test` in `folder`; return their summaries.

    Beside them: `trials_valid.txt` and `trials_test.txt`, the FLAC files in `audio`, and a CSV
    manifest per split, as an example of what `duovox prepare manifest` reads.

    Args:
        on_utterance: Called after each utterance that is spoken, for progress bars.

    Raises:
        ValueError: eSpeak NG is missing, a finished data set is in the way, or
            `utterances_per_voice` is below 3, which leaves too few trials.
    """
    if utterances_per_voice < 3:
        raise ValueError(f"utterances_per_voice must be at least 3, got {utterances_per_voice}")
    corpus = synthesise(
        folder,
        seed=seed,
        utterances_per_voice=utterances_per_voice,
        on_utterance=on_utterance,
    )
    command = demo_command(seed=seed, utterances_per_voice=utterances_per_voice)
    options = ShardOptions(seed=seed, overwrite=overwrite, command=command)
    summaries = {}
    for split, utterances in corpus.items():
        summaries[split], _ = write_dataset(utterances, folder / split, name=split, options=options)
    for split in _TRIAL_SPLITS:
        _write_trials(folder, split, seed=seed)
    return summaries


def synthesise(
    folder: Path,
    *,
    seed: int,
    utterances_per_voice: int,
    on_utterance: Callable[[], object] = lambda: None,
) -> dict[str, list[Utterance]]:
    """Write the FLAC files and the manifests; return the utterances by split."""
    corpus: dict[str, list[Utterance]] = {split: [] for split in _SPLITS}
    with open_speech(seed=seed) as speech:
        for number, voice in enumerate(make_voices(seed=seed)):
            random = np.random.default_rng((seed, 1, number))
            for utterance in _speak(speech, voice, folder, utterances_per_voice, random):
                corpus[voice.split].append(utterance)
                on_utterance()
    for split, utterances in corpus.items():
        _write_manifest(folder / f"{split}.csv", utterances)
    return corpus


def _speak(
    speech: Speech, voice: Voice, folder: Path, num_utterances: int, random: np.random.Generator
) -> Iterator[Utterance]:
    (folder / "audio" / voice.speaker_id).mkdir(parents=True, exist_ok=True)
    for number in range(num_utterances):
        text = make_text(random)
        wave = record(speech, text, voice=voice, random=random)
        source = f"audio/{voice.speaker_id}/{number:03d}.flac"
        soundfile.write(folder / source, wave, SAMPLE_RATE, subtype="PCM_16")
        yield Utterance(
            key=make_key(voice.speaker_id, "", f"{number:03d}"),
            path=folder / source,
            source=source,
            speaker_id=voice.speaker_id,
            gender=voice.gender,
            language="en",
            transcript=text,
            duration=len(wave) / SAMPLE_RATE,
        )


def _write_manifest(path: Path, utterances: list[Utterance]) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("ID", "duration", "wav", "spk_id", "wrd", "gender"))
        for utterance in utterances:
            name = f"{utterance.speaker_id}-{Path(utterance.source).stem}"
            wav = f"$data_root/{utterance.source}"
            speaker_id, gender = utterance.speaker_id, utterance.gender
            duration = f"{utterance.duration:.3f}"
            rows.writerow((name, duration, wav, speaker_id, utterance.transcript, gender))


def _write_trials(folder: Path, split: str, *, seed: int) -> None:
    index = Index.load([folder / split])
    options = TrialOptions(
        num_targets=_TARGETS_PER_UTTERANCE * len(index),
        num_nontargets=_NONTARGETS_PER_UTTERANCE * len(index),
        seed=seed,
    )
    name = f"trials_{split}"
    write_trials(make_trials(index, options, name=name), folder / f"{name}.txt")
