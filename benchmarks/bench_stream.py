"""C9: from a tar file to padded float32 batches, against webdataset with soundfile.

400 utterances of 4 to 12 s (VoxCeleb's mean is 7.8 s), as FLAC and as 16-bit WAV, one process, one
thread. FLAC is bound by libFLAC on both sides: the bar of 1.05x says that the rest costs next to
nothing. WAV is bound by memory: three copies on our side (out of the page cache, to floats, into
the batch) cap the ratio near 5x. Then 3 s chunks of 8 s FLAC files: seeking, against decoding whole
files as the published pipeline does. The last row, two of our workers against one, needs two idle
cores.

Run: python benchmarks/bench_stream.py
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
import torch
import webdataset
from torch import Tensor

from duovox.data.dataset.index import Index
from duovox.data.dataset.indexing import index_shards
from duovox.data.loader import evaluation_loader
from duovox.data.plan.batching import Batching
from duovox.data.source.speaker import SpeakerSource
from side_by_side import compare, print_header, print_row, print_versions

NUM_UTTERANCES, BATCH_SIZE, SAMPLE_RATE = 400, 16, 16_000
CHUNK_SAMPLES = 3 * SAMPLE_RATE


def main() -> None:
    """Print one line per comparison."""
    torch.set_num_threads(1)
    print_versions("numpy", "torch", "webdataset", "soundfile")
    print_header()
    with TemporaryDirectory() as name:
        folder = Path(name)
        for audio_format, bar in (("flac", ">= 1.05x"), ("wav", ">= 5x")):
            _write(folder / audio_format, audio_format, seconds=(4, 12))
            _compare_whole(folder / audio_format, audio_format, bar)
        _write(folder / "chunks", "flac", seconds=(8, 8))
        _compare_chunks(folder / "chunks")
        _compare_workers(folder / "flac")


def _compare_whole(folder: Path, audio_format: str, bar: str) -> None:
    source = _source(folder)
    _check_agreement(_ours(source), _peer(folder, audio_format))
    comparison = compare(
        lambda: _exhaust(_ours(source)), lambda: _exhaust(_peer(folder, audio_format))
    )
    print_row(f"{NUM_UTTERANCES} x 4-12 s {audio_format}, webdataset + soundfile", bar, comparison)


def _compare_chunks(folder: Path) -> None:
    source = _source(folder, chunk_samples=CHUNK_SAMPLES)
    _check_agreement(_ours(source), _peer(folder, "flac", CHUNK_SAMPLES))
    comparison = compare(
        lambda: _exhaust(_ours(source)), lambda: _exhaust(_peer(folder, "flac", CHUNK_SAMPLES))
    )
    print_row("3 s chunks of 8 s flac, webdataset + soundfile", ">= 2x", comparison)


def _compare_workers(folder: Path) -> None:
    source = _source(folder)

    def stream(num_workers: int) -> None:
        for _ in evaluation_loader(source, num_workers=num_workers):
            pass

    comparison = compare(lambda: stream(2), lambda: stream(1))
    print_row("flac: our 2 workers against our 1 worker", ">= 1.8x", comparison)


def _source(folder: Path, chunk_samples: int | None = None) -> SpeakerSource:
    return SpeakerSource.for_evaluation(
        Index.load([folder]),
        (),
        batching=Batching(batch_size=BATCH_SIZE),
        chunk_samples=chunk_samples,
        normalize="none",
    )


def _ours(source: SpeakerSource) -> Iterator[tuple[Tensor, Tensor]]:
    for number in range(source.num_batches):
        batch = source.batch(0, number)
        yield batch.waves, batch.num_samples


def _peer(
    folder: Path, audio_format: str, chunk_samples: int | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Read the tar in order with webdataset; decode with soundfile; pad with torch."""

    def decode(sample: dict[str, bytes]) -> Tensor:
        wave, _ = soundfile.read(io.BytesIO(sample[audio_format]), dtype="float32")
        return torch.from_numpy(wave[:chunk_samples])

    def pad(waves: list[Tensor]) -> tuple[Tensor, Tensor]:
        lengths = torch.tensor([len(wave) for wave in waves])
        return torch.nn.utils.rnn.pad_sequence(waves, batch_first=True), lengths

    url = str(folder / "shard-000000.tar")
    samples = webdataset.WebDataset(url, shardshuffle=False, empty_check=False)
    yield from samples.map(decode).batched(BATCH_SIZE, collation_fn=pad)


def _check_agreement(
    ours: Iterator[tuple[Tensor, Tensor]], peer: Iterator[tuple[Tensor, Tensor]]
) -> None:
    """Both must give the same waves, if in another order."""
    seen = [
        sorted(
            wave[:length].numpy().tobytes()
            for waves, lengths in batches
            for wave, length in zip(waves, lengths.tolist(), strict=True)
        )
        for batches in (ours, peer)
    ]
    assert seen[0] == seen[1]
    assert len(seen[0]) == NUM_UTTERANCES


def _exhaust(batches: Iterator[tuple[Tensor, Tensor]]) -> None:
    for _ in batches:
        pass


def _write(folder: Path, audio_format: str, *, seconds: tuple[float, float]) -> None:
    """Write one shard of noise with the spectrum of a voice, roughly."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    with tarfile.open(folder / "shard-000000.tar", "w") as tar:
        for number in range(NUM_UTTERANCES):
            num_samples = round(generator.uniform(*seconds) * SAMPLE_RATE)
            noise = np.convolve(generator.standard_normal(num_samples), np.ones(20) / 20, "same")
            audio = io.BytesIO()
            soundfile.write(
                audio, 0.3 * noise, SAMPLE_RATE, format=audio_format.upper(), subtype="PCM_16"
            )
            description = json.dumps({"speaker_id": f"{number % 9}"}).encode()
            for suffix, content in ((audio_format, audio.getvalue()), ("json", description)):
                member = tarfile.TarInfo(f"{number % 9}/session/{number:04d}.{suffix}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    index_shards(folder)


if __name__ == "__main__":
    main()
