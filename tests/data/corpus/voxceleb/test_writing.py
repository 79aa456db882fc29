"""From the archives to finished sets, through the command, with real ids, lists and speech."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from duovox.audio.decode import read_wave
from duovox.audio.load import load_wave
from duovox.cli import app
from duovox.data.dataset.index import Index
from duovox.data.dataset.reader import ShardReader
from duovox.data.dataset.verify import verify_dataset
from duovox.data.trial.list import read_trials
from duovox.data.trial.resolution import resolve

OPTIONS = ["--utterances-per-shard", "4", "--num-trials", "40"]


def prepare(voxceleb, archives: Path, out: Path, *options: str, code: int = 0) -> str:
    """Give the command as a user would; return what it says."""
    command = ["prepare", "voxceleb", str(archives), "--out", str(out), *OPTIONS]
    command += ["--meta", str(voxceleb.meta), "--trials", str(voxceleb.trials)]
    result = CliRunner().invoke(app, [*command, *options], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(scope="module")
def prepared(voxceleb, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return what the command makes of m4a and wav, and what it says."""
    out = tmp_path_factory.mktemp("prepared")
    return out, prepare(voxceleb, voxceleb.aac, out)


@pytest.fixture(scope="module")
def from_wav(voxceleb, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("from_wav")
    prepare(voxceleb, voxceleb.wav, out)
    return out


def test_the_three_sets_come_out_whole(prepared, voxceleb):
    out, said = prepared
    train, val, test = (Index.load([out / name]) for name in ("train", "val", "test_short_list"))
    assert len(train) + len(val) == 16
    assert set(train.speaker_id) == set(val.speaker_id)
    places = [set(zip(one.speaker_id, one.session_id, strict=True)) for one in (train, val)]
    assert not places[0] & places[1]
    assert not set(train.speaker_id) & set(test.speaker_id)
    assert len(test) == len({*voxceleb.list.enroll, *voxceleb.list.test})
    for name in ("train", "val", "test_short_list"):
        assert verify_dataset(out / name)[1] == []
    assert "voxceleb2-dev has 16 utterances" in said
    assert "none of them is in training" in said


def test_aac_in_an_archive_is_what_ffmpeg_makes_of_it(prepared, voxceleb, tmp_path: Path):
    index = Index.load([prepared[0] / "train"])
    (tmp_path / "a.m4a").write_bytes(voxceleb.m4a)
    expected = load_wave(tmp_path / "a.m4a").wave
    wave, rate = read_wave(ShardReader(index).read(0))
    assert rate == 16_000
    np.testing.assert_allclose(wave, expected, atol=1 / 32_000)
    assert len(wave) == len(expected)


def test_validation_trials_are_of_one_sex_and_two_recordings(prepared):
    index = Index.load([prepared[0] / "val"])
    trials = read_trials(prepared[0] / "val_trials.txt")
    resolved = resolve(trials, index)
    rows = list(zip(resolved.enroll_rows, resolved.test_rows, resolved.is_target, strict=True))
    assert 0 < trials.num_targets <= 20
    for one, other, is_target in rows:
        assert is_target == (index.speaker_id[one] == index.speaker_id[other])
        assert index.gender[one] == index.gender[other] != ""
        assert not is_target or index.session_id[one] != index.session_id[other]


def test_the_same_command_leaves_finished_sets_alone_and_makes_lost_ones_again(
    from_wav: Path, voxceleb, tmp_path: Path
):
    out = tmp_path / "again"
    shutil.copytree(from_wav, out)
    before = (out / "train" / "index.parquet").stat().st_mtime_ns
    shutil.rmtree(out / "val")
    leftovers = [out / "train" / name for name in (".unfinished.jsonl", ".writing.lock")]
    for path in leftovers:  # as of a run that was killed in its last moment
        path.touch()
    prepare(voxceleb, voxceleb.wav, out)
    assert not any(path.exists() for path in leftovers)
    assert (out / "train" / "index.parquet").stat().st_mtime_ns == before
    for name in ("val/val-000000.tar", "val_trials.txt"):
        assert (out / name).read_bytes() == (from_wav / name).read_bytes()
    said = prepare(voxceleb, voxceleb.wav, out, "--seed", "2", code=1)
    assert "holds a finished data set" in said


def test_parts_make_the_same_sets(from_wav: Path, voxceleb, tmp_path: Path):
    said = [prepare(voxceleb, voxceleb.wav, tmp_path, "--part", part) for part in ("2/2", "1/2")]
    assert "the same command without --part" in said[0]
    assert not (tmp_path / "train" / "dataset.json").exists()
    prepare(voxceleb, voxceleb.wav, tmp_path)
    for path in from_wav.rglob("*.tar"):
        assert (tmp_path / path.relative_to(from_wav)).read_bytes() == path.read_bytes()


def test_validation_by_other_speakers(voxceleb, tmp_path: Path):
    split = ["--split", "different", "--num-validation-speakers", "2", "--across-gender"]
    prepare(voxceleb, voxceleb.wav, tmp_path, *split)
    train, val = (set(Index.load([tmp_path / name]).speaker_id) for name in ("train", "val"))
    assert (len(train), len(val), train & val) == (2, 2, set())


def test_bad_audio_is_left_out_and_listed(voxceleb, tmp_path: Path):
    bad = {"text": b"text in place of audio", "empty": b"", "cut": voxceleb.m4a[:3000]}
    archives = tmp_path / "archives"
    shutil.copytree(voxceleb.wav, archives)
    with zipfile.ZipFile(archives / "more.zip", "w") as file:
        for name, content in bad.items():
            file.writestr(f"dev/aac/id00012/{name}/00001.m4a", content)
        file.writestr("dev/aac/id00012/a b';$(touch x)/00001.m4a", voxceleb.m4a)
    said = prepare(voxceleb, archives, tmp_path / "out", code=1)
    assert "--max-bad-share allows 0.01" in said
    prepare(voxceleb, archives, tmp_path / "out", "--max-bad-share", "0.5")
    failures = [
        json.loads(line)
        for path in (tmp_path / "out").glob("*/failures.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert {failure["key"] for failure in failures} == {
        f"id00012/{name}/00001" for name in ("text", "empty", "cut")
    }
    assert all("more.zip/dev/aac/id00012/" in failure["where"] for failure in failures)
    keys = {key for name in ("train", "val") for key in Index.load([tmp_path / "out" / name]).key}
    assert "id00012/a%20b%27%3B%24%28touch%20x%29/00001" in keys


def test_a_truncated_archive_stops_before_anything_is_written(voxceleb, tmp_path: Path):
    shutil.copytree(voxceleb.aac, tmp_path / "archives")
    (tmp_path / "archives" / "vox2_dev_aac_partac").unlink()
    said = prepare(voxceleb, tmp_path / "archives", tmp_path / "out", code=1)
    assert "vox2_dev_aac_partaa is cut short" in said
    assert "the last of them vox2_dev_aac_partab" in said
    assert not (tmp_path / "out").exists()


def test_all_sets_must_fit_before_the_first_is_begun(
    from_wav: Path, voxceleb, tmp_path: Path, monkeypatch
):
    sizes = {path: path.stat().st_size for path in from_wav.rglob("*.tar")}
    largest = max(
        sum(size for path, size in sizes.items() if path.parent.name == name)
        for name in ("train", "val", "test_short_list")
    )
    free = (largest + sum(sizes.values())) // 2  # enough for each, not for all
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    said = prepare(voxceleb, voxceleb.wav, tmp_path, code=1)
    assert f"writing {tmp_path} needs about" in said
    assert not list(tmp_path.iterdir())
    for name in ("train", "test_short_list"):  # what is there needs no more space
        shutil.copytree(from_wav / name, tmp_path / name)
    prepare(voxceleb, voxceleb.wav, tmp_path)


@pytest.mark.slow
def test_the_whole_list_o_comes_out_of_the_test_archive(
    voxceleb, meta: Path, recordings, tmp_path: Path
):
    archives, trials = tmp_path / "archives", meta / "veri_test2.txt"
    shutil.copytree(voxceleb.wav, archives)
    names = sorted({name for line in trials.read_text().splitlines() for name in line.split()[1:]})
    contents = recordings("wav", 20)
    with zipfile.ZipFile(archives / "vox1_test_wav.zip", "w") as file:
        for number, name in enumerate(names):
            file.writestr(f"wav/{name}", contents[number % 20])
    listed = type(voxceleb)(archives, archives, meta, trials, voxceleb.m4a)
    said = prepare(listed, archives, tmp_path / "out", "--utterances-per-shard", "1000")
    assert "veri_test2 (VoxCeleb1-O, cleaned), 37611 trials between 4708 utterances of 40" in said
    assert "voxceleb1-o-cleaned has 4" not in said  # utterances and speakers are the official ones
    index = Index.load([tmp_path / "out" / "test_o"])
    assert (len(index), len(set(index.speaker_id))) == (4708, 40)
