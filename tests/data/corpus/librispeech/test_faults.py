"""Each fault of an archive has its behaviour: left out and listed, or an error with advice."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from duovox.data.archive import inflate
from duovox.data.archive.error import ArchiveError
from duovox.data.archive.inflate import CutShortError
from duovox.data.corpus.librispeech.load import Loading
from duovox.data.corpus.librispeech.prepare import LibriSpeechOptions, prepare_librispeech
from duovox.data.dataset.index import Index
from duovox.data.dataset.stream import Written
from duovox.data.dataset.summary import DatasetSummary
from duovox.data.dataset.verify import verify_dataset
from duovox.data.dataset.write import ShardOptions
from duovox.data.shard.clip import Clip
from duovox.data.utterance import Utterance

NAME = "train-clean-100"
SHARDS = ShardOptions(utterances_per_shard=4, max_bad_share=0.5, command="prepare")
VICTIM = "train-clean-100/26/495/26-495-0001.flac"


def prepare(source: Path, out: Path, shards: ShardOptions = SHARDS) -> Written:
    options = LibriSpeechOptions(validation_share=0)
    return prepare_librispeech([source], out, options=options, shards=shards)


def spoil_transcript(path: Path) -> None:
    (file,) = path.parent.glob("*.trans.txt")
    file.write_text(file.read_text().replace(f"{path.stem} IT'S", f"{path.stem} It’s 2"))


def drop_transcript(path: Path) -> None:
    (file,) = path.parent.glob("*.trans.txt")
    lines = [line for line in file.read_text().splitlines() if not line.startswith(path.stem)]
    file.write_text("\n".join(lines) + "\n")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "text in place of audio": (lambda path: path.write_text("not found"), "undecodable"),
    "no bytes": (lambda path: path.write_bytes(b""), "undecodable"),
    "cut audio": (truncate, "undecodable"),
    "no audio": (lambda path: path.unlink(), "missing"),
    "no transcript": (drop_transcript, "no transcript"),
    "odd characters": (spoil_transcript, "unknown characters"),
}


@pytest.mark.parametrize("kind", ["archive", "tree"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_one_bad_utterance_is_left_out_and_listed(damage, kind, corpus, pack, tmp_path) -> None:
    spoil, cause = DAMAGES[damage]
    spoil(corpus.root / VICTIM)
    source = corpus.root if kind == "tree" else pack(corpus, tmp_path / "x.tar.gz")
    summary, faults = prepare(source, tmp_path / "out")[NAME]
    assert summary.num_utterances == 20
    assert [(fault.key, fault.cause) for fault in faults] == [("26/495/0001", cause)]
    assert VICTIM in faults[0].where
    assert summary.left_out == {cause: 1}
    (line,) = (tmp_path / "out" / NAME / "failures.jsonl").read_text().splitlines()
    assert json.loads(line)["cause"] == cause
    assert verify_dataset(tmp_path / "out" / NAME)[1] == []


def test_stereo_and_another_rate_are_converted(corpus, pack, tmp_path: Path) -> None:
    wave = np.random.default_rng(1).uniform(-0.1, 0.1, (24_000, 2))
    soundfile.write(corpus.root / VICTIM, wave, 48_000)
    summary, faults = prepare(pack(corpus, tmp_path / "x.tar.gz"), tmp_path / "out")[NAME]
    assert faults == []
    assert summary.num_utterances == 21
    index = Index.load([tmp_path / "out" / NAME])
    assert index.num_samples[list(index.source).index(VICTIM)] == 8000


def test_repeated_and_unsafe_members_are_left_out(corpus, pack, tmp_path: Path) -> None:
    content = (corpus.root / VICTIM).read_bytes()
    link = tarfile.TarInfo(f"LibriSpeech/{NAME}/19/198/19-198-0007.flac")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    outside = f"../../LibriSpeech/{NAME}/19/198/19-198-0008.flac"
    others = [(tarfile.TarInfo(f"LibriSpeech/{VICTIM}"), content), (link, b"")]
    archive = pack(
        corpus, tmp_path / "x.tar.gz", None, [*others, (tarfile.TarInfo(outside), content)]
    )
    summary, faults = prepare(archive, tmp_path / "out")[NAME]
    assert summary.num_utterances == 21
    assert sorted(fault.cause for fault in faults) == ["duplicate key"] + 2 * ["unsafe name"]
    assert not list(tmp_path.rglob("*0008.flac"))


def test_too_many_bad_utterances_leave_the_data_set_unfinished(corpus, pack, tmp_path) -> None:
    (corpus.root / VICTIM).write_bytes(b"x")
    archive = pack(corpus, tmp_path / "x.tar.gz")
    with pytest.raises(ValueError, match="1 of 21 utterances are bad"):
        prepare(archive, tmp_path / "out", replace(SHARDS, max_bad_share=0.01))
    assert not (tmp_path / "out" / NAME / "dataset.json").exists()
    summary, _ = prepare(archive, tmp_path / "out")[NAME]
    assert summary.num_utterances == 20


class Killed(BaseException):
    """Stands for a process that ends without any chance to clean up."""


@pytest.fixture
def kill_at(monkeypatch) -> Callable[[str], list[str]]:
    """Return a function that kills the writing at a key, and lists the keys loaded since."""
    real, loaded = Loading.vouched_clip, []
    fatal = ""

    def load(self: Loading, clip: Clip) -> object:
        loaded.append(clip.utterance.key)
        if clip.utterance.key == fatal:
            raise Killed
        return real(self, clip)

    def arm(key: str) -> list[str]:
        nonlocal fatal
        fatal = key
        loaded.clear()
        return loaded

    monkeypatch.setattr(Loading, "vouched_clip", load)
    return arm


def shard_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.tar")}


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_killed_run_goes_on_behind_its_whole_shards(
    num_workers: int, corpus, pack, tmp_path: Path, kill_at, monkeypatch
) -> None:
    archive = pack(corpus, tmp_path / "x.tar.gz")
    prepare(archive, tmp_path / "undisturbed")
    kill_at("26/495/0002")  # the twelfth
    shards = replace(SHARDS, num_workers=num_workers)
    with pytest.raises(Killed):
        prepare(archive, tmp_path / "out", shards)
    assert not (tmp_path / "out" / NAME / "dataset.json").exists()
    assert len(shard_bytes(tmp_path / "out")) == 2
    loaded = kill_at("")
    prepare(archive, tmp_path / "out", replace(shards, num_workers=0))
    assert len(loaded) == 21 - 8
    assert shard_bytes(tmp_path / "out") == shard_bytes(tmp_path / "undisturbed")
    again = kill_at("")
    summary, faults = prepare(archive, tmp_path / "out")[NAME]  # the same work: all is done
    assert (summary.num_utterances, faults, again) == (21, [], [])
    other = replace(SHARDS, command="another", utterances_per_shard=5)
    with pytest.raises(ValueError, match=r"finished data set, made by `prepare`: .*--overwrite"):
        prepare(archive, tmp_path / "out", other)


@pytest.mark.parametrize("kind", ["archive", "tree"])
def test_a_kill_between_two_sets_keeps_the_first_whatever_the_command(
    kind: str, corpus, pack, tmp_path: Path, monkeypatch
) -> None:
    source = corpus.root if kind == "tree" else pack(corpus, tmp_path / "x.tar.gz")
    options = LibriSpeechOptions(validation_share=0.1)
    real, num_saved = DatasetSummary.save, 0

    def save(self: DatasetSummary, folder: Path) -> None:
        nonlocal num_saved
        num_saved += 1
        if num_saved == 2:
            raise Killed
        real(self, folder)

    monkeypatch.setattr(DatasetSummary, "save", save)
    with pytest.raises(Killed):
        prepare_librispeech([source], tmp_path / "out", options=options, shards=SHARDS)
    (first,) = (tmp_path / "out").glob("*/dataset.json")
    before = first.stat().st_mtime_ns
    shards = replace(SHARDS, command="prepare --workers 1", num_workers=1)
    written = prepare_librispeech([source], tmp_path / "out", options=options, shards=shards)
    assert sum(summary.num_utterances for summary, _ in written.values()) == 21
    assert len(written) == 2
    assert first.stat().st_mtime_ns == before


@pytest.mark.parametrize("kind", ["archive", "tree"])
def test_another_format_begins_anew(kind: str, corpus, pack, tmp_path: Path, monkeypatch) -> None:
    source = corpus.root if kind == "tree" else pack(corpus, tmp_path / "x.tar.gz")
    real = Loading._checked

    def load(self: Loading, utterance: Utterance, load: Callable[[], object]) -> object:
        if utterance.key == "26/495/0002" and self.audio_format == "wav":
            raise Killed
        return real(self, utterance, load)  # type: ignore[arg-type]

    monkeypatch.setattr(Loading, "_checked", load)
    with pytest.raises(Killed):
        prepare(source, tmp_path / "out", replace(SHARDS, audio_format="wav"))
    assert shard_bytes(tmp_path / "out")
    prepare(source, tmp_path / "out")
    assert set(Index.load([tmp_path / "out" / NAME]).audio_format) == {"flac"}
    assert verify_dataset(tmp_path / "out" / NAME)[1] == []


def test_a_truncated_archive_keeps_whole_shards(
    corpus, pack, tmp_path: Path, kill_at, monkeypatch
) -> None:
    monkeypatch.setattr(inflate, "_CHUNK_BYTES", 4096)  # the last one before the cut is lost
    whole = pack(corpus, tmp_path / "whole" / "x.tar.gz")
    cut = tmp_path / "x.tar.gz"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    with pytest.raises(CutShortError, match=r"x\.tar\.gz is cut short"):
        prepare(cut, tmp_path / "out")
    kept = shard_bytes(tmp_path / "out")
    assert 0 < len(kept) < 6
    assert not (tmp_path / "out" / NAME / "dataset.json").exists()
    cut.write_bytes(whole.read_bytes())  # the download went on
    loaded = kill_at("")
    assert prepare(cut, tmp_path / "out")[NAME][0].num_utterances == 21
    assert len(loaded) == 21 - 4 * len(kept)
    assert kept.items() <= shard_bytes(tmp_path / "out").items()


@pytest.mark.parametrize("place", [-100_000, -6])  # among audio and headers; the checksum itself
def test_a_flipped_bit_discards_what_nothing_vouches_for(
    place, corpus, pack, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(inflate, "_CHUNK_BYTES", 4096)  # shards are written before it shows
    archive = pack(corpus, tmp_path / "x.tar.gz")
    content = bytearray(archive.read_bytes())
    content[place] ^= 1
    archive.write_bytes(content)
    with pytest.raises(ArchiveError, match="damaged"):
        prepare(archive, tmp_path / "out")
    assert list((tmp_path / "out" / NAME).iterdir()) == []
    prepare(pack(corpus, archive), tmp_path / "out")


def test_shards_of_others_are_not_touched(corpus, pack, tmp_path: Path) -> None:
    archive = pack(corpus, tmp_path / "x.tar.gz")
    (tmp_path / "out" / NAME).mkdir(parents=True)
    (tmp_path / "out" / NAME / "precious.tar").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"holds other shards \(precious\.tar\)"):
        prepare(archive, tmp_path / "out")
    assert shard_bytes(tmp_path / "out") == {"precious.tar": b"x"}


def test_a_full_disk_leaves_no_half_shard_and_loses_nothing(corpus, pack, tmp_path: Path) -> None:
    archive = pack(corpus, tmp_path / "x.tar.gz")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))  # no file grows over this
    try:
        with pytest.raises(ValueError, match=r"no space left while writing .*-000000\.tar"):
            prepare(archive, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    names = [path.name for path in (tmp_path / "out" / NAME).iterdir()]
    assert names == [".unfinished.jsonl"]
    assert prepare(archive, tmp_path / "out")[NAME][0].num_utterances == 21


def test_a_small_disk_is_noticed_before_anything_is_written(
    corpus, pack, tmp_path: Path, monkeypatch
) -> None:
    archive = pack(corpus, tmp_path / "x.tar.gz")
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(ValueError, match="needs about"):
        prepare(archive, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_only_shards_of_the_same_work_save_space(corpus, pack, tmp_path, monkeypatch) -> None:
    archive = pack(corpus, tmp_path / "x.tar.gz")
    prepare(archive, tmp_path / "out")
    usage = shutil.disk_usage(tmp_path)._replace(free=archive.stat().st_size // 2)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert prepare(archive, tmp_path / "out")[NAME][0].num_utterances == 21
    (tmp_path / "out" / NAME).rename(tmp_path / "out" / "dev-clean")
    with pytest.raises(ValueError, match="needs about"):
        prepare(archive, tmp_path / "out")
