"""The surroundings of a run: variables from .env, and a record of versions and hardware."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from duovox.data.atomic import write_whole

_PACKAGES = ("duovox", "torch", "torchaudio", "lightning", "numpy", "speechbrain", "webdataset")


def load_environment(folder: Path) -> None:
    """Take variables from `<folder>/.env`; those already set stay as they are."""
    from dotenv import load_dotenv

    load_dotenv(folder / ".env")


def is_main_process() -> bool:
    """Tell whether this process writes the files: the first of those that train together."""
    return all(int(os.environ.get(name, 0)) == 0 for name in ("LOCAL_RANK", "RANK", "SLURM_PROCID"))


def write_environment(path: Path) -> None:
    """Write what a reader needs to judge or repeat a run: versions, hardware, commit, command."""
    import torch

    record = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: version(name) for name in _PACKAGES},
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "processor": processor_name(),
        "cpu_threads": torch.get_num_threads(),
        "git_commit": _git_commit(),
    }
    write_whole(path, json.dumps(record, indent=2) + "\n")


def processor_name() -> str:
    """Return the name of the processor, as far as the system knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # no Linux
        return platform.processor() or platform.machine()
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _git_commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None  # not a checkout
