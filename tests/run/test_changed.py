"""What has changed between two starts of a run is named with both values."""

from __future__ import annotations

from pathlib import Path

from duovox.run.changed import changed_settings

THEN = "seed: 1\ngpus: 0\ntrainer: {log: 1, delay: {}}\ntag: [a]\n"


def test_each_difference_is_named_by_its_setting(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(THEN)
    now = "seed: 1\ntrainer: {log: 2, delay: {steps: null}}\ntag: [a, b]\n"
    assert changed_settings(path, now) == [
        "gpus: 0 -> unset",
        "tag: ['a'] -> ['a', 'b']",
        "trainer.delay: {} -> unset",
        "trainer.delay.steps: unset -> None",
        "trainer.log: 1 -> 2",
    ]


def test_the_same_settings_and_a_first_start_have_no_difference(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    assert changed_settings(path, THEN) == []
    path.write_text(THEN)
    assert changed_settings(path, THEN) == []
