"""One run, from settings to scores: what the doors call."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import yaml
from omegaconf import DictConfig
from rich.console import Console

from duovox.data.atomic import write_whole
from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.wav2vec2.format.own import checkpoint_of
from duovox.network.wav2vec2.pretraining import PretrainingNetwork
from duovox.run.build import read_settings
from duovox.run.changed import changed_settings
from duovox.run.cohort import Cohort
from duovox.run.continued import find_run_folder
from duovox.run.cpu import tune_for_training, use_threads
from duovox.run.data import Source
from duovox.run.decoder import build_search, training_decoder
from duovox.run.device import check_gpus
from duovox.run.distributed import told_of_lost_processes
from duovox.run.ending import ending_noted
from duovox.run.environment import is_main_process, write_environment
from duovox.run.evaluate import EvaluationSet, evaluate
from duovox.run.failure import failure_noted
from duovox.run.finished import METRICS_FILE, TRAINING_FILE, is_trained, objective, scored_before
from duovox.run.flops import TrainingFlops
from duovox.run.folder import open_run_folder
from duovox.run.joint import training_sources
from duovox.run.left_out import check_left_out, write_left_out
from duovox.run.loader_worker import worker_advice, workers_of
from duovox.run.lock import alone_in
from duovox.run.log import make_loggers
from duovox.run.lr_range import sweep_rates, tell
from duovox.run.memory import memory_advice
from duovox.run.network import build_network, compile_layers, sizes_of
from duovox.run.precision import training_precision
from duovox.run.pretraining import SslSets, build_pretraining_network
from duovox.run.progress import TrainingProgress
from duovox.run.quiet import quieten
from duovox.run.sets import build_sets, normalizes
from duovox.run.settings import Settings
from duovox.run.speaker_data import SpeakerSets
from duovox.run.speech_data import SpeechSets
from duovox.run.stop import StopSignal
from duovox.run.trainer import build_trainer, check_monitors
from duovox.run.training import build_module, build_tasks
from duovox.run.training_data import build_training_data
from duovox.run.weights import ModelCard, checkpoint_to_resume, load_weights
from duovox.task.summary import measured

LEFT_OUT_FILE = "left_out.jsonl"

AnyNetwork = SpeechSpeakerNetwork | PretrainingNetwork


def run(config: DictConfig) -> float | None:
    """Train, score and report one network; return the validation number that sweeps minimise.

    The number is the word error rate, the equal error rate, or their sum where both are measured,
    and of pre-training the loss, each a mean over the validation sets. It never comes from a test
    set.
    """
    quieten()
    settings, plain = read_settings(config)
    check_gpus(settings.gpus)
    folder = find_run_folder(plain)
    stop = StopSignal()
    with stop.heard(), alone_in(folder):
        open_run_folder(folder, resume=settings.resume)
        with failure_noted(folder, plain):
            may_be_done = settings.resume and settings.fit_model and settings.eval_model
            if may_be_done and (metrics := scored_before(folder, plain)) is not None:
                return _show_again(metrics, folder)
            with worker_advice(workers_of(settings)):
                return Run(settings, folder, plain, stop).go()


def _show_again(metrics: dict[str, Any], folder: Path) -> float:
    from duovox.run.report import print_results, report_of

    console = Console(soft_wrap=True, markup=False)
    console.print(f"already trained and scored: {folder}; resume=false does it anew")
    print_results(metrics, report_of(folder), console)
    return objective(metrics)


class Run:
    """One run in its folder.

    Args:
        plain: the settings as plain data, for config.yaml and the loggers.
        stop: tells when to stop.
    """

    def __init__(
        self, settings: Settings, folder: Path, plain: dict[str, Any], stop: StopSignal
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.plain = plain
        self.stop = stop
        self.console = Console(soft_wrap=True, markup=False)  # names may hold brackets
        self.sets = build_sets(settings)
        speech, speaker = self.sets.get("speech"), self.sets.get("speaker")
        self.card = ModelCard(
            vocabulary=speech.vocabulary if isinstance(speech, SpeechSets) else None,
            speakers=speaker.classes if isinstance(speaker, SpeakerSets) else None,
            architecture={},
            normalizes=normalizes(settings),
            blank=settings.optim.loss.ctc_blank_idx,
            decoder=settings.decoder,
        )
        self.search = build_search(self.card.decoder, self.card.vocabulary)
        self.tasks = build_tasks(
            settings.optim.loss,
            vocabulary=self.card.vocabulary,
            decoder=training_decoder(self.card.decoder),
            has_speakers=self.card.speakers is not None,
            objective=settings.network.ssl_cfg if "ssl" in self.sets else None,
        )

    def go(self) -> float | None:
        """Train, score, report."""
        self.console.print(f"run folder: {self.folder}")
        if self.settings.gpus == 0:
            tune_for_training()
        num_threads = use_threads(self.settings.trainer.num_threads)
        self.console.print(f"threads: {num_threads}")
        kinds = ("validation", "test") if self.settings.eval_model else ("validation",)
        sets = {kind: self._evaluation_sets(kind) for kind in kinds}  # before hours of training
        network = self._network()
        if self.settings.run_lr_range_test:
            self._sweep(network, sets)
            return None
        if self.settings.fit_model:
            self._fit(network, sets)
        if not (self.settings.eval_model and is_main_process()):
            return None
        from duovox.run.report import print_results, write_report

        metrics = self._score(network, sets)
        print_results(metrics, write_report(self.folder), self.console)
        return objective(metrics)

    def _network(self) -> AnyNetwork:
        torch.manual_seed(self.settings.seed)  # of the initial weights
        network = self._new_network()
        if self.settings.load_network_from_checkpoint is not None:
            source = Path(self.settings.load_network_from_checkpoint).expanduser()
            heard = self.card.speakers if self.settings.network.use_speaker_head else None
            note = load_weights(network, source, vocabulary=self.card.vocabulary, speakers=heard)
            if note:
                self.console.print(note)
        card = replace(self.card, architecture=sizes_of(network))
        card.check_continues(self.folder)
        if is_main_process():
            text = yaml.safe_dump(self.plain, sort_keys=False, allow_unicode=True)
            for changed in changed_settings(self.folder / "config.yaml", text):
                self.console.print(f"changed since this run was last started: {changed}")
            write_whole(self.folder / "config.yaml", text)
            write_environment(self.folder / "environment.json")
            card.write(self.folder)
        return network

    def _new_network(self) -> AnyNetwork:
        card, ssl = self.card, self.sets.get("ssl")
        if isinstance(ssl, SslSets):
            return build_pretraining_network(self.settings.network, ssl.objective)
        return build_network(
            self.settings.network,
            vocabulary_size=len(card.vocabulary) if card.vocabulary else None,
            num_speakers=len(card.speakers) if card.speakers else None,
            blank=card.blank,
            normalizes=all(card.normalizes.values()),
        )

    def _fit(self, network: AnyNetwork, sets: Mapping[str, list[EvaluationSet]]) -> None:
        settings = self.settings
        if settings.resume and is_trained(self.folder):
            self.console.print("this run is already trained; resume=false trains it anew")
            return
        sources, validation = self._sources(sets), sets["validation"]
        check_monitors(settings.callbacks, measured([one.evaluation for one in validation]))
        module = build_module(settings, network, self.tasks)
        module.validation = [one.evaluation for one in validation]
        loggers = make_loggers(
            self.folder,
            self.plain,
            use_tensorboard=settings.use_tensorboard,
            use_wandb=settings.use_wandb,
        )
        # Without resume: this process may look before the main one has put an earlier run aside.
        last = checkpoint_to_resume(self.folder, module) if settings.resume else None
        precision = training_precision(settings, last)
        observers = [precision, TrainingProgress(settings), TrainingFlops()]
        trainer = build_trainer(
            settings, self.folder, loggers=loggers, observers=observers, stop=self.stop
        )
        if settings.trainer.compile:
            compile_layers(network)
        data = build_training_data(settings, sources, validation)
        with (
            self.stop.deferred(),
            ending_noted(self.folder, trainer, settings.trainer, observers, stop=self.stop),
            memory_advice(settings),
            told_of_lost_processes(),
        ):
            trainer.fit(module, datamodule=data, ckpt_path=last, weights_only=True)

    def _sources(self, sets: Mapping[str, list[EvaluationSet]]) -> dict[str, Source]:
        speech, listed = self.sets.get("speech"), self.folder / LEFT_OUT_FILE
        if isinstance(speech, SpeechSets):
            speech.check_unheard(sets)
        sources = training_sources(self.sets, is_joint=self.settings.data.batches == "joint")
        for task, source in sources.items():
            self.console.print(_describe(task, source))
        if is_main_process():
            write_left_out(listed, sources)
        check_left_out(sources, self.settings.callbacks, listed=listed)
        return sources

    def _sweep(self, network: AnyNetwork, sets: Mapping[str, list[EvaluationSet]]) -> None:
        settings = self.settings
        data = build_training_data(settings, self._sources(sets), [])
        module = build_module(settings, network, self.tasks)
        if settings.trainer.compile:
            compile_layers(network)
        with memory_advice(settings):
            rate = sweep_rates(settings, module, data, folder=self.folder, stop=self.stop)
        self.console.print(tell(rate, self.folder))

    def _score(
        self, network: AnyNetwork, sets: Mapping[str, list[EvaluationSet]]
    ) -> dict[str, Any]:
        is_trained = any((self.folder / "checkpoints").glob("*.ckpt"))
        if is_trained or self.settings.load_network_from_checkpoint is None:
            load_weights(network, checkpoint_of(self.folder))
        device = torch.device("cuda" if self.settings.gpus else "cpu")
        metrics: dict[str, Any] = {
            kind: evaluate(
                network,
                sets[kind],
                device=device,
                folder=folder,
                stream=sys.stdout,
                cohort=cohort,
                search=self.search,
            )
            for kind, folder, cohort in (
                ("validation", self.folder / "validation", None),
                ("test", self.folder, self._cohort()),
            )
        }
        training = self.folder / TRAINING_FILE
        if training.is_file():
            metrics["training"] = json.loads(training.read_text(encoding="utf-8"))
        if self.card.vocabulary is not None:
            metrics["decoder"] = self.card.decoder
        _write_json(self.folder / METRICS_FILE, metrics)
        return metrics

    def _cohort(self) -> Cohort | None:
        speaker = self.sets.get("speaker")
        return speaker.cohort() if isinstance(speaker, SpeakerSets) else None

    def _evaluation_sets(self, kind: str) -> list[EvaluationSet]:
        chosen: list[EvaluationSet] = []
        for name, one in self.sets.items():
            make_sets: Any = one.validation if kind == "validation" else one.test
            chosen += make_sets(self.tasks[name])
        return chosen


def _describe(task: str, source: Source) -> str:
    text = f"{task}: {source.num_utterances} training utterances, {source.num_batches} batches"
    left_out = ", ".join(f"{len(keys)} {cause}" for cause, keys in source.dropped.items())
    return f"{text}; left out: {left_out} (see {LEFT_OUT_FILE})" if left_out else text


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_whole(path, json.dumps(content, indent=2) + "\n")
