"""Score a network on sets of utterances and keep everything the scores came from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from torch import nn
from torch.utils.data import DataLoader

from duovox.metric.wer import word_error_rate
from duovox.run.scores import speaker_scores, speech_scores
from duovox.task.evaluation import Evaluation, SpeakerEvaluation, SpeechEvaluation


@dataclass(frozen=True, kw_only=True)
class EvaluationSet:
    """Utterances in batches, and what is asked about them."""

    evaluation: Evaluation
    batches: DataLoader[Any]
    num_batches: int


@torch.inference_mode()
def evaluate(
    network: nn.Module, sets: Sequence[EvaluationSet], *, device: torch.device, folder: Path
) -> dict[str, dict[str, Any]]:
    """Score every set in float32; write its hypotheses or trial scores into `folder`.

    Returns:
        By name of the set: word error rates, or error rates of its trials, with their 95 %
        intervals. All are fractions.

    Raises:
        ValueError: an utterance can't be read. Nothing is left out of an evaluation.
    """
    network.to(device).eval()
    results: dict[str, dict[str, Any]] = {}
    with Progress() as progress:
        for one in sets:
            name = one.evaluation.name
            task = progress.add_task(f"scoring {name}", total=one.num_batches)
            one.evaluation.start()
            for batch in one.batches:
                one.evaluation.add(network, batch.to(device))
                progress.advance(task)
            results[name] = results.get(name, {}) | _finish(one.evaluation, folder)
    return results


def _finish(evaluation: Evaluation, folder: Path) -> dict[str, Any]:
    if isinstance(evaluation, SpeechEvaluation):
        _write_hypotheses(evaluation, folder / "hypotheses" / f"{evaluation.name}.jsonl")
        return speech_scores(evaluation.hypotheses)
    scores = evaluation.scores().numpy()
    _write_scores(evaluation, scores.tolist(), folder / "scores" / f"{evaluation.name}.txt")
    return speaker_scores(scores, evaluation.trials)


def _write_hypotheses(evaluation: SpeechEvaluation, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for item in evaluation.hypotheses:
            wer = word_error_rate([item.reference], [item.hypothesis]).wer
            file.write(json.dumps(asdict(item) | {"wer": wer}, ensure_ascii=False) + "\n")


def _write_scores(evaluation: SpeakerEvaluation, scores: Sequence[float], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    trials = evaluation.trials
    rows = zip(trials.enroll_keys, trials.test_keys, scores, trials.is_target, strict=True)
    with path.open("w", encoding="utf-8") as file:
        for enroll, test, score, is_target in rows:
            label = "target" if is_target else "nontarget"
            file.write(f"{enroll} {test} {score:.6f} {label}\n")
