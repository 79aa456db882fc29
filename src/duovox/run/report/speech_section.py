"""What was heard wrongly, word by word."""

from __future__ import annotations

from duovox.metric.word_alignment import AlignedWord, align
from duovox.run.report.hypotheses import Hypothesis, worst
from duovox.run.report.markup import Markup, element, join

COUNT = 10  # utterances shown
NO_WORD = "\N{MIDDLE DOT}"  # in place of a word that was left out or made up


def worst_utterances(hypotheses: list[Hypothesis]) -> Markup:
    """Return the worst utterances, each reference word over the word heard in its place."""
    shown = worst(hypotheses, count=COUNT)
    if not shown:
        return element("p", f"All {len(hypotheses):,} utterances were heard without an error.")
    num_wrong = sum(item.wer > 0 for item in hypotheses)
    legend = element(
        "p",
        f"{num_wrong:,} of {len(hypotheses):,} utterances have errors; these have the most per "
        "word. Upper line: reference; lower line: hypothesis.",
    )
    keys = (element("span", _word(word), meaning, class_="key") for word, meaning in _LEGEND)
    listed = element("ol", *(_utterance(item) for item in shown), class_="worst")
    return join([element("h3", "Worst utterances"), legend, element("p", *keys), listed])


_LEGEND = (
    (AlignedWord(kind="substitute", reference="said", hypothesis="heard"), "substitution"),
    (AlignedWord(kind="delete", reference="said", hypothesis=None), "deletion"),
    (AlignedWord(kind="insert", reference=None, hypothesis="heard"), "insertion"),
)


def _utterance(item: Hypothesis) -> Markup:
    words = align(item.reference, item.hypothesis)
    facts = (
        f"WER {100 * item.wer:.0f} %, {_count(item.num_errors, 'error')} in "
        f"{_count(item.num_words, 'word')}, {item.seconds:.1f} s, {item.set_name}"
    )
    return element(
        "li",
        element("p", element("code", item.key), " ", element("span", facts, class_="muted")),
        element("p", *(_word(word) for word in words), class_="words"),
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _word(word: AlignedWord) -> Markup:
    return element(
        "span",
        element("span", word.reference or NO_WORD, class_="said"),
        element("span", word.hypothesis or NO_WORD, class_="heard"),
        class_=f"word {word.kind}",
    )
