"""The demo corpus: reproducible, learnable, and fair to voices that training has not heard."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from torchaudio import functional

from duovox.data.corpus.demo import make_demo, synthesise
from duovox.data.corpus.demo_recording import through_channel
from duovox.data.corpus.demo_text import make_text
from duovox.data.corpus.demo_voice import make_voices
from duovox.data.corpus.manifest import find_utterances
from duovox.data.dataset.index import Index
from duovox.data.trial.list import read_trials

SPLITS = ("train", "valid", "test")
NUM_VOICES = 396
NUM_PER_VOICE = 3


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    make_demo(folder, seed=3, utterances_per_voice=NUM_PER_VOICE)
    return folder


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(demo: Path, tmp_path: Path):
    synthesise(tmp_path, seed=3, utterances_per_voice=NUM_PER_VOICE)
    files = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == NUM_VOICES * NUM_PER_VOICE + len(SPLITS)
    assert [
        file for file in files if (tmp_path / file).read_bytes() != (demo / file).read_bytes()
    ] == []


def test_another_seed_gives_other_voices_and_texts():
    assert make_voices(seed=0)[0].style != make_voices(seed=1)[0].style
    texts = {make_text(np.random.default_rng(seed)) for seed in range(50)}
    assert len(texts) > 40


def test_no_two_voices_sound_alike():
    voices = make_voices(seed=0)
    sounds = {(v.style.voice.split("+")[1], v.tract_length, v.style.pitch) for v in voices}
    assert len(sounds) == len({v.speaker_id for v in voices}) == NUM_VOICES
    by_timbre = defaultdict(list)
    for timbre, tract_length, _ in sounds:
        by_timbre[timbre].append(tract_length)
    assert min(np.diff(sorted(lengths)).min() for lengths in by_timbre.values()) > 0.03


def test_both_genders_speak_in_every_split():
    counts = Counter((voice.split, voice.gender) for voice in make_voices(seed=0))
    assert {split for split, gender in counts if gender == "f"} == set(SPLITS)
    assert all(counts[split, gender] >= 4 for split in SPLITS for gender in "fm")


def test_the_data_sets_hold_every_utterance_and_no_voice_twice(demo: Path):
    indices = {split: Index.load([demo / split]) for split in SPLITS}
    speakers = {split: set(index.speaker_id) for split, index in indices.items()}
    assert sum(len(index) for index in indices.values()) == NUM_VOICES * NUM_PER_VOICE
    assert len(set.union(*speakers.values())) == sum(len(names) for names in speakers.values())
    assert len(speakers["train"]) >= 60


def test_the_manifests_say_what_the_data_sets_hold(demo: Path):
    for split in SPLITS:
        listed = {item.source: item.transcript for item in find_utterances(demo / f"{split}.csv")}
        index = Index.load([demo / split])
        assert listed == dict(zip(index.source, index.transcript, strict=True))


def test_every_transcript_fits_into_its_frames_even_when_sped_up(demo: Path):
    for split in SPLITS:
        index = Index.load([demo / split])
        for text, num_samples in zip(index.transcript, index.num_samples, strict=True):
            num_needed = len(text) + sum(first == second for first, second in pairwise(text))
            assert num_needed <= (num_samples / 1.1 - 80) // 320, text


def test_the_waves_are_16_khz_unclipped_and_neither_silent_nor_long(demo: Path):
    for path in sorted((demo / "audio").rglob("*.flac"))[::7]:
        wave, sample_rate = soundfile.read(path)
        assert (sample_rate, wave.ndim) == (16000, 1)
        assert 0.15 < len(wave) / sample_rate < 4
        assert 0.25 < np.abs(wave).max() < 0.95


def test_trials_compare_voices_of_one_gender_within_their_split(demo: Path):
    for split in ("valid", "test"):
        index = Index.load([demo / split])
        speaker_of = dict(zip(index.source, index.speaker_id, strict=True))
        gender_of = dict(zip(index.source, index.gender, strict=True))
        trials = read_trials(demo / f"trials_{split}.txt")
        pairs = list(zip(trials.enroll, trials.test, strict=True))
        assert [speaker_of[a] == speaker_of[b] for a, b in pairs] == trials.is_target.tolist()
        assert all(gender_of[a] == gender_of[b] for a, b in pairs)
        assert len(trials) == 5 * len(index)


def test_too_few_utterances_for_trials_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="utterances_per_voice must be at least 3, got 2"):
        make_demo(tmp_path, utterances_per_voice=2)


def test_a_flat_channel_resamples_like_torchaudio():
    import torch

    time = np.arange(22050) / 22050
    wave = (np.sin(2 * np.pi * 440 * time) + np.sin(2 * np.pi * 3000 * time)).astype(np.float32)
    wave *= np.hanning(len(wave)).astype(np.float32)
    ours = through_channel(wave, 22050, channel_db=np.zeros(8, dtype=np.float32))
    theirs = functional.resample(torch.from_numpy(wave), 22050, 16000, lowpass_filter_width=64)
    np.testing.assert_allclose(ours, theirs.numpy(), atol=2e-3)


def test_a_channel_scales_what_it_hears():
    wave = np.random.default_rng(0).standard_normal(22050).astype(np.float32)
    flat = through_channel(wave, 22050, channel_db=np.zeros(8, dtype=np.float32))
    loud = through_channel(wave, 22050, channel_db=np.full(8, 6.0, dtype=np.float32))
    np.testing.assert_allclose(loud, flat * 10 ** (6 / 20), rtol=1e-4, atol=1e-4)


def test_a_longer_tract_lowers_every_frequency():
    tone = np.sin(2 * np.pi * 1100 * np.arange(22050) / 22050).astype(np.float32)
    flat = np.zeros(8, dtype=np.float32)
    longer = through_channel(tone, 22050, channel_db=flat, tract_length=1.1)
    assert len(longer) == 17600
    loudest = np.argmax(np.abs(np.fft.rfft(longer))) * 16000 / len(longer)
    assert loudest == pytest.approx(1000, abs=1)
