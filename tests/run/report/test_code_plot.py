"""The histogram of codebook entries."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from duovox.run.report.canvas import LIGHT
from duovox.run.report.code_plot import code_plot, read_code_use

SHARES = [[0.1, 0.6, 0.3, 0.0], [0.25, 0.25, 0.25, 0.25]]


@pytest.fixture
def codes(tmp_path: Path) -> Path:
    path = tmp_path / "clean.json"
    path.write_text(json.dumps({"shares": SHARES}))
    return path


def test_entries_are_drawn_by_rank_in_percent_one_histogram_per_codebook(codes: Path) -> None:
    plot = code_plot(read_code_use(codes))
    assert plot.name == "codes_clean"
    assert "1 of codebook 1, 0 of codebook 2" in plot.note
    axes = Figure().add_subplot()
    plot.draw(axes, LIGHT)
    drawn = [np.asarray(patch.get_data().values) for patch in axes.patches]  # filled, outlined
    assert drawn[0].tolist() == pytest.approx([60, 30, 10, 0])
    assert drawn[2].tolist() == pytest.approx([25] * 4)
    (even,) = axes.lines
    assert set(np.asarray(even.get_ydata()).tolist()) == {25.0}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"shares": [["a"]]}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "clean.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"clean\.json must hold the shares"):
        read_code_use(path)
