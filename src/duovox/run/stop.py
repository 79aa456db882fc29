"""Stop a run that is told to: by SIGTERM, by SIGINT (Ctrl-C), or by a batch system before a limit.

Training heeds a first signal behind the step in hand, which is saved; anything else stops at once.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from duovox.run.environment import is_main_process
from duovox.run.slurm import is_preempted

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_LIMIT = signal.SIGUSR2  # submitit is warned of a limit by it; its handler then requeues the job
_ECHO_SECONDS = 1.0  # `timeout` sends its signal twice


class Stopped(SystemExit):
    """A run ends because it was told to, with the exit code that shells give for the signal.

    Other processes than the main one leave with 0: Lightning would kill all for another code.
    """

    def __init__(self, number: int, where: str) -> None:
        super().__init__(128 + number if is_main_process() else 0)
        name = signal.Signals(number).name
        self.sentence = f"stopped by {name} {where}; the same command goes on"


class StopSignal:
    """What a run has been told so far."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._told_at = 0.0
        self._is_deferred = False
        self._requeue = signal.getsignal(_LIMIT)

    @property
    def is_told(self) -> bool:
        """Whether a signal waits to be heeded."""
        return self._number is not None

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Listen for signals, in place of whoever listened before."""
        earlier = {number: signal.getsignal(number) for number in (*_SIGNALS, _LIMIT)}
        self.listen()
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def listen(self) -> None:
        """Take the signals back from whoever listens now, as Lightning does when it begins."""
        for number in _SIGNALS:
            signal.signal(number, self._hear)
        if callable(self._requeue):
            signal.signal(_LIMIT, self._hear)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Only note a first signal, for the block to heed; one that it has not ends the run."""
        self._is_deferred = True
        try:
            yield
        finally:
            self._is_deferred = False
        if self.is_told:
            self.leave("behind its training")

    def leave(self, where: str) -> NoReturn:
        """End the run.

        Raises:
            Stopped: always, unless submitit queues the job again and ends it in its own way, as it
                does behind a warning of a limit, and where the job is pre-empted.
        """
        if callable(self._requeue) and (self._number == _LIMIT or is_preempted()):
            self._requeue(_LIMIT, None)
        raise Stopped(self._number or signal.SIGTERM, where)  # None: another process was told

    def _hear(self, number: int, frame: FrameType | None) -> None:
        is_first, now = not self.is_told, time.monotonic()
        if not is_first and now - self._told_at < _ECHO_SECONDS:
            return
        self._number, self._told_at = number, now
        if not (self._is_deferred and is_first):
            self.leave("at once")
        if is_main_process():  # not by print, which the signal may have interrupted
            os.write(2, b"\ntold to stop: finishing the step; once more stops at once\n")
