"""Killed again and again over the parts of a zip, VoxCeleb ends with the bytes it should have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("num_workers", ["0", "2"])
def test_ten_kills_at_random_points_change_nothing(
    num_workers: str, voxceleb, kill_often: Callable[..., set[Path]], tmp_path: Path
):
    assert len([*voxceleb.aac.glob("vox2_dev_aac_part*")]) == 3
    words = ["voxceleb", str(voxceleb.aac), "--meta", str(voxceleb.meta), "--num-trials", "40"]
    words += ["--trials", str(voxceleb.trials), "--utterances-per-shard", "1"]
    kill_often([*words, "--workers", num_workers], tmp_path)
