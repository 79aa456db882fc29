"""What was heard: the hypotheses of a run and its worst utterances."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from duovox.batch import SAMPLE_RATE
from duovox.run.report.json_lines import read_json_lines


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """One utterance as it was said and as it was heard."""

    set_name: str
    key: str
    reference: str
    hypothesis: str
    wer: float  # fraction; can exceed 1
    num_samples: int

    @property
    def speaker_id(self) -> str:
        """The first part of the key."""
        return self.key.partition("/")[0]

    @property
    def num_words(self) -> int:
        """Number of reference words."""
        return len(self.reference.split())

    @property
    def num_errors(self) -> int:
        """Number of wrong words; an empty reference counts as one word, as in jiwer."""
        return round(self.wer * max(1, self.num_words))

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self.num_samples / SAMPLE_RATE


def read_hypotheses(path: Path) -> list[Hypothesis]:
    """Return the lines of `hypotheses/<set>.jsonl`."""
    columns = ("key", "reference", "hypothesis", "wer", "num_samples")
    records = read_json_lines(path)
    if any(missing := [c for c in columns if c not in record] for record in records):
        raise ValueError(f"every line of {path} must have {', '.join(columns)}; missing: {missing}")
    return [
        Hypothesis(set_name=path.stem, **{column: record[column] for column in columns})
        for record in records
    ]


def worst(hypotheses: Iterable[Hypothesis], *, count: int) -> list[Hypothesis]:
    """Return the utterances with the highest WER above 0; of equals, more errors come first."""
    wrong = [item for item in hypotheses if item.wer > 0]
    return sorted(wrong, key=lambda item: (-item.wer, -item.num_errors, item.key))[:count]
