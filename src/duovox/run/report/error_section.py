"""What goes wrong: kinds of errors, by set and speaker, and the words that are confused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from duovox.metric.wer import (
    EditCounts,
    count_character_edits,
    count_word_edits,
    error_rate,
)
from duovox.metric.word_alignment import AlignedWord, align_all, count_confusions
from duovox.run.report.hypotheses import Hypothesis
from duovox.run.report.markup import Markup, element, join, table

NUM_CONFUSIONS = 15  # of each kind
NUM_SPEAKERS = 20
_EDITS = ["Substituted", "Deleted", "Inserted", "Rate %"]
_KINDS = (("substitute", "Substituted"), ("delete", "Deleted"), ("insert", "Inserted"))


def error_kinds(hypotheses: Mapping[str, Sequence[Hypothesis]]) -> Markup:
    """Return how words and characters of each set went wrong."""
    rows = []
    for name, items in hypotheses.items():
        texts = [item.reference for item in items], [item.hypothesis for item in items]
        for unit, edits in (
            ("words", count_word_edits(*texts)),
            ("characters", count_character_edits(*texts)),
        ):
            rows.append([name, f"{edits.num_units.sum():,} {unit}", *_cells(edits)])
    return join([element("h3", "Kinds of errors"), table(["Set", "Of", *_EDITS], rows)])


def speakers(hypotheses: Sequence[Hypothesis]) -> Markup:
    """Return the error rates of the speakers, the worst first; nothing where there is one alone."""
    by_speaker: dict[str, list[Hypothesis]] = defaultdict(list)
    for item in hypotheses:
        by_speaker[item.speaker_id].append(item)
    if len(by_speaker) < 2:
        return Markup()
    counted = [(name, _edits(items)) for name, items in by_speaker.items()]
    counted.sort(key=lambda pair: (-error_rate(pair[1]), pair[0]))
    rows: list[list[str]] = [
        [
            element("code", name),
            f"{len(edits.num_units):,}",
            f"{edits.num_units.sum():,}",
            *_cells(edits),
        ]
        for name, edits in counted[:NUM_SPEAKERS]
    ]
    rates = [100 * error_rate(edits) for _, edits in counted]
    note = (
        f"{len(counted):,} speakers, the worst {len(rows)} shown; half of all have a WER of "
        f"{rates[len(rates) // 2]:.2f} % or less, the best has {rates[-1]:.2f} %."
    )
    header = ["Speaker", "Utterances", "Words", *_EDITS]
    return join([element("h3", "By speaker"), element("p", note), table(header, rows)])


def confusions(hypotheses: Sequence[Hypothesis]) -> Markup:
    """Return the words that are most often taken for others, left out or made up."""
    counts = count_confusions(
        align_all([item.reference for item in hypotheses], [item.hypothesis for item in hypotheses])
    )
    if not counts:
        return Markup()
    columns = [
        [(word, number) for word, number in counts.most_common() if word.kind == kind]
        for kind, _ in _KINDS
    ]
    rows = [
        [_confusion(column[place]) if place < len(column) else "" for column in columns]
        for place in range(min(NUM_CONFUSIONS, max(map(len, columns))))
    ]
    header = [
        f"{title} ({sum(n for _, n in c):,})" for (_, title), c in zip(_KINDS, columns, strict=True)
    ]
    return join([element("h3", "Most frequent errors"), table(header, rows, class_="confusions")])


def _confusion(counted: tuple[AlignedWord, int]) -> str:
    word, number = counted
    words = " \N{RIGHTWARDS ARROW} ".join(filter(None, (word.reference, word.hypothesis)))
    return f"{number:,} \N{MULTIPLICATION SIGN} {words}"


def _edits(items: Sequence[Hypothesis]) -> EditCounts:
    return count_word_edits([one.reference for one in items], [one.hypothesis for one in items])


def _cells(edits: EditCounts) -> list[str]:
    counts = (edits.substitutions, edits.deletions, edits.insertions)
    return [*(f"{one.sum():,}" for one in counts), f"{100 * error_rate(edits):.2f}"]
