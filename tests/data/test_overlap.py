"""Keys must be unique, and the speakers of a test unheard in training."""

from __future__ import annotations

import pytest

from duovox.data.index import Index
from duovox.data.overlap import check_disjoint_speakers, check_unique_keys


def test_a_key_in_two_data_sets_is_refused_with_both_folders(tmp_path, write_shards, entry) -> None:
    write_shards(tmp_path / "one", [entry("a/b/1"), entry("a/b/2")])
    write_shards(tmp_path / "two", [entry("a/b/2"), entry("a/b/3")])
    both = Index.load([tmp_path / "one", tmp_path / "two"])
    with pytest.raises(ValueError, match=r"1 keys come more than once in .*one, .*two.*\n  a/b/2$"):
        check_unique_keys(both)


def test_different_keys_pass(index) -> None:
    check_unique_keys(index)


def test_shared_speakers_are_refused_and_listed() -> None:
    with pytest.raises(ValueError, match=r"2 speakers of vox1-o are also in training.*\n  b\n  c$"):
        check_disjoint_speakers(["a", "b", "c"], ["c", "d", "b", "b"], test_name="vox1-o")


def test_unknown_speakers_are_not_shared() -> None:
    check_disjoint_speakers(["a", ""], ["b", ""], test_name="test")
