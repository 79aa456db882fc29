"""What a network may hear, and what is refused with its shard, key and cause."""

from __future__ import annotations

import numpy as np
import pytest

from duovox.data.wave.reader import BadAudioError, WaveReader


def read(index, row: int = 0, *, refuse_silence: bool = True, **part: int) -> np.ndarray:
    part = {"num_samples": int(index.num_samples[row])} | part
    return WaveReader(index, refuse_silence=refuse_silence).read(row, **part)


@pytest.mark.parametrize("audio_format", ["flac", "wav"])
def test_a_part_is_the_same_as_that_part_of_the_whole(
    tmp_path, write_shards, entry, audio_format
) -> None:
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, 30_000).astype(np.float32)
    index = write_shards(tmp_path, [entry("a/b/c", wave, audio_format=audio_format)])
    whole = read(index)
    np.testing.assert_allclose(whole, wave, atol=1 / 32_768)
    np.testing.assert_array_equal(read(index, start=12_345, num_samples=999), whole[12_345:13_344])
    assert whole.dtype == np.float32


def test_another_sample_rate_is_refused(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, [entry("a/b/c", sample_rate=8000)])
    with pytest.raises(
        BadAudioError, match=r"8000 Hz instead of 16000 Hz; `duovox prepare`"
    ) as bad:
        read(index)
    assert bad.value.utterance.cause == "wrong sample rate"
    assert bad.value.utterance.key == "a/b/c"
    assert bad.value.utterance.shard.endswith("shard-000000.tar")


def test_several_channels_are_refused(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, [entry("a/b/c", np.ones((8000, 2), np.float32) / 2)])
    with pytest.raises(BadAudioError, match="2 channels instead of one; `duovox prepare`"):
        read(index)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, write_shards, entry, value) -> None:
    wave = np.full(8000, 0.1, np.float32)
    wave[77] = value
    index = write_shards(tmp_path, [entry("a/b/c", wave, audio_format="wav", subtype="FLOAT")])
    with pytest.raises(BadAudioError) as bad:
        read(index)
    assert bad.value.utterance.cause == "not finite"


@pytest.mark.parametrize("level", [0.0, 0.00003])
def test_silence_is_refused_where_that_is_asked(tmp_path, write_shards, entry, level) -> None:
    wave = np.full(8000, level, np.float32)
    wave[1::2] *= -1
    index = write_shards(tmp_path, [entry("a/b/c", wave)])
    with pytest.raises(BadAudioError) as bad:
        read(index)
    assert bad.value.utterance.cause == "silence"
    assert np.abs(read(index, refuse_silence=False)).max() <= 0.0001


def test_soft_speech_is_no_silence(tmp_path, write_shards, entry) -> None:
    wave = np.zeros(8000, np.float32)
    wave[4000] = 0.001
    assert read(write_shards(tmp_path, [entry("a/b/c", wave)])).max() > 0


def test_damaged_audio_is_refused(tmp_path, write_shards, entry) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 16_000)
    index = write_shards(tmp_path, [entry("a/b/c", noise)])
    overwrite(index, 0, skip=int(index.size[0]) // 2)
    with pytest.raises(BadAudioError) as bad:
        read(index)
    assert bad.value.utterance.cause in ("undecodable", "cut short")


def test_a_damaged_shard_is_refused(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, [entry("a/b/c")])
    overwrite(index, 0, skip=-400)  # the tar header in front of the audio
    with pytest.raises(BadAudioError, match=r"a/b/c: damaged shard: .*damaged") as bad:
        read(index)
    assert bad.value.utterance.cause == "damaged shard"


def test_a_missing_shard_is_refused(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, [entry("a/b/c")])
    index.shards[0].unlink()
    with pytest.raises(BadAudioError, match="damaged shard"):
        read(index)


def test_a_part_beyond_the_end_is_refused(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, [entry("a/b/c")])
    with pytest.raises(BadAudioError):
        read(index, start=7000, num_samples=1001)


def overwrite(index, row: int, *, skip: int) -> None:
    """Put nonsense over 300 bytes, `skip` bytes behind the first byte of a row's audio."""
    with index.shards[index.shard[row]].open("r+b") as file:
        file.seek(int(index.offset[row]) + skip)
        file.write(b"\x7f" * 300)
