"""What we write into a shard we read back; what others write is checked before it is believed."""

from __future__ import annotations

import json

import pytest

from duovox.data.shard.record import Record, read_record

RECORD = Record(
    speaker_id="s.1",
    session_id="",
    gender="f",
    language="en",
    transcript="GRÜẞE",
    source="audio/a b.flac",
    num_samples=1600,
)


def test_a_record_survives_its_json():
    assert read_record("s%2E1/_/a", RECORD.to_json(), None) == RECORD
    assert json.loads(RECORD.to_json())["sample_rate"] == 16_000


def test_the_json_wins_over_key_and_text():
    record = read_record("x/y/z", RECORD.to_json(), b"OTHER")
    assert (record.speaker_id, record.session_id, record.transcript) == ("s.1", "y", "GRÜẞE")


def test_names_in_a_key_are_unescaped():
    record = read_record("s%2E1/_/u", None, b" ONE \n")
    assert (record.speaker_id, record.session_id, record.transcript) == ("s.1", "", "ONE")
    assert record.source == "s.1/_/u"


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"[1]", "is a list, not an object"), (b"{", "cannot be read"), (b"\xff", "cannot be read")],
)
def test_a_json_that_is_no_object_is_refused(content, says):
    with pytest.raises(ValueError, match=says):
        read_record("a/b/c", content, None)


@pytest.mark.parametrize("length", ["long", "-5", "1.5"])
def test_a_length_that_is_no_number_of_samples_is_refused(length):
    with pytest.raises(ValueError, match="not a number of samples"):
        read_record("a/b/c", json.dumps({"num_frames": length}).encode(), None)
