"""The tables of errors say what jiwer counts."""

from __future__ import annotations

import re

import jiwer

from duovox.run.report.error_section import confusions, error_kinds, speakers
from duovox.run.report.hypotheses import Hypothesis

PAIRS = {
    "anna/1/a": ("ONE TWO", "ONE TOO"),
    "anna/1/b": ("TWO TWO", "TOO TWO"),
    "bert/1/a": ("SIX", ""),
    "bert/1/b": ("SIX", "SIX"),
    "carl/1/a": ("ONE", "ONE NO"),
}


def utterances() -> list[Hypothesis]:
    return [
        Hypothesis(
            set_name="digits",
            key=key,
            reference=reference,
            hypothesis=hypothesis,
            wer=jiwer.wer(reference, hypothesis),
            num_samples=16_000,
        )
        for key, (reference, hypothesis) in PAIRS.items()
    ]


def rows_of(markup: str) -> list[list[str]]:
    """Return the text of the cells of each row of a table, without its header."""
    rows = re.findall(r"<tr>(.*?)</tr>", markup)
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in rows]
    return [[re.sub("<.*?>", "", cell) for cell in row] for row in cells if row]


def test_kinds_of_errors_are_those_of_jiwer() -> None:
    words, characters = rows_of(error_kinds({"digits": utterances()}))
    references, hypotheses = (list(texts) for texts in zip(*PAIRS.values(), strict=True))
    for row, expected, unit in (
        (words, jiwer.process_words(references, hypotheses), "7 words"),
        (characters, jiwer.process_characters(references, hypotheses), "23 characters"),
    ):
        counts = (expected.substitutions, expected.deletions, expected.insertions)
        rate = expected.wer if unit.endswith("words") else expected.cer
        assert row == ["digits", unit, *map(str, counts), f"{100 * rate:.2f}"]


def test_speakers_are_listed_from_the_worst_to_the_best() -> None:
    assert rows_of(speakers(utterances())) == [
        ["carl", "1", "1", "0", "0", "1", "100.00"],
        ["anna", "2", "4", "2", "0", "0", "50.00"],
        ["bert", "2", "2", "0", "1", "0", "50.00"],
    ]
    assert "3 speakers, the worst 3 shown" in speakers(utterances())


def test_one_speaker_alone_has_no_table() -> None:
    assert speakers(utterances()[:2]) == ""


def test_confusions_are_counted_by_kind() -> None:
    markup = confusions(utterances())
    assert rows_of(markup) == [["2 × TWO → TOO", "1 × SIX", "1 × NO"]]
    assert "Substituted (2)" in markup
    assert confusions(utterances()[3:4]) == ""
