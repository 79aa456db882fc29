"""Figures are those that one counts by hand, and silence and clipping are heard."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from duovox.data.dataset.index import Index
from duovox.data.dataset.indexing import index_shards
from duovox.data.statistic.count import compute_statistics
from duovox.data.statistic.loudness import measure_loudness
from duovox.data.statistic.plot import plot_statistics
from duovox.data.statistic.table import statistics_tables

SAID = {
    "a/x/1": (np.full(16_000, 0.1), {"transcript": "A B", "gender": "f", "language": "en"}),
    "a/x/2": (np.ones(8000), {"transcript": "B", "gender": "f", "language": "en"}),
    "a/y/3": (np.zeros(300), {"transcript": " ", "gender": "f"}),
    "b/_/4": (np.full(32_000, 0.5), {"gender": "m", "language": "de"}),
}


@pytest.fixture
def index(tmp_path: Path, write_tar, wav_bytes) -> Index:
    """Return four utterances of two speakers."""
    members = []
    for key, (wave, fields) in SAID.items():
        members.append((f"{key}.wav", wav_bytes(wave)))
        members.append((f"{key}.json", json.dumps(fields).encode()))
    write_tar(tmp_path / "a.tar", members)
    index_shards(tmp_path)
    return Index.load([tmp_path])


def test_figures_are_counted(index):
    statistics = compute_statistics(index)
    assert statistics.num_utterances == 4
    assert statistics.hours == pytest.approx(56_300 / 16_000 / 3600)
    assert statistics.speakers == {"a": 3, "b": 1}
    assert statistics.num_sessions == 2
    assert statistics.genders == {"f": 1, "m": 1}
    assert statistics.languages == {"en": 2, "de": 1}
    assert statistics.characters == {" ": 2, "B": 2, "A": 1}
    assert (statistics.num_words, statistics.num_empty, statistics.num_too_short) == (3, 2, 1)
    assert statistics.sample_rates == {16_000: 4}


def test_silence_and_clipping_are_found(index):
    heard: list[None] = []
    loudness = measure_loudness(index, on_utterance=lambda: heard.append(None))
    assert loudness.silent == ("a/y/3",)
    assert loudness.clipped == ("a/x/2",)
    assert loudness.mean_level_db == pytest.approx((-20 + 0 - 6.02) / 3, abs=0.01)
    assert len(heard) == 4


def test_tables_show_the_figures(index):
    console = Console(file=io.StringIO(), width=120)
    for table in statistics_tables(compute_statistics(index), measure_loudness(index)):
        console.print(table)
    shown = console.file.getvalue()
    for text in ("hours", "0.001", "f 1, m 1", "1 / 2 / 3", "longest", "2.00", "silent"):
        assert text in shown


def test_plots_are_written_as_pictures(index, tmp_path: Path):
    paths = plot_statistics(compute_statistics(index), tmp_path / "plots")
    assert [path.name for path in paths] == ["lengths.png", "speakers.png", "characters.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_without_speakers_and_texts_there_is_less_to_show(tmp_path: Path, write_tar, wav_bytes):
    write_tar(tmp_path / "a.tar", [("u.wav", wav_bytes()), ("u.json", b"{}")])
    index_shards(tmp_path)
    statistics = compute_statistics(Index.load([tmp_path]))
    assert len(list(statistics_tables(statistics))) == 2
    assert [path.name for path in plot_statistics(statistics, tmp_path)] == ["lengths.png"]
