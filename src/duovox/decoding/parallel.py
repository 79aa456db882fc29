"""Decode many utterances in several processes."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import torch
from torch import Tensor

Decode = Callable[[Tensor, Tensor], list[str]]  # logits (B, T, V), num_frames (B,)

# What the processes of a pool work on: they are forked, so that a language model of gigabytes is in
# memory once, and logits are not sent.
_work: tuple[Decode, Sequence[Tensor]] | None = None


def decode_all(
    decode: Decode,
    logits: Sequence[Tensor],
    *,
    num_processes: int | None = None,
    on_text: Callable[[], object] = lambda: None,
) -> list[str]:
    """Return the text of each utterance, in their order.

    Args:
        decode: any decoder.
        logits: (T, V) of each utterance, on the host.
        num_processes: None is one per core.
        on_text: called after each utterance.

    Raises:
        ValueError: a process was killed.
    """
    num_processes = min(num_processes or os.cpu_count() or 1, len(logits))
    if num_processes < 2:
        return [_told(_text(decode, one), on_text) for one in logits]
    global _work
    _work = (decode, logits)
    decode(torch.zeros(1, 1, logits[0].shape[-1]), torch.tensor([1]))  # loads the model, once
    try:
        with _forked(num_processes) as pool:
            return _collect(pool, logits, on_text)
    except BrokenProcessPool as error:
        raise ValueError(
            f"one of {num_processes} decoding processes was killed, perhaps for want of memory: "
            "use a smaller decoder.beam_size, or fewer processes"
        ) from error
    finally:
        _work = None


def _collect(
    pool: ProcessPoolExecutor, logits: Sequence[Tensor], on_text: Callable[[], object]
) -> list[str]:
    # The longest first, so that no process begins with it when the others are done.
    order = sorted(range(len(logits)), key=lambda place: -len(logits[place]))
    texts = [""] * len(logits)
    for place, text in zip(order, pool.map(_text_at, order), strict=True):
        texts[place] = _told(text, on_text)
    return texts


def _forked(num_processes: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(num_processes, mp_context=context, initializer=_begin)
    with warnings.catch_warnings():
        # Of threads that a fork leaves behind: the new processes never wait for one.
        warnings.simplefilter("ignore", DeprecationWarning)
        pool.submit(int).result()  # all processes are forked here
    return pool


def _begin() -> None:
    """Keep a new process to one thread: those of the first process are not there."""
    torch.set_num_threads(1)


def _text_at(place: int) -> str:
    assert _work is not None
    decode, logits = _work
    return _text(decode, logits[place])


def _text(decode: Decode, logits: Tensor) -> str:
    return decode(logits[None], torch.tensor([len(logits)]))[0]


def _told(text: str, on_text: Callable[[], object]) -> str:
    on_text()
    return text
