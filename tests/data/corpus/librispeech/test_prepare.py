"""Whatever LibriSpeech comes as, the same utterances come out, with all that is known of them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow
import pytest
import soundfile
import webdataset
from pyarrow import parquet

from duovox.data.corpus.librispeech.check import official_sets
from duovox.data.corpus.librispeech.prepare import (
    LibriSpeechOptions,
    group_sources,
    prepare_librispeech,
)
from duovox.data.dataset.index import Index
from duovox.data.dataset.reader import ShardReader
from duovox.data.dataset.verify import verify_dataset
from duovox.data.dataset.write import ShardOptions

SHARDS = ShardOptions(utterances_per_shard=4, max_bad_share=0)
OPTIONS = LibriSpeechOptions(validation_share=0.1)  # of 70 minutes: one chapter of ten
NAMES = {"train-clean-100", "train-clean-100-val"}
COLUMNS = ("key", "source", "speaker_id", "session_id", "gender", "language", "transcript")


def prepare(
    source: Path,
    out: Path,
    options: LibriSpeechOptions = OPTIONS,
    shards: ShardOptions = SHARDS,
) -> dict[str, Index]:
    """Prepare, verify, and return the index of each data set."""
    (group,) = group_sources([source])
    written = prepare_librispeech(group, out, options=options, shards=shards)
    assert all(faults == [] for _, faults in written.values())
    assert all(verify_dataset(out / name)[1] == [] for name in written)
    return {name: Index.load([out / name]) for name in written}


def rows(index: Index) -> set[tuple[str, ...]]:
    return {tuple(getattr(index, name)[row] for name in COLUMNS) for row in range(len(index))}


def as_parquet(corpus, folder: Path) -> Path:
    """Write the corpus as the hub has it, in two files."""
    records = []
    for source, content in corpus.audio.items():
        _, speaker, chapter, name = source.split("/")
        path = corpus.root / source
        lines = path.with_name(f"{speaker}-{chapter}.trans.txt").read_text().splitlines()
        text = next(line for line in lines if line.startswith(path.stem)).partition(" ")[2]
        audio = {"bytes": content, "path": name}
        ids = {"speaker_id": int(speaker), "chapter_id": int(chapter), "id": path.stem}
        records.append({"file": name, "audio": audio, "text": text, **ids})
    folder = folder / "clean" / "train.100"
    folder.mkdir(parents=True)
    for number, part in enumerate((records[:10], records[10:])):
        parquet.write_table(pyarrow.Table.from_pylist(part), folder / f"000{number}.parquet")
    return folder


def test_an_archive_arrives_whole_with_its_bytes(corpus, pack: Callable, tmp_path: Path) -> None:
    archive = pack(corpus, tmp_path / "archives" / "train-clean-100.tar.gz")
    indexes = prepare(archive, tmp_path / "out")
    assert indexes.keys() == NAMES
    arrived = {}
    for index in indexes.values():
        reader = ShardReader(index)
        arrived |= {index.source[row]: reader.read(row) for row in range(len(index))}
    assert arrived == corpus.audio
    index = indexes["train-clean-100"]
    row = list(index.key).index("26/496/0001")
    assert index.gender[row] == "m"
    assert index.transcript[row] == "IT'S B Y"
    assert index.session_id[row] == "496"


def test_validation_holds_whole_chapters(corpus, tmp_path: Path) -> None:
    indexes = prepare(corpus.root, tmp_path / "out")
    training, validation = (set(indexes[name].session_id) for name in sorted(NAMES))
    assert len(validation) == 1
    assert len(training) == 6
    assert not training & validation
    assert len(indexes["train-clean-100-val"]) == 3


def test_all_kinds_of_sources_give_the_same(corpus, pack: Callable, tmp_path: Path) -> None:
    late = sorted(corpus.names, key=lambda name: (name.endswith(("trans.txt", ".TXT")), name))
    options = LibriSpeechOptions(validation_share=0.1, metadata=corpus.root)
    sources = {
        "archive": pack(corpus, tmp_path / "a" / "x.tar.gz"),
        "texts behind": pack(corpus, tmp_path / "b" / "x.tar.gz", late),
        "texts in front": pack(corpus, tmp_path / "c" / "x.tar.gz", late[::-1]),
        "tree": corpus.root.parent,
        "subset's folder": corpus.root / "train-clean-100",
        "parquet": as_parquet(corpus, tmp_path / "hub"),
    }
    expected = None
    for name, source in sources.items():
        indexes = prepare(source, tmp_path / "out" / name, options)
        found = {dataset: rows(index) for dataset, index in indexes.items()}
        expected = expected or found
        assert found == expected, name
    assert sum(map(len, expected.values())) == 21


@pytest.mark.filterwarnings("ignore")  # webdataset leaves its file open
@pytest.mark.parametrize("kind", ["archive", "tree"])
def test_wav_holds_the_same_samples(kind: str, corpus, pack: Callable, tmp_path: Path) -> None:
    source = corpus.root if kind == "tree" else pack(corpus, tmp_path / "x.tar.gz")
    options = LibriSpeechOptions(validation_share=0)
    indexes = prepare(source, tmp_path / "out", options, replace(SHARDS, audio_format="wav"))
    assert indexes.keys() == {"train-clean-100"}
    shards = [str(path) for path in sorted((tmp_path / "out").rglob("*.tar"))]
    samples = list(webdataset.WebDataset(shards, shardshuffle=False))
    assert len(samples) == 21
    for sample in samples:
        given = corpus.audio[json.loads(sample["json"])["source"]]
        wave, rate = soundfile.read(io.BytesIO(sample["wav"]), dtype="int16")
        assert rate == 16_000
        assert (wave == soundfile.read(io.BytesIO(given), dtype="int16")[0]).all()


def test_the_limited_sets_do_not_overlap(corpus, pack: Callable, tmp_path: Path) -> None:
    (corpus.root / "train-clean-100").rename(tmp_path / "chapters")
    root = tmp_path / "librispeech_finetuning"
    places = {"19": "1h/0/clean", "26": "1h/3/other", "32": "9h/clean"}
    for speaker, place in places.items():
        (root / place).mkdir(parents=True)
        (tmp_path / "chapters" / speaker).rename(root / place / speaker)
    archive = pack(type(corpus)(root), tmp_path / "librispeech_finetuning.tgz")
    options = LibriSpeechOptions(metadata=corpus.root)
    indexes = prepare(archive, tmp_path / "out", options)
    assert {name: len(index) for name, index in indexes.items()} == {
        "librilight-10m": 9,
        "librilight-50m": 9,
        "librilight-9h": 3,
    }
    assert indexes["librilight-10m"].source[0] == "1h/0/clean/19/198/19-198-0000.flac"
    assert set(indexes["librilight-50m"].gender) == {"m"}
    sets = {
        name: (summary, words) for name, summary, words in official_sets(tmp_path / "out", indexes)
    }
    assert {name: summary.num_utterances for name, (summary, _) in sets.items()} == {
        "librilight-10m": 9,
        "librilight-1h": 18,
        "librilight-10h": 21,
    }
    assert sets["librilight-10h"][0].num_speakers == 3
    assert sets["librilight-10h"][1] == 3 * 21  # words


def test_what_is_missing_is_asked_for(corpus, pack: Callable, tmp_path: Path) -> None:
    names = [name for name in corpus.names if not name.endswith(".TXT")]
    archive = pack(corpus, tmp_path / "x.tar.gz", names)
    with pytest.raises(ValueError, match=r"no SPEAKERS\.TXT and no CHAPTERS\.TXT.*--metadata"):
        prepare(archive, tmp_path / "out")
    (corpus.root / "CHAPTERS.TXT").unlink()
    with pytest.raises(ValueError, match=r"has no CHAPTERS\.TXT, which"):
        prepare(corpus.root, tmp_path / "out")
    with pytest.raises(ValueError, match=r"there is no .*nothing\.tar\.gz"):
        group_sources([tmp_path / "nothing.tar.gz"])
    with pytest.raises(ValueError, match="is no source"):
        group_sources([Path(__file__)])
    with pytest.raises(ValueError, match="holds no LibriSpeech audio"):
        prepare(tmp_path / "out", tmp_path / "out2")


def test_real_speech_arrives_as_it_is(speech_data: Path, tmp_path: Path) -> None:
    """test-other of the excerpt, packed as officially: bytes, transcripts, speakers, genders."""
    root = speech_data / "librispeech" / "LibriSpeech"
    archive = tmp_path / "test-other.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for name in ("SPEAKERS.TXT", "CHAPTERS.TXT", "test-other"):
            tar.add(root / name, f"LibriSpeech/{name}")
    index = prepare(archive, tmp_path / "out")["test-other"]
    reader = ShardReader(index)
    assert len(index) == 60
    assert len(set(index.speaker_id)) == 10
    speakers = {
        line.split("|")[0].strip(): line.split("|")[1].strip().lower()
        for line in (root / "SPEAKERS.TXT").read_text().splitlines()
        if not line.startswith(";")
    }
    for row in range(len(index)):
        path = root / index.source[row]
        assert reader.read(row) == path.read_bytes()
        assert index.gender[row] == speakers[index.speaker_id[row]]
        (lines,) = path.parent.glob("*.trans.txt")
        assert f"{path.stem} {index.transcript[row]}" in lines.read_text().splitlines()
