"""Means of training values between two points of a curve, without waiting for the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class RunningMean:
    """Add tensors step by step; read their means as numbers once in a while.

    `latest` holds the last value of each name, still as a tensor, for progress bars.
    """

    def __init__(self) -> None:
        self.latest: dict[str, Tensor] = {}
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Count one more value of each name; gradients are left behind."""
        for name, value in values.items():
            value = value.detach().float()
            self.latest[name] = value
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] = self._counts.get(name, 0) + 1

    def state_dict(self) -> dict[str, Any]:
        """Return what was counted since the last flush, as plain numbers."""
        sums = {name: total.item() for name, total in self._sums.items()}
        return {"sums": sums, "counts": dict(self._counts)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on counting."""
        self._sums = {name: torch.tensor(total) for name, total in state["sums"].items()}
        self._counts = dict(state["counts"])

    def flush(self) -> dict[str, float]:
        """Return the means since the last flush and start over."""
        means = {name: total.item() / self._counts[name] for name, total in self._sums.items()}
        self._sums, self._counts = {}, {}
        return means
