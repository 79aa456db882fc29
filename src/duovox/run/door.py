"""What happens at the door, before and around a run: variables from .env, and clear errors."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import OmegaConf

from duovox.run.environment import load_environment
from duovox.run.launcher import launcher_advice
from duovox.run.output import outlive_terminal
from duovox.run.sentence import sentence
from duovox.run.stop import Stopped


@contextmanager
def at_the_door(script: str, config_name: str) -> Iterator[None]:
    """Load .env from the script's folder; show a user's error as a sentence, not a traceback.

    So is a run that was told to stop, which keeps its exit code.

    DUOVOX_DEBUG=1 shows the traceback as well.
    """
    outlive_terminal()
    folder = Path(script).resolve().parent
    load_environment(folder)
    register_tasks()
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # let errors come through to this place
    try:
        with launcher_advice():
            yield
    except Stopped as stopped:
        if stopped.code:
            print(f"{sys.argv[0]}: {stopped.sentence}", file=sys.stderr)
        raise
    except (HydraException, ValueError, OSError) as error:
        if os.environ.get("DUOVOX_DEBUG"):
            raise
        message = sentence(error)
        hint = _hint(message, folder / "config", config_name, sys.argv[1:])
        print(f"{sys.argv[0]}: {message}{hint}", file=sys.stderr)
        raise SystemExit(1) from None


def register_tasks() -> None:
    """Let launchers say `${tasks:${gpus}}`: a task per GPU, and one without GPUs."""
    OmegaConf.register_new_resolver("tasks", lambda num_gpus: max(num_gpus, 1), replace=True)


def _hint(message: str, config_folder: Path, config_name: str, arguments: Sequence[str]) -> str:
    """Return which settings there are, where Hydra only says that one is not there."""
    match = re.search(r"Could not override '([^']+)'", message)
    if match is None:
        return ""
    key = match.group(1)
    others = [a for a in arguments if not a.startswith("-") and not a.lstrip("+~").startswith(key)]
    node = _composed(config_folder, config_name, others)
    known: list[str] = []
    *parents, last = names = re.split(r"[./]", key)
    for parent in parents:
        if parent not in node:
            break
        node = node[parent]
        known.append(parent)
    if len(known) == len(parents) and last in node:  # the key is there: what it got has new entries
        entries = ", ".join(map(str, node[last])) or "nothing"
        return (
            f"\n{key} holds {entries}. A value in braces changes what is there; "
            f"+{key}.NAME=... adds an entry, ~{key}.NAME takes one away"
        )
    valid = sorted(map(str, node))
    near = difflib.get_close_matches(names[len(known)], valid, n=1)
    place = ".".join(known)
    guess = f"\nDid you mean {'.'.join([*known, near[0]])}?" if near else ""
    return f"{guess}\nValid {f'in {place}' if place else 'at the top'}: {', '.join(valid)}"


def _composed(config_folder: Path, config_name: str, arguments: Sequence[str]) -> Any:
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(config_folder), version_base="1.3"):
            return compose(config_name, list(arguments))
    except HydraException:
        return {}
