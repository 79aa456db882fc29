"""One validation in a few numbers: per set, and the means that runs are selected by."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from duovox.task.evaluation import Evaluation, SpeechEvaluation


def measured(evaluations: Sequence[Evaluation]) -> set[str]:
    """Return the names of the numbers that `summarise` will find."""
    names = set()
    for evaluation in evaluations:
        if isinstance(evaluation, SpeechEvaluation):
            names |= {f"val_wer_{evaluation.name}", f"val_loss_{evaluation.name}"}
            names |= {"val_wer", "val_loss_speech"}
        else:
            names |= {f"val_eer_{evaluation.name}", "val_eer"}
    return names | ({"val_wer_eer"} if {"val_wer", "val_eer"} <= names else set())


def summarise(evaluations: Sequence[Evaluation]) -> dict[str, float]:
    """Return `val_wer_<set>`, `val_loss_<set>`, `val_eer_<set>` and their means over sets.

    The means are `val_wer`, `val_loss_speech` and `val_eer`; `val_wer_eer` is the sum of the first
    and the last, where both tasks are validated.
    """
    scores: dict[str, float] = {}
    wers, losses, eers = [], [], []
    for evaluation in evaluations:
        result = evaluation.result()
        scores |= {f"val_{metric}_{evaluation.name}": value for metric, value in result.items()}
        if isinstance(evaluation, SpeechEvaluation):
            wers.append(result["wer"])
            losses.append(result["loss"])
        else:
            eers.append(result["eer"])
    if wers:
        scores |= {"val_wer": fmean(wers), "val_loss_speech": fmean(losses)}
    if eers:
        scores["val_eer"] = fmean(eers)
    if wers and eers:
        scores["val_wer_eer"] = scores["val_wer"] + scores["val_eer"]
    return scores
