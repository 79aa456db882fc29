"""Score a finished run on any data: what `duovox evaluate` does."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from duovox.data.atomic import write_whole
from duovox.data.dataset.index import Index
from duovox.data.dataset.summary import DATASET_FILE
from duovox.data.loader import evaluation_loader
from duovox.data.plan.batching import Batching
from duovox.data.source.speaker import SpeakerSource
from duovox.data.source.speech import SpeechSource
from duovox.data.tokenizer import Tokenizer
from duovox.loss.cross_entropy import CrossEntropyLoss
from duovox.loss.ctc import CtcLoss
from duovox.run.decoder import build_decoder, build_search, training_decoder
from duovox.run.device import device_of
from duovox.run.earlier_results import METRICS_FILE, check_earlier_results
from duovox.run.evaluate import EvaluationSet, evaluate
from duovox.run.loader_worker import worker_advice
from duovox.run.read import read
from duovox.run.sample import draw, length_limits, warn_of_heard
from duovox.run.settings import Option, SpeechPipeline
from duovox.run.speaker_data import chunk_rule, resolve_trials
from duovox.run.speaker_settings import SpeakerPipeline
from duovox.run.speech_settings import SpeechData
from duovox.run.weights import CONFIG_FILE, ModelCard, load_network
from duovox.task.evaluation import SpeakerEvaluation, SpeechEvaluation
from duovox.task.speaker import SpeakerTask
from duovox.task.speech import SpeechTask


def evaluate_again(
    run_folder: Path,
    data_folder: Path,
    *,
    trials: Path | None = None,
    name: str | None = None,
    batch_size: int = 8,
    num_workers: int = 1,
    device: str = "cpu",
    decoder: Option | None = None,
    store_logits: bool = False,
) -> tuple[dict[str, Any], Path]:
    """Score the best checkpoint of a run on a dataset folder; return the metrics and their folder.

    Words are scored when the run has learnt words and the utterances have transcripts, speakers
    when a trial list is given; a warning tells of words that were learnt from. Results lie in
    `<run>/evaluations/<name>/`; nothing in the run is overwritten.

    Args:
        name: Of the results' folder; by default that of the data, as the set in it is always named.
        num_workers: Processes that read audio; 0: this one.
        decoder: In place of the run's.
        store_logits: Write `logits/<set>.npz`, to be decoded again without the network.

    Raises:
        ValueError: the name is no plain name or taken by other data or another decoder, there is
            nothing to score, the data can't be read, trials lack audio, their speakers were trained
            on, or there is no such device.
    """
    place = device_of(device)
    data_folder = data_folder.resolve()
    folder = _results_folder(run_folder, name or data_folder.name)
    network, card = load_network(run_folder)
    card = replace(card, decoder=decoder or card.decoder)
    origin: dict[str, Any] = {"data_folder": str(data_folder)}
    if card.vocabulary is not None:
        origin["decoder"] = card.decoder
    check_earlier_results(folder, origin, change="give these another name (--name)")
    search = build_search(card.decoder, card.vocabulary)
    index = Index.load([data_folder])
    sets = []
    if card.vocabulary is not None and any(index.transcript):
        sets.append(_speech_set(index, card, data_folder.name, batch_size, num_workers))
    if trials is not None:
        sets.append(_speaker_set(run_folder, index, card, trials, batch_size, num_workers))
    if not sets:
        raise _nothing_to_score(run_folder, data_folder, card)
    if card.vocabulary is not None:
        _say_what_was_heard(run_folder, index, card, data_folder.name)
    with worker_advice({"--workers ": num_workers}):
        results = evaluate(
            network,
            sets,
            device=place,
            folder=folder,
            stream=sys.stderr,
            search=search,
            store_logits=store_logits,
        )
    metrics = {"test": results} | origin
    write_whole(folder / METRICS_FILE, json.dumps(metrics, indent=2) + "\n")
    return metrics, folder


def _nothing_to_score(run_folder: Path, data_folder: Path, card: ModelCard) -> ValueError:
    learnt, lack = "speakers only", "needs a trial list (--trials)"
    if card.vocabulary:
        learnt, lack = "words", "has no transcripts"
    return ValueError(
        f"nothing to score: {run_folder} has learnt {learnt}, and {data_folder} {lack}"
    )


def _results_folder(run_folder: Path, name: str) -> Path:
    """Return the folder of the results, unless it is elsewhere."""
    if name in {"", ".", ".."} or set(name) & set("/\\\0"):
        raise ValueError(
            f"the results' name must be a plain name without slashes, got {name!r}; change --name"
        )
    return run_folder / "evaluations" / name


def _say_what_was_heard(run_folder: Path, index: Index, card: ModelCard, name: str) -> None:
    """Warn of utterances that the run was trained on, where its training data is still there."""
    if not (run_folder / CONFIG_FILE).is_file():  # a conversion, which forgets the data
        return
    config = _config(run_folder)
    data = read(SpeechData, config["data"]["speech"], path="data.speech")
    folders = [Path(folder).expanduser() for folder in data.train]
    if all((folder / DATASET_FILE).is_file() for folder in folders):
        pipeline = read(SpeechPipeline, config["speech"]["pipeline"], path="speech.pipeline")
        training = draw(Index.load(folders), data.sample, length_limits(pipeline, card.frames))
        warn_of_heard(index, training, name=name)


def _config(run_folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((run_folder / CONFIG_FILE).read_text("utf-8"))
    return config


def _speech_set(
    index: Index, card: ModelCard, name: str, batch_size: int, num_workers: int
) -> EvaluationSet:
    assert card.vocabulary is not None
    source = SpeechSource.for_evaluation(
        index,
        Tokenizer(card.vocabulary),
        batching=Batching(batch_size=batch_size),
        normalize="chunk" if card.normalizes["speech"] else "none",
        unknown_characters="drop",
        frames=card.frames,
    )
    task = SpeechTask(
        ctc=CtcLoss(blank=card.blank),
        decode=build_decoder(training_decoder(card.decoder), card.vocabulary),
        vocabulary=card.vocabulary,
    )
    return EvaluationSet(
        evaluation=SpeechEvaluation(name=name, task=task),
        batches=evaluation_loader(source, num_workers=num_workers),
        num_batches=source.num_batches,
    )


def _speaker_set(
    run_folder: Path,
    index: Index,
    card: ModelCard,
    trials: Path,
    batch_size: int,
    num_workers: int,
) -> EvaluationSet:
    if card.speakers is None:
        raise ValueError("this run has learnt words only, so it can't score a trial list")
    plain = _config(run_folder)["speaker"]["pipeline"]
    pipeline = read(SpeakerPipeline, plain, path="speaker.pipeline")
    source = SpeakerSource.for_evaluation(
        index,
        card.speakers,
        batching=Batching(batch_size=batch_size),
        chunk_samples=chunk_rule(pipeline.selector_test).num_samples,
        normalize=pipeline.normalize,
        frames=card.frames,
    )
    evaluation = SpeakerEvaluation(
        name=trials.stem,
        task=SpeakerTask(classification=CrossEntropyLoss()),
        trials=resolve_trials(trials, index, name=trials.stem, training_speakers=card.speakers),
    )
    return EvaluationSet(
        evaluation=evaluation,
        batches=evaluation_loader(source, num_workers=num_workers),
        num_batches=source.num_batches,
    )
