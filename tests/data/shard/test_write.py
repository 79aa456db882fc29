"""A shard has the bytes that webdataset would give it, and the writer knows what is in it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import webdataset

from duovox.data.fault import Fault
from duovox.data.shard.scan import scan_shard
from duovox.data.shard.write import LoadedUtterance, open_shard, write_shard
from duovox.data.utterance import Utterance, make_key


def audio(num_samples: int, audio_format: str = "flac") -> bytes:
    wave = np.random.default_rng(num_samples).uniform(-0.3, 0.3, num_samples)
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, 16_000, format=audio_format.upper(), subtype="PCM_16")
    return buffer.getvalue()


def loaded(key: str, num_samples: int, audio_format: str = "flac", **said: str) -> LoadedUtterance:
    utterance = Utterance(key=key, path=Path("a"), **said)  # type: ignore[arg-type]
    content = audio(num_samples, audio_format)
    return LoadedUtterance(utterance, content, num_samples, audio_format)


ITEMS = [
    loaded("s/t/a", 800, speaker_id="s", session_id="t", source="a.flac", transcript="GRÜẞE"),
    loaded("s/t/b", 401, "wav", speaker_id="another", gender="f", language="de"),
    loaded(make_key("s.1", "", "c d"), 5000),  # nothing is said: the key stands in
    loaded(make_key("s" * 80, "t" * 60, "u" * 90), 900, "wav", speaker_id="s" * 80),
    loaded("s/t/c", 100_000, transcript="A" * 600),
]


def test_the_writer_knows_what_a_reader_finds(tmp_path: Path):
    written, left_out = write_shard(tmp_path / "a-000000.tar", ITEMS, lambda: None)
    assert left_out == []
    assert len(written.rows) == len(ITEMS)
    assert written == scan_shard(tmp_path / "a-000000.tar")


def test_an_empty_shard_is_one_without_utterances(tmp_path: Path):
    fault = Fault(where="a", key="s/t/u", cause="undecodable", detail="text")
    written, left_out = write_shard(tmp_path / "a.tar", [fault], lambda: None)
    assert (written.rows, left_out) == ((), [fault])
    assert written == scan_shard(tmp_path / "a.tar")


def test_the_bytes_are_those_of_webdatasets_writer(tmp_path: Path):
    write_shard(tmp_path / "ours.tar", ITEMS, lambda: None)
    with (tmp_path / "peer.tar").open("wb") as file:
        writer = webdataset.TarWriter(file, encoder=False, mtime=0, user="duovox", group="duovox")
        for item in ITEMS:
            utterance = item.utterance
            names = ("speaker_id", "session_id", "gender", "language", "transcript", "source")
            fields = {name: getattr(utterance, name) for name in names}
            fields |= {"num_samples": item.num_samples, "sample_rate": 16_000}
            described = json.dumps(fields, ensure_ascii=False).encode()
            writer.write(
                {"__key__": utterance.key, item.audio_format: item.audio, "json": described}
            )
        writer.close()
    assert (tmp_path / "ours.tar").read_bytes() == (tmp_path / "peer.tar").read_bytes()


def test_a_shard_that_is_given_up_leaves_nothing(tmp_path: Path):
    def give_up() -> None:
        with open_shard(tmp_path / "a.tar") as shard:
            shard.add(ITEMS[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        give_up()
    assert list(tmp_path.iterdir()) == []
