"""duovox: multi-task speech and speaker learning with wav2vec 2.0.

    model = duovox.load("logs/demo/multi-task/0123456789ab")
    model.transcribe(["a.flac"])          # what is said
    model.verify("a.flac", "b.wav")       # who says it

Rooms (`duovox.metric.eer`, `duovox.network.wav2vec2.pretrained`, ...) and everything heavy are
imported on first use.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duovox.run.model import Model, load

__all__ = ["Model", "load"]

_ROOMS = ("audio", "batch", "data", "decoding", "loss", "metric", "network", "optim", "run", "task")


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("duovox.run.model"), name)
    if name in _ROOMS:
        room = importlib.import_module(f"duovox.{name}")
        for module in pkgutil.walk_packages(getattr(room, "__path__", []), f"duovox.{name}."):
            importlib.import_module(module.name)
        return room
    raise AttributeError(f"module 'duovox' has no attribute {name!r}")
