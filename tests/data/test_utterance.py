"""Keys are clean, reversible and fit into a tar header."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duovox.data.shard.sample import split_name
from duovox.data.utterance import Utterance, check_key, make_key, original_name

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(speaker=NAMES, session=NAMES, utterance=NAMES)
def test_any_name_can_be_made_a_key_and_read_back(speaker, session, utterance):
    key = make_key(speaker, session, utterance)
    check_key(key)
    assert key.isascii()
    assert [original_name(part) for part in key.split("/")] == [speaker, session, utterance]
    assert split_name(f"{key}.flac") == (key, "flac")


@given(first=st.tuples(NAMES, NAMES, NAMES), second=st.tuples(NAMES, NAMES, NAMES))
def test_different_names_have_different_keys(first, second):
    assert (make_key(*first) == make_key(*second)) == (first == second)


def test_plain_names_stay_as_they_are():
    assert make_key("1089", "134686", "1089-134686-0000") == "1089/134686/1089-134686-0000"
    assert make_key("a", "b", "c.1 ü") == "a/b/c%2E1%20%C3%BC"


def test_unknown_speaker_and_session_have_a_place():
    assert make_key("", "", "7") == "_/_/7"


@pytest.mark.parametrize("key", ["a/b/c.d", "a/b", "a/b/c d", "a//c", "a/b/ü", "/a/b", "a/b/c%2e"])
def test_other_keys_are_refused(key):
    with pytest.raises(ValueError, match="key"):
        Utterance(key=key, path=Path("a.wav"))


def test_a_key_that_no_tar_header_holds_is_refused():
    check_key("s/t/" + "x" * 95)
    with pytest.raises(ValueError, match=r"is too long.*shorten the ID"):
        check_key("s/t/" + "x" * 96)
    with pytest.raises(ValueError, match="is too long"):
        check_key("x" * 155 + "/t/u")
