"""What a loader's worker process is told at its start."""

from __future__ import annotations

import os
import signal
import sys
from threading import Thread


def init_worker(worker_id: int) -> None:
    """Put the run's main process first: for signals, and for the processor.

    On few cores each thread of a step waits for the others, so a worker that takes one core's turn
    would stop them all; batches are ready ahead of time.
    """
    leave_signals_to_main(worker_id)
    if hasattr(os, "nice"):  # not on Windows
        os.nice(10)


def leave_signals_to_main(worker_id: int) -> None:
    """Let only the main process end this worker, whose batches it needs to finish its step.

    Terminals, batch systems and containers send a signal to all processes of a run at once.
    """
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":  # which tells who sent a signal
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        Thread(target=_obey_main, daemon=True).start()


def _obey_main() -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass
    os._exit(0)  # as torch's own handler does
