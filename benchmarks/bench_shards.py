"""Writing shards against webdataset's own writer, and loading the index of 1.1 million utterances.

Both writers get the same FLAC bytes and descriptions in memory and write tar files of 1,000
utterances to the same disk. webdataset's ShardWriter is used as its documentation shows it. Ours
also syncs each shard to the disk before it gets its name, so that a crash leaves no half shard;
"without sync" shows what that costs. The index has the size of VoxCeleb2 and invented values.

Run: python benchmarks/bench_shards.py
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

import numpy as np

from duovox.data.dataset.summary import DatasetSummary
from duovox.data.dataset.table import write_index
from duovox.data.shard.row import Row
from duovox.data.shard.summary import ShardSummary
from duovox.data.shard.write import LoadedUtterance, write_shard
from duovox.data.utterance import Utterance
from side_by_side import compare, print_header, print_row, print_versions

NUM_UTTERANCES, PER_SHARD = 2000, 1000
_LOAD = """
import re, sys, time
from pathlib import Path
import pyarrow.parquet
from duovox.data.dataset.index import Index

def peak():  # of this process alone, in kB; getrusage would count its parent's
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

before, start = peak(), time.perf_counter()
index = Index.load([Path(sys.argv[1])])
print(len(index), time.perf_counter() - start, peak() / 1e6, (peak() - before) / 1e6)
"""
NUM_ROWS = 1_100_000  # VoxCeleb2 has 1,092,009 for training


def main() -> None:
    """Print one line per comparison, then time and memory of the index."""
    print_versions("webdataset", "pyarrow")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        items = _utterances()
        _check_same(folder, items)
        print_header()
        size = f"{sum(len(item.audio) for item in items) / 1e6:.0f} MB"
        peer = _fresh(folder / "peer", lambda out: _webdataset(out, items))
        ours = _fresh(folder / "ours", lambda out: _ours(out, items))
        print_row(f"{NUM_UTTERANCES} utterances, {size}", ">= 1x", compare(ours, peer))
        with mock.patch("duovox.data.atomic.os.fsync"):
            print_row("the same without sync", "", compare(ours, peer))
        _print_index(folder / "index")


def _utterances() -> list[LoadedUtterance]:
    """Return utterances of 40 to 240 kB, as FLAC of 2 to 14 s has; noise stands for the bytes."""
    generator = np.random.default_rng(0)
    return [
        LoadedUtterance(
            Utterance(
                key=f"speaker{n % 100}/session{n % 300}/{n:06d}",
                path=Path(f"{n}.flac"),
                source=f"speaker{n % 100}/{n}.flac",
                speaker_id=f"speaker{n % 100}",
                transcript="THE SAME SENTENCE AGAIN AND AGAIN " * 4,
            ),
            generator.bytes(int(generator.integers(40_000, 240_000))),
            100_000,
        )
        for n in range(NUM_UTTERANCES)
    ]


def _ours(folder: Path, items: Sequence[LoadedUtterance]) -> None:
    for start in range(0, len(items), PER_SHARD):
        path = folder / f"shard-{start // PER_SHARD:06d}.tar"
        write_shard(path, items[start : start + PER_SHARD], lambda: None)


def _webdataset(folder: Path, items: Sequence[LoadedUtterance]) -> None:
    import webdataset

    pattern = str(folder / "shard-%06d.tar")
    with (
        redirect_stdout(io.StringIO()),
        webdataset.ShardWriter(pattern, maxcount=PER_SHARD, verbose=0) as writer,
    ):
        for item in items:
            one = item.utterance
            fields = {
                "speaker_id": one.speaker_id,
                "transcript": one.transcript,
                "source": one.source,
                "num_samples": item.num_samples,
            }
            writer.write({"__key__": one.key, "flac": item.audio, "json": fields})


def _fresh(folder: Path, write: Callable[[Path], None]) -> Callable[[], None]:
    def call() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        write(folder)

    return call


def _check_same(folder: Path, items: Sequence[LoadedUtterance]) -> None:
    """Stop unless both writers store the same keys and the same audio bytes."""
    import webdataset

    found = []
    for write in (_ours, _webdataset):
        out = folder / "check"
        _fresh(out, lambda out, write=write: write(out, items[:20]))()  # type: ignore[misc]
        (shard,) = [str(path) for path in out.iterdir()]
        samples = webdataset.WebDataset(shard, shardshuffle=False, empty_check=False)
        found.append([(sample["__key__"], sample["flac"]) for sample in samples])
    assert found[0] == found[1] == [(item.utterance.key, item.audio) for item in items[:20]]


def _print_index(folder: Path) -> None:
    """Print the seconds and the memory that loading a large index takes in a process of its own."""
    folder.mkdir()
    _write_large_index(folder)
    results = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", _LOAD, folder], capture_output=True, check=True, text=True
        )
        results.append([float(word) for word in done.stdout.split()])
    number, seconds, total, added = sorted(results, key=lambda result: result[1])[1]
    print(f"index of {number:.0f} utterances: loads in {seconds:.2f} s  (bar: < 2 s)")
    print(f"memory of the process: {total:.2f} GB, of the index {added:.2f} GB  (bar: < 1 GB)")


def _write_large_index(folder: Path) -> None:
    names = [f"train-{number:06d}.tar" for number in range(NUM_ROWS // PER_SHARD)]
    for name in names:
        (folder / name).touch()
    generator = np.random.default_rng(0)
    lengths = generator.integers(64_000, 320_000, NUM_ROWS).tolist()
    rows = [_row(number, lengths[number], names) for number in range(NUM_ROWS)]
    write_index(folder, rows)
    summary = DatasetSummary(
        name="train",
        num_utterances=NUM_ROWS,
        hours=sum(lengths) / 16_000 / 3600,
        num_speakers=5994,
        vocabulary=(),
        shards=tuple(
            ShardSummary(name=name, size=0, sha256="", num_utterances=PER_SHARD) for name in names
        ),
    )
    summary.save(folder)


def _row(number: int, num_samples: int, names: Sequence[str]) -> Row:
    speaker, video = f"id{number % 5994:05d}", f"{number // 7 * 2_654_435_761 % 10**11:011d}"
    return Row(
        key=f"{speaker}/{video}/{number:05d}",
        shard=names[number // PER_SHARD],
        offset=512 + number % PER_SHARD * 130_000,
        size=num_samples,
        num_samples=num_samples,
        sample_rate=16_000,
        speaker_id=speaker,
        session_id=video,
        gender="fm"[number % 2],
        language="",
        transcript="",
        source=f"{speaker}/{video}/{number:05d}.m4a",
        audio_format="flac",
    )


if __name__ == "__main__":
    main()
