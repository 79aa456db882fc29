"""Test scores after AS-norm, with the training speakers as the cohort."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import duovox
from duovox.data.dataset.index import Index
from duovox.run.cohort import draw_per_speaker
from duovox.run.weights import threshold_of

SPEAKERS = "abcdef"  # of the training set


def scores_of(path: Path) -> dict[tuple[str, str], float]:
    rows = (line.split() for line in path.read_text().splitlines())
    return {(enroll, test): float(score) for enroll, test, score, _ in rows}


def test_as_norm_stands_beside_the_cosines_and_is_what_its_formula_says(
    run_door, tiny_corpus: Path
) -> None:
    run_door("speaker", "trainer.max_steps=2", "speaker.scoring.as_norm_utterances=100")
    folder = run_door.run_folder
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics["test"]) == {"demo_voices", "demo_voices.as_norm"}
    assert set(metrics["validation"]) == {"demo_voices"}  # its speakers may be training speakers
    assert threshold_of(folder) == metrics["test"]["demo_voices"]["eer_threshold"]

    model, audio = duovox.load(folder), tiny_corpus / "audio"

    def embed(speaker: str) -> np.ndarray:
        return model.embed(sorted((audio / speaker).glob("*.flac"))).numpy()  # (U, E)

    means = np.stack([embed(speaker).mean(axis=0) for speaker in SPEAKERS])
    cohort = means / np.linalg.norm(means, axis=1, keepdims=True)
    for (enroll, test), score in scores_of(folder / "scores" / "demo_voices.as_norm.txt").items():
        sides = []
        left, right = (
            model.embed([audio / key.split("/")[0] / f"{key.split('/')[-1]}.flac"])[0].numpy()
            for key in (enroll, test)
        )
        for side in (left, right):
            strangers = cohort @ side
            sides.append((left @ right - strangers.mean()) / strangers.std())
        assert score == pytest.approx(sum(sides) / 2, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("count", [1, 2, 100])
def test_each_speaker_brings_so_many_utterances_or_all_it_has(tiny_corpus: Path, count) -> None:
    index = Index.load([tiny_corpus / "demo" / "train"]).select(np.arange(33))
    rows = draw_per_speaker(index, count, seed=1)
    assert rows.tolist() == sorted(set(rows.tolist()))
    found = Counter(index.speaker_id[row] for row in rows)
    there_are = Counter(index.speaker_id)
    assert set(there_are.values()) == {5, 6}
    assert found == {name: min(count, there_are[name]) for name in SPEAKERS}
    assert np.array_equal(rows, draw_per_speaker(index, count, seed=1))
    others = [draw_per_speaker(index, count, seed=seed).tolist() for seed in range(2, 9)]
    assert (rows.tolist() in others) == (count == 100)
