"""One validation in a few numbers: per set, and the means that runs are selected by."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from duovox.task.evaluation import Evaluation, SpeechEvaluation
from duovox.task.ssl_evaluation import SslEvaluation


def measured(evaluations: Sequence[Evaluation]) -> set[str]:
    """Return the names of the numbers of `summarise` that a run can be selected by."""
    names = set()
    for evaluation in evaluations:
        if isinstance(evaluation, SpeechEvaluation):
            names |= {f"val_wer_{evaluation.name}", f"val_loss_{evaluation.name}"}
            names |= {"val_wer", "val_loss_speech"}
        elif isinstance(evaluation, SslEvaluation):
            names |= {f"val_loss_{evaluation.name}", f"val_contrastive_{evaluation.name}"}
            names |= {"val_loss_ssl"}
        else:
            names |= {f"val_eer_{evaluation.name}", "val_eer"}
    return names | ({"val_wer_eer"} if {"val_wer", "val_eer"} <= names else set())


def summarise(evaluations: Sequence[Evaluation]) -> dict[str, float]:
    """Return `val_<metric>_<set>`, such as `val_wer_<set>`, and the means over sets.

    These are `val_wer`, `val_loss_speech` and `val_eer`; `val_wer_eer` is the sum of the first and
    the last, where both tasks are validated. Of pre-training, `val_loss_ssl` and `val_accuracy` are
    means over the masked frames of all sets.
    """
    scores: dict[str, float] = {}
    wers, losses, eers = [], [], []
    pretraining: list[tuple[int, dict[str, float]]] = []  # masked frames, result
    for evaluation in evaluations:
        result = evaluation.result()
        scores |= {f"val_{metric}_{evaluation.name}": value for metric, value in result.items()}
        if isinstance(evaluation, SpeechEvaluation):
            wers.append(result["wer"])
            losses.append(result["loss"])
        elif isinstance(evaluation, SslEvaluation):
            pretraining.append((evaluation.num_masked, result))
        else:
            eers.append(result["eer"])
    if wers:
        scores |= {"val_wer": fmean(wers), "val_loss_speech": fmean(losses)}
    if eers:
        scores["val_eer"] = fmean(eers)
    if wers and eers:
        scores["val_wer_eer"] = scores["val_wer"] + scores["val_eer"]
    return scores | _weighted(pretraining)


def _weighted(pretraining: Sequence[tuple[int, dict[str, float]]]) -> dict[str, float]:
    if not pretraining:
        return {}
    weights = [num_masked for num_masked, _ in pretraining]
    return {
        name: fmean([result[metric] for _, result in pretraining], weights)
        for name, metric in (("val_loss_ssl", "loss"), ("val_accuracy", "accuracy"))
    }
