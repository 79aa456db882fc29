"""The index gives back what was indexed, of one folder or several, and notices what is missing."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from duovox.data.dataset.index import Index
from duovox.data.dataset.indexing import index_shards
from duovox.data.dataset.reader import ShardReader
from duovox.data.dataset.summary import DatasetSummary


@pytest.fixture
def folders(tmp_path: Path, write_tar, wav_bytes) -> list[Path]:
    """Return two data sets whose shards have the same names; speakers b and a, then c."""
    for name, keys in {"one": ["b/t/1", "a/t/2", "b/t/3"], "two": ["c/t/4"]}.items():
        (tmp_path / name).mkdir()
        pairs = [(key, wav_bytes(np.zeros(int(key[-1]) * 100))) for key in keys]
        members = [m for key, wav in pairs for m in ((f"{key}.wav", wav), (f"{key}.json", b"{}"))]
        write_tar(tmp_path / name / "s.tar", members)
        index_shards(tmp_path / name)
    return [tmp_path / "one", tmp_path / "two"]


def test_columns_have_one_value_per_utterance(folders):
    index = Index.load(folders[:1])
    assert list(index.key) == ["b/t/1", "a/t/2", "b/t/3"]
    assert index.num_samples.tolist() == [100, 200, 300]
    assert index.sample_rate.tolist() == [16_000] * 3
    assert list(index.speaker_id) == ["b", "a", "b"]
    assert index.keys[-1] == "b/t/3"
    assert index.key[1:] == ["a/t/2", "b/t/3"]
    assert len(index) == len(index.key) == 3


def test_several_folders_are_one_index(folders):
    index = Index.load(folders)
    assert list(index.key) == ["b/t/1", "a/t/2", "b/t/3", "c/t/4"]
    assert index.shards == (folders[0] / "s.tar", folders[1] / "s.tar")
    assert index.shard.tolist() == [0, 0, 0, 1]
    assert len(ShardReader(index).read(3)) == 44 + 2 * 400


def test_the_order_of_folders_is_the_order_of_rows(folders):
    assert Index.load(folders[::-1]).key[0] == "c/t/4"


def test_codes_point_to_sorted_values(folders):
    codes, values = Index.load(folders).speaker_id.codes()
    assert values == ("a", "b", "c")
    assert codes.tolist() == [1, 0, 1, 2]


@pytest.mark.parametrize("rows", [np.array([3, 0]), np.array([True, False, False, True])])
def test_selected_rows_keep_their_shard(rows, folders):
    index = Index.load(folders)
    chosen = index.select(rows)
    assert sorted(chosen.key) == ["b/t/1", "c/t/4"]
    for row in range(2):
        original = list(index.key).index(chosen.key[row])
        assert ShardReader(chosen).read(row) == ShardReader(index).read(original)
        assert chosen.num_samples[row] == index.num_samples[original]


def test_an_empty_selection_is_an_empty_index(folders):
    index = Index.load(folders).select(np.zeros(4, dtype=bool))
    assert len(index) == len(list(index.key)) == 0
    assert index.speaker_id.codes()[1] == ()


def test_text_can_be_taken_by_rows(folders):
    assert Index.load(folders).key.take(np.array([2, 2, 0])) == ["b/t/3", "b/t/3", "b/t/1"]


def test_an_index_travels_to_another_process(folders):
    index = pickle.loads(pickle.dumps(Index.load(folders)))
    assert list(index.key) == ["b/t/1", "a/t/2", "b/t/3", "c/t/4"]


def test_a_folder_that_is_no_data_set_is_refused_with_what_it_is(folders, tmp_path: Path):
    with pytest.raises(ValueError, match="there is no such folder"):
        Index.load([tmp_path / "nothing"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"no shards \(\*\.tar\) and no dataset\.json"):
        Index.load([tmp_path / "empty"])
    (folders[0] / "dataset.json").unlink()
    with pytest.raises(ValueError, match=r"unfinished .* or foreign \(run `duovox shards index"):
        Index.load(folders)
    with pytest.raises(ValueError, match="at least one data set folder"):
        Index.load([])


@pytest.mark.parametrize("content", [None, b"", b"this is no parquet file"])
def test_a_damaged_index_is_refused_with_the_command_that_helps(content, folders):
    path = folders[0] / "index.parquet"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(ValueError, match=r"index\.parquet cannot be read .*duovox shards index"):
        Index.load(folders)


def test_an_index_without_a_column_is_refused(folders):
    table = parquet.read_table(folders[0] / "index.parquet")
    parquet.write_table(table.drop_columns(["gender"]), folders[0] / "index.parquet")
    with pytest.raises(ValueError, match=r"index\.parquet lacks gender: run `duovox shards index"):
        Index.load(folders)


def test_an_index_that_has_lost_rows_is_refused(folders):
    table = parquet.read_table(folders[0] / "index.parquet")
    parquet.write_table(table.slice(0, 2), folders[0] / "index.parquet")
    with pytest.raises(
        ValueError, match=r"index\.parquet has 2 utterances, dataset\.json says 3: run `duovox"
    ):
        Index.load(folders)


def test_an_index_of_other_shards_is_refused(folders):
    summary = folders[0] / "dataset.json"
    summary.write_text(summary.read_text().replace("s.tar", "t.tar"))
    (folders[0] / "s.tar").rename(folders[0] / "t.tar")
    with pytest.raises(ValueError, match=r"dataset\.json does not name s\.tar"):
        Index.load(folders)


def test_all_damaged_shards_are_listed(folders):
    (folders[0] / "s.tar").unlink()
    with pytest.raises(
        ValueError, match=r"1 of 1 shards of .*one are damaged.*\n.*s\.tar: missing"
    ):
        Index.load(folders)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"format_version": 1', '"format_version": 2', "has format version 2"),
        ('"format_version": 1', '"version": 1', "is no data set summary"),
        ('"s.tar"', '"../two/s.tar"', "names a shard outside its folder"),
        ("{", "", r"is no data set summary \(Extra data: "),
    ],
)
def test_a_summary_that_cannot_be_trusted_is_refused(old, new, says, folders):
    path = folders[0] / "dataset.json"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=says):
        DatasetSummary.load(folders[0])


def without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda fields: without(fields, "num_utterances"), "it lacks num_utterances"),
        (lambda fields: without(fields, "shards"), "it lacks shards"),
        (lambda fields: fields | {"colour": 1}, "it has the unknown field colour"),
        (
            lambda fields: fields | {"hours": "many"},
            "hours should be of type float, not 'many'",
        ),
        (
            lambda fields: fields | {"vocabulary": "AB"},
            "vocabulary should be of type tuple, not",
        ),
        (lambda fields: fields | {"shards": [{}]}, "a shard lacks name"),
        (lambda fields: fields | {"shards": ["s.tar"]}, "a shard should be an object, not a str"),
        (lambda fields: [fields], "it should be an object, not a list"),
    ],
)
def test_a_summary_with_other_fields_is_refused_by_name(change, says, folders):
    path = folders[0] / "dataset.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(
        ValueError, match=rf"^{path} is no data set summary \({says}.*\): run `duovox "
    ):
        DatasetSummary.load(folders[0])


def test_few_shards_stay_open(folders):
    reader = ShardReader(Index.load(folders), max_open=1)
    first = reader.read(0)
    reader.read(3)
    assert reader.read(0) == first
    copy = pickle.loads(pickle.dumps(reader))
    assert copy.read(0) == first
    reader.close()
    assert reader.read(0) == first
