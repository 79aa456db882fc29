"""Whatever form VoxCeleb's audio has, the same utterances are found in it."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from duovox.data.corpus.voxceleb.listing import expand, find_utterances
from duovox.data.corpus.voxceleb.person import Person

PEOPLE = {
    name: Person(speaker_id=name, corpus="voxceleb2", gender="f", portion="dev")
    for name in ("id00012", "id00015")
}
NAMES = ("id00012/-a_b/00001.m4a", "id00012/-a_b/00002.m4a", "id00015/v/00001.m4a")


def pack(path: Path, *names: str | zipfile.ZipInfo) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, b"audio")
    return path


def lay(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"audio")
    return folder


def test_the_archives_as_they_are_downloaded(voxceleb):
    utterances, faults = find_utterances([voxceleb.aac], voxceleb.people)
    assert faults == []
    by_key = {utterance.key: utterance for utterance in utterances}
    one = by_key["id00012/-x_Rkg1bMQo/00001"]
    assert one.path == voxceleb.aac / "vox2_dev_aac_partaa"
    assert one.member == "dev/aac/id00012/-x_Rkg1bMQo/00001.m4a"
    assert one.source == "id00012/-x_Rkg1bMQo/00001.m4a"
    assert (one.speaker_id, one.session_id, one.gender) == ("id00012", "-x_Rkg1bMQo", "m")
    tested = by_key["id10270/x6uYqmx31kE/00001"]
    assert (tested.source, tested.gender) == ("id10270/x6uYqmx31kE/00001.wav", "f")
    assert len([one for one in utterances if one.speaker_id < "id1"]) == 4 * 4


@pytest.mark.parametrize("prefix", ["", "dev/aac/", "wav/"])
def test_folders_and_archives_give_the_same(prefix: str, tmp_path: Path):
    named = [prefix + name for name in NAMES]
    archive = pack(tmp_path / "a.zip", *named, "dev/", "dev/readme.txt")
    folder = lay(tmp_path / "b", *reversed(named), "list.txt")
    found = [find_utterances([source], PEOPLE)[0] for source in (archive, folder)]
    keys = [[(one.key, one.source) for one in utterances] for utterances in found]
    assert keys[0] == keys[1] == [(name.removesuffix(".m4a"), name) for name in NAMES]


def test_a_converted_file_takes_the_place_of_its_origin(tmp_path: Path):
    wav = NAMES[0].replace("m4a", "wav")
    folder = lay(tmp_path / "aac", *NAMES, wav)
    for sources in ([folder], [pack(tmp_path / "a.zip", wav), lay(tmp_path / "b", *NAMES)]):
        utterances, faults = find_utterances(sources, PEOPLE)
        assert faults == []
        assert [one.source for one in utterances] == [wav, *NAMES[1:]]


def test_what_can_not_be_used_is_listed(tmp_path: Path):
    link = zipfile.ZipInfo("id00012/v/00009.wav")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    archive = pack(
        tmp_path / "a.zip", NAMES[0], "../id00012/v/1.wav", "noise.wav", "id00012/a/b/c.wav", link
    )
    again = pack(tmp_path / "b.zip", NAMES[0])
    utterances, faults = find_utterances([archive, again], PEOPLE)
    assert [one.source for one in utterances] == [NAMES[0]]
    causes = ["unsafe name", "odd name", "odd name", "unsafe name", "duplicate key"]
    assert [fault.cause for fault in faults] == causes
    assert str(archive) in faults[-1].detail


def test_an_unknown_speaker_is_an_error(tmp_path: Path):
    archive = pack(tmp_path / "a.zip", *NAMES, "id99999/v/1.wav")
    with pytest.raises(ValueError, match=r"1 speakers are not in the tables(.|\n)*id99999"):
        find_utterances([archive], PEOPLE)


@pytest.mark.parametrize("name", ["a.tar", "missing"])
def test_other_sources_are_refused(name: str, tmp_path: Path):
    with pytest.raises(ValueError, match=r"must be a folder, a \.zip"):
        find_utterances([tmp_path / name], PEOPLE)
    with pytest.raises(ValueError, match="no audio"):
        find_utterances([lay(tmp_path, "readme.txt")], PEOPLE)


def test_an_archive_that_also_lies_there_in_parts_is_taken_once(tmp_path: Path):
    for name in ("x.zip", "x_partaa", "x_partab", "y_partaa", "y_partab"):
        (tmp_path / name).touch()
    assert expand([tmp_path]) == [tmp_path / "x.zip", tmp_path / "y_partaa"]
