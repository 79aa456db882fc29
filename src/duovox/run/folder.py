"""Where a run lives: `<log_folder>/<project>/<experiment>/<run>/`.

`<run>` is a hash of the settings that shape the weights, so the same command finds its folder again
and goes on where it stopped, with the present circumstances.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from duovox.run.decoder import training_decoder
from duovox.run.environment import is_main_process

# Settings that can't change the trained weights, and why.
CIRCUMSTANCES = {
    "data_folder": "the data sets are named in data",
    "log_folder": "where runs are kept",
    "temp_folder": "where copies are kept",
    "use_wandb": "a logger only listens",
    "use_tensorboard": "a logger only listens",
    "gpus": "one gives what the CPU gives, up to rounding; several are another run, see below",
    "fit_model": "what is done now with the run",
    "eval_model": "what is done now with the run",
    "resume": "what is done now with the run",
    "tag": "a label",
    "experiment_name": "a folder by itself",
    "trainer.log_every_n_steps": "curves are read off, nothing is drawn for them",
    "optim.loss.log_task_gradients": "curves are read off, beside the gradient of the total",
    "trainer.num_threads": "sums are the same up to rounding, as on another machine",
    "callbacks.save_every_minutes": "a checkpoint is read off, and gone on from exactly",
    "speech.dataloader.num_workers": "batch n is the same whoever computes it",
    "speech.dataloader.pin_memory": "where a batch lies in memory",
    "speech.dataloader.val_batch_size": "a length-aware network hears each utterance by itself",
    "speech.dataloader.val_max_num_samples": "a length-aware network hears each by itself",
    "speech.dataloader.test_batch_size": "tests come after training",
    "speech.dataloader.test_max_num_samples": "tests come after training",
    "speaker.dataloader.num_workers": "batch n is the same whoever computes it",
    "speaker.dataloader.pin_memory": "where a batch lies in memory",
    "speaker.dataloader.val_batch_size": "a length-aware network hears each utterance by itself",
    "speaker.dataloader.test_batch_size": "tests come after training",
    "speaker.scoring.as_norm_utterances": "tests come after training",
    "speaker.scoring.as_norm_nearest": "tests come after training",
    "ssl.dataloader.num_workers": "batch n is the same whoever computes it",
    "ssl.dataloader.pin_memory": "where a batch lies in memory",
}

_ADJECTIVES = ["amber", "brave", "calm", "clear", "deep", "gentle", "golden", "keen"]
_ADJECTIVES += ["lively", "mild", "quick", "quiet", "silver", "steady", "swift", "warm"]
_NOUNS = ["accent", "cadence", "chord", "dialect", "echo", "formant", "larynx", "melody"]
_NOUNS += ["octave", "phoneme", "pitch", "rhythm", "syllable", "timbre", "vowel", "whisper"]


def run_name(config: dict[str, Any]) -> str:
    """Return twelve hexadecimal digits, the same for the same settings."""
    shaping = _without_circumstances(config)
    if not config.get("run_lr_range_test"):  # a range test is a run by itself
        shaping.pop("run_lr_range_test", None)
        shaping.pop("lr_range_iterations", None)
    for name in ("data", "load_network_from_checkpoint"):
        shaping[name] = _spelt_alike(shaping.get(name))
    if config.get("decoder"):  # validations within training ask no language model
        shaping["decoder"] = training_decoder(config["decoder"])
    if config.get("gpus", 0) > 1:  # each brings its own batches to a step
        shaping["gpus"] = config["gpus"]
    text = json.dumps(shaping, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def experiment_name(config: dict[str, Any]) -> str:
    """Return the given name, or an adjective-noun-digit drawn from the settings."""
    if config.get("experiment_name"):
        return str(config["experiment_name"])
    number = int(run_name(config), 16)
    number, adjective = divmod(number, len(_ADJECTIVES))
    number, noun = divmod(number, len(_NOUNS))
    return f"{_ADJECTIVES[adjective]}-{_NOUNS[noun]}-{number % 10}"


def run_folder(config: dict[str, Any]) -> Path:
    """Return where a run of these settings lives."""
    names = (str(config["project_name"]), experiment_name(config), run_name(config))
    return Path(config["log_folder"]).expanduser().resolve().joinpath(*names)


def open_run_folder(folder: Path, *, resume: bool) -> None:
    """Make the folder of a run if need be; only the main process does.

    With `resume=False` an earlier run of the same settings is kept beside it, under `<run>.<n>`.
    """
    if not is_main_process():
        return
    if folder.exists() and not resume:
        number = 1
        while folder.with_name(f"{folder.name}.{number}").exists():
            number += 1
        folder.rename(folder.with_name(f"{folder.name}.{number}"))
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)


def _without_circumstances(group: dict[str, Any], place: str = "") -> dict[str, Any]:
    shaping: dict[str, Any] = {}
    for key, value in group.items():
        if f"{place}{key}" in CIRCUMSTANCES:
            continue
        if not isinstance(value, dict):
            shaping[key] = value
            continue
        inner = _without_circumstances(value, f"{place}{key}.")
        if inner or not value:  # a group of circumstances alone is one itself
            shaping[key] = inner
    return shaping


def _spelt_alike(node: Any) -> Any:
    """Return a tree of paths as each is spelt without a slash too many; addresses stay."""
    if isinstance(node, dict):
        return {key: _spelt_alike(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_spelt_alike(value) for value in node]
    is_path = isinstance(node, str) and "://" not in node
    return str(Path(node).expanduser()) if is_path else node
