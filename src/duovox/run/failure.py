"""What a run that fails leaves in its folder: when, and why in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from duovox.data.atomic import write_whole
from duovox.run.environment import is_main_process
from duovox.run.sentence import sentence
from duovox.run.weights import CONFIG_FILE

FAILURE_FILE = "error.txt"  # first line: the time; the rest: the sentence


@contextmanager
def failure_noted(folder: Path, plain: dict[str, Any]) -> Iterator[None]:
    """Write error.txt when the block fails, in place of an earlier attempt's.

    A run that was told to stop has not failed. Of processes that train together the first to fail
    writes: it knows the cause, the others only that it is gone. Where not even config.yaml was
    written yet, that is too: it tells whose error it is.
    """
    path = folder / FAILURE_FILE
    if is_main_process():
        path.unlink(missing_ok=True)
    try:
        yield
    except Exception as error:
        with suppress(OSError, ValueError):  # on a full disk the error itself is told all the same
            if not path.exists():
                write_whole(path, failure_text(error))
            if not (folder / CONFIG_FILE).exists():
                text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
                write_whole(folder / CONFIG_FILE, text)
        raise


def failure_text(error: Exception) -> str:
    """Return the time and the sentence."""
    return f"{datetime.now(UTC).isoformat(timespec='seconds')}\n{failure_sentence(error)}\n"


def read_failure(text: str) -> tuple[str, str]:
    """Return the time (ISO 8601) and the sentence, in one line, that error.txt holds."""
    time, _, error = text.partition("\n")
    return time, " ".join(error.split())


def failure_sentence(error: BaseException) -> str:
    """Return what an error says; one that is no user's is named by its kind too."""
    text = sentence(error) or "no reason was given"
    kind = "" if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: "
    return f"{kind}{text}"
