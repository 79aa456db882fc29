"""Score a network on sets of utterances and keep everything the scores came from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader

from duovox.batch import SAMPLE_RATE
from duovox.data.trial.score_list import ScoreList, write_score_list
from duovox.decoding.parallel import Decode, decode_all
from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.wav2vec2.pretraining import PretrainingNetwork
from duovox.progress import Progress, console_on
from duovox.run.cohort import Cohort
from duovox.run.hypothesis_files import write_hypotheses
from duovox.run.logits import stored_logits
from duovox.run.report.mask_plot import masked_utterance, write_masked
from duovox.run.scores import speaker_scores, speech_scores, ssl_scores
from duovox.task.evaluation import AS_NORM, Evaluation, SpeakerEvaluation, SpeechEvaluation, Trials
from duovox.task.ssl_evaluation import SslEvaluation


@dataclass(frozen=True, kw_only=True)
class EvaluationSet:
    """Utterances in batches, and what is asked about them."""

    evaluation: Evaluation
    batches: DataLoader[Any]
    num_batches: int


@torch.inference_mode()
def evaluate(
    network: nn.Module,
    sets: Sequence[EvaluationSet],
    *,
    device: torch.device,
    folder: Path,
    stream: TextIO,
    cohort: Cohort | None = None,
    search: Decode | None = None,
    store_logits: bool = False,
) -> dict[str, dict[str, Any]]:
    """Score every set in float32; write its hypotheses or trial scores into `folder`.

    Args:
        stream: Where to show how far scoring is.
        cohort: Strangers to the speakers of all trials; their scores after AS-norm come beside
            the plain ones, as a set of its own.
        search: A decoder that takes its time: a whole set is decoded at once, in parallel, in place
            of the task's own decoder.
        store_logits: Write the token logits, too, as `logits/<set>.npz`.

    Returns:
        By name of the set: word error rates, or error rates of its trials, with their 95 %
        intervals, all as fractions; of pre-training, loss and accuracy.

    Raises:
        ValueError: an utterance can't be read. Nothing is left out of an evaluation.
    """
    network.to(device).eval()
    results: dict[str, dict[str, Any]] = {}
    with Progress(console_on(stream)) as progress:
        normalise = cohort.listen(network, device=device, progress=progress) if cohort else None
        for one in sets:
            name = one.evaluation.name
            if isinstance(one.evaluation, SpeechEvaluation):
                one.evaluation.keeps_logits = store_logits or search is not None
                one.evaluation.with_times = True
            one.evaluation.start()
            with progress.work(f"scoring {name}", one.num_batches, "batches") as work:
                for batch in one.batches:
                    one.evaluation.add(network, batch.to(device))
                    work.advance()
            if isinstance(one.evaluation, SpeechEvaluation):
                _decode_again(one.evaluation, search, progress)
                if store_logits:
                    kept = stored_logits(one.evaluation, frame_seconds=_frame_seconds(network))
                    kept.write(folder / "logits" / f"{name}.npz")
                one.evaluation.logits.clear()  # the next set needs the memory
            results[name] = results.get(name, {}) | _finish(one.evaluation, network, folder)
            if isinstance(one.evaluation, SpeakerEvaluation) and normalise is not None:
                scores, trials = normalise(one.evaluation), one.evaluation.trials
                results[name + AS_NORM] = _keep(scores, trials, name + AS_NORM, folder)
    return results


def _decode_again(evaluation: SpeechEvaluation, search: Decode | None, progress: Progress) -> None:
    if search is None:
        return
    number = len(evaluation.logits)
    with progress.work(f"decoding {evaluation.name}", number, "utterances") as work:
        evaluation.reword(decode_all(search, evaluation.logits, on_text=work.advance))


def _finish(evaluation: Evaluation, network: nn.Module, folder: Path) -> dict[str, Any]:
    if isinstance(evaluation, SpeechEvaluation):
        path = folder / "hypotheses" / evaluation.name
        write_hypotheses(evaluation.hypotheses, path, frame_seconds=_frame_seconds(network))
        return speech_scores(evaluation.hypotheses)
    if isinstance(evaluation, SslEvaluation):
        _write_codes(evaluation, network, folder)
        return ssl_scores(evaluation)
    return _keep(evaluation.scores().numpy(), evaluation.trials, evaluation.name, folder)


def _keep(scores: NDArray[Any], trials: Trials, name: str, folder: Path) -> dict[str, Any]:
    """Write scored trials, and return their error rates."""
    listed = ScoreList(
        name=name,
        keys=tuple(zip(trials.enroll_keys, trials.test_keys, strict=True)),
        scores=scores,
        is_target=np.array(trials.is_target, dtype=np.bool_),
    )
    write_score_list(listed, folder / "scores" / f"{name}.txt")
    return speaker_scores(scores, trials)


def _frame_seconds(network: nn.Module) -> float:
    return _hop(network) / SAMPLE_RATE


def _hop(network: nn.Module) -> int:
    assert isinstance(network, SpeechSpeakerNetwork | PretrainingNetwork)
    return network.backbone.architecture.hop


def _write_codes(evaluation: SslEvaluation, network: nn.Module, folder: Path) -> None:
    """Write how the codebooks were used, and what was masked of the first utterance."""
    content = {"shares": evaluation.code_shares().tolist()}  # (G, V)
    path = folder / "codes" / f"{evaluation.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")
    batch = evaluation.example
    assert batch is not None
    wave = batch.waves[0, : batch.num_samples[0]].cpu().numpy()
    mask = batch.mask[0].cpu().numpy()  # of the longest utterance: not padded
    example = masked_utterance(batch.keys[0], wave, mask, hop=_hop(network))
    write_masked(example, folder / "masked" / f"{evaluation.name}.npz")
