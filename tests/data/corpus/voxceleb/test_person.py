"""The real tables of VoxCeleb's speakers are read, and others are refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from duovox.data.corpus.voxceleb.person import Person, read_people


def test_the_real_tables_hold_everyone(meta: Path):
    people = read_people(meta)
    counts = Counter((person.corpus, person.portion) for person in people.values())
    assert counts == {
        ("voxceleb1", "dev"): 1211,
        ("voxceleb1", "test"): 40,
        ("voxceleb2", "dev"): 5994,
        ("voxceleb2", "test"): 120,
    }
    assert people["id10001"] == Person(
        speaker_id="id10001", corpus="voxceleb1", gender="m", portion="dev"
    )
    assert people["id00012"].corpus == "voxceleb2"


def test_headers_in_one_spelling_are_read_too(tmp_path: Path):
    lines = "voxceleb_id,vggface_id,gender,set\nid00012,n000012,m,dev\n\n"
    (tmp_path / "vox2_meta.csv").write_text(lines)
    assert read_people(tmp_path).keys() == {"id00012"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lacks the column gender, set, voxceleb_id"),
        ("VoxCeleb2 ID ,Gender\n", "lacks the column set"),
        ("VoxCeleb2 ID,Gender,Set\nid00012,m\n", "line 2"),
        ("VoxCeleb2 ID,Gender,Set\nid00012,x,dev\n", "m or f"),
    ],
)
def test_another_table_is_refused(text: str, message: str, tmp_path: Path):
    (tmp_path / "vox2_meta.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_people(tmp_path)


def test_a_folder_without_tables_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="it has neither"):
        read_people(tmp_path)
