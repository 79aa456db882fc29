"""The measures a run is judged by: their names, their definitions, and how they are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

SetResult: TypeAlias = dict[str, Any]  # one set of metrics.json: fractions, intervals and counts

COUNTS = {  # what a count in metrics.json counts
    "num_utterances": "utterances",
    "num_words": "words",
    "num_trials": "trials",
    "num_targets": "targets",
    "num_speakers": "speakers",
    "num_masked": "masked frames",
}


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number that says how good a run is; lower is better, save for the accuracy."""

    key: str  # in metrics.json
    name: str
    definition: str
    is_percent: bool = True

    def text(self, result: SetResult, *, unit: str = " %") -> str | None:
        """Return the measure of a set as text, or None where it has none."""
        value = result.get(self.key)
        if value is None:
            return None
        return f"{100 * value:.2f}{unit}" if self.is_percent else f"{value:.3f}"

    def interval_text(self, result: SetResult) -> str | None:
        """Return the 95 % interval, in the unit of the measure, or None where there is none."""
        interval = result.get(f"{self.key}_interval")
        if interval is None:
            return None
        low, high = interval
        if self.is_percent:
            return f"{100 * low:.2f}\N{EN DASH}{100 * high:.2f}"
        return f"{low:.3f}\N{EN DASH}{high:.3f}"


def _min_dcf(p_target: float) -> Measure:
    return Measure(
        key=f"min_dcf_p{100 * p_target:02.0f}",
        name=f"minDCF({p_target})",
        definition=f"Minimum detection cost when {100 * p_target:.0f} % of trials are targets and "
        "both errors cost 1: the lowest cost over all thresholds, divided by the cost of always "
        "answering the same. 0 is perfect; 1 is no better than not listening.",
        is_percent=False,
    )


def _actual_dcf(p_target: float) -> Measure:
    return Measure(
        key=f"actual_dcf_p{100 * p_target:02.0f}",
        name=f"actDCF({p_target})",
        definition="The same cost at the threshold that log-likelihood ratios ask for: what it "
        "exceeds the minimum by is lost by calibration.",
        is_percent=False,
    )


MEASURES = (
    Measure(
        key="wer",
        name="WER",
        definition="Word error rate: substituted, deleted and inserted words over the number of "
        "reference words, both summed over the whole set.",
    ),
    Measure(
        key="cer",
        name="CER",
        definition="Character error rate: the same for characters, spaces included.",
    ),
    Measure(
        key="eer",
        name="EER",
        definition="Equal error rate: the share of targets rejected at the threshold where it "
        "equals the share of non-targets accepted, interpolated between the two nearest scores.",
    ),
    _min_dcf(0.01),
    _min_dcf(0.05),
    _actual_dcf(0.01),
    _actual_dcf(0.05),
    Measure(
        key="cllr",
        name="Cllr",
        definition="Cost of log-likelihood ratios in bits per trial, over all decisions. 0 is "
        "perfect; 1 is no better than not listening; above 1, scores mislead.",
        is_percent=False,
    ),
    Measure(
        key="min_cllr",
        name="minCllr",
        definition="The same under the best calibration that keeps the scores in their order.",
        is_percent=False,
    ),
    Measure(
        key="accuracy",
        name="Accuracy",
        definition="Contrastive accuracy: the share of masked frames whose target is more similar "
        "to what the network guesses than each of its negatives. Higher is better; with 100 "
        "negatives chance is 1 %.",
    ),
    Measure(
        key="contrastive",
        name="Contrast",
        definition="Contrastive loss in nats per masked frame; with 100 negatives guessing costs "
        "ln 101 = 4.615.",
        is_percent=False,
    ),
)


def measures_of(result: SetResult) -> list[Measure]:
    """Return the measures that a set has."""
    return [measure for measure in MEASURES if result.get(measure.key) is not None]


def count_text(result: SetResult) -> str:
    """Return the counts of a set, such as "300 utterances, 2,140 words", and its public list."""
    named = ((result.get(key), noun) for key, noun in COUNTS.items())
    counts = ", ".join(f"{count:,} {noun}" for count, noun in named if count is not None)
    return f"{known_as}: {counts}" if (known_as := result.get("trial_list")) else counts


def results_of(metrics: dict[str, Any]) -> Iterator[tuple[str, str, SetResult]]:
    """Yield (split, set name, result) for every scored set of metrics.json, test sets first."""
    for split in ("test", "validation"):
        for name, result in metrics.get(split, {}).items():
            if isinstance(result, dict) and measures_of(result):
                yield split, name, result
