"""Where a run lives: `<log_folder>/<project>/<experiment>/<run>/`.

`<run>` is a hash of the settings that shape the result, so the same command finds its folder again
and goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from duovox.run.environment import is_main_process

# Where and when a run happens, not what it does.
CIRCUMSTANCES = frozenset(
    {
        "data_folder",
        "log_folder",
        "temp_folder",
        "use_wandb",
        "use_tensorboard",
        "gpus",
        "fit_model",
        "eval_model",
        "resume",
        "tag",
        "experiment_name",
    }
)

_ADJECTIVES = ["amber", "brave", "calm", "clear", "deep", "gentle", "golden", "keen"]
_ADJECTIVES += ["lively", "mild", "quick", "quiet", "silver", "steady", "swift", "warm"]
_NOUNS = ["accent", "cadence", "chord", "dialect", "echo", "formant", "larynx", "melody"]
_NOUNS += ["octave", "phoneme", "pitch", "rhythm", "syllable", "timbre", "vowel", "whisper"]


def run_name(config: dict[str, Any]) -> str:
    """Return twelve hexadecimal digits, the same for the same settings."""
    shaping = {key: value for key, value in config.items() if key not in CIRCUMSTANCES}
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
