"""Stop a run at a signal: SIGTERM, SIGINT (Ctrl-C), SIGHUP, or a batch system's before a limit.

Training obeys a first signal after the current step, which is saved; anything else stops at once.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from duovox.run.environment import is_main_process
from duovox.run.slurm import is_preempted

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_HANGUP = signal.SIGHUP  # the terminal or the ssh connection is closed; nohup ignores it
_LIMIT = signal.SIGUSR2  # submitit is warned of a limit by it; its handler then requeues the job
_ECHO_SECONDS = 1.0  # `timeout` sends its signal twice


class Stopped(SystemExit):
    """A run ends at a signal, with the exit code that shells give for it.

    Other processes than the main one leave with 0: Lightning would kill all for another code.
    """

    def __init__(self, number: int, sentence: str) -> None:
        super().__init__(128 + number if is_main_process() else 0)
        self.sentence = sentence


class StopSignal:
    """The signals a run has received so far.

    `sentence` says why the run ends; it is empty until then.
    """

    def __init__(self) -> None:
        self.sentence = ""
        self._number: int | None = None
        self._told_at = 0.0
        self._is_deferred = False
        self._requeue = signal.getsignal(_LIMIT)
        is_ignored = signal.getsignal(_HANGUP) == signal.SIG_IGN
        self._signals = _SIGNALS if is_ignored else (*_SIGNALS, _HANGUP)

    @property
    def is_told(self) -> bool:
        """Whether a signal waits to be heeded."""
        return self._number is not None

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Listen for signals, in place of whoever listened before."""
        earlier = {number: signal.getsignal(number) for number in (*self._signals, _LIMIT)}
        self.listen()
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def listen(self) -> None:
        """Take the signals back from whoever listens now, as Lightning does when it begins."""
        for number in self._signals:
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
            self.leave("stopped after training")

    def leave(self, what: str) -> NoReturn:
        """End the run.

        Args:
            what: the beginning of the sentence, such as "training stopped after step 12 of 150".

        Raises:
            Stopped: always, unless submitit queues the job again and ends it in its own way, as it
                does after a warning of a limit, and where the job is pre-empted.
        """
        is_job_preempted = is_preempted()
        self.sentence = f"{what} by {self._cause(is_job_preempted)}; the same command resumes"
        if callable(self._requeue) and (self._number == _LIMIT or is_job_preempted):
            self._requeue(_LIMIT, None)
        raise Stopped(self._number or signal.SIGTERM, self.sentence)

    def _cause(self, is_job_preempted: bool) -> str:
        if self._number is None:
            return "a signal to another of its processes"
        name = signal.Signals(self._number).name
        if is_job_preempted:
            return f"{name} (its job is pre-empted)"
        return f"{name} (the time limit of its job)" if self._number == _LIMIT else name

    def _hear(self, number: int, frame: FrameType | None) -> None:
        is_first, now = not self.is_told, time.monotonic()
        if not is_first and now - self._told_at < _ECHO_SECONDS:
            return
        self._number, self._told_at = number, now
        if not (self._is_deferred and is_first):
            self.leave("stopped at once")
        if is_main_process():  # not by print, which the signal may have interrupted
            with suppress(OSError):  # the terminal may be gone
                os.write(2, b"\ntold to stop: finishing the step; once more stops at once\n")
