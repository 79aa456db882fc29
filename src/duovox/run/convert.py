"""Carry weights from one format into another: what `duovox convert` does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

import torch

from duovox.data.atomic import write_whole
from duovox.network.wav2vec2 import pretrained
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.format import fairseq_file, huggingface_folder, own
from duovox.network.wav2vec2.format.checkpoint import HEAD, Checkpoint
from duovox.network.wav2vec2.format.vocabulary import read_vocabulary
from duovox.run.compare import largest_differences

Format = Literal["duovox", "huggingface", "fairseq"]

DICTIONARY = "dict.ltr.txt"  # of fairseq


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """What became of a checkpoint."""

    checkpoint: Checkpoint
    lost: tuple[str, ...]  # settings of the architecture that the new format has no place for
    differences: dict[str, float]  # largest, by kind of output, on fixed audio


def convert(
    source: str | Path,
    target: Path,
    *,
    to: Format,
    trust: bool = False,
    vocabulary: Path | None = None,
) -> Conversion:
    """Write the weights of `source`, whatever its format, to `target` in the format `to`.

    What was written is read again: every weight must be the same to the bit, and what both networks
    make of fixed audio is compared. Only then does it take its name.

    Args:
        target: a file for fairseq, a folder for the others; it must not exist.
        trust: read a pickle that names code, and leave the code out.
        vocabulary: the symbols of a CTC head whose checkpoint does not hold them.

    Raises:
        ValueError: the source can't be read, the target exists, symbols are missing, or the format
            has no way to hold such a network.
    """
    checkpoint = pretrained.read(source, trust=trust)
    checkpoint = _with_symbols(checkpoint, vocabulary, source)
    dictionary = _dictionary(checkpoint, target.parent) if to == "fairseq" else None
    with _draft(target) as draft:
        _WRITERS[to](checkpoint, draft)
        written = pretrained.read(draft)
        _check_same_weights(checkpoint, written, target)
        differences = largest_differences(source, checkpoint, written)
    if dictionary is not None:
        write_whole(target.with_name(DICTIONARY), dictionary)
    return Conversion(
        checkpoint=checkpoint,
        lost=_lost(checkpoint.architecture, written.architecture),
        differences=differences,
    )


def _with_symbols(
    checkpoint: Checkpoint, vocabulary: Path | None, source: str | Path
) -> Checkpoint:
    if not checkpoint.has_head:
        return checkpoint
    symbols = read_vocabulary(vocabulary) if vocabulary else checkpoint.vocabulary
    number = len(checkpoint.state[f"{HEAD}.bias"])
    if symbols is None:
        raise ValueError(
            f"{source} has a CTC head of {number} outputs and does not tell their symbols: give "
            "them in a file, --vocabulary dict.ltr.txt or vocab.json"
        )
    if len(symbols) != number:
        raise ValueError(
            f"{vocabulary} must list {number} symbols, one for each output of the CTC head, got "
            f"{len(symbols)}"
        )
    return replace(checkpoint, vocabulary=symbols)


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Give a name beside the target; what is there takes the target's name if nothing fails."""
    if target.is_dir() and not any(target.iterdir()):
        target.rmdir()
    if target.exists():
        raise ValueError(f"{target} exists: name another place, or remove it first")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield draft
        draft.replace(target)
    finally:
        if draft.is_dir():
            shutil.rmtree(draft)
        else:
            draft.unlink(missing_ok=True)


def _write_own(checkpoint: Checkpoint, draft: Path) -> None:
    draft.mkdir()
    own.write(checkpoint, draft)


def _write_huggingface(checkpoint: Checkpoint, draft: Path) -> None:
    draft.mkdir()
    huggingface_folder.write(checkpoint, draft)


def _write_fairseq(checkpoint: Checkpoint, draft: Path) -> None:
    torch.save(fairseq_file.write(checkpoint, data=str(draft.parent.resolve())), draft)


def _dictionary(checkpoint: Checkpoint, folder: Path) -> str | None:
    """Return the file in which fairseq looks for the symbols of a CTC head, beside the weights."""
    if checkpoint.vocabulary is None:
        return None
    text = fairseq_file.dictionary(checkpoint.vocabulary)
    path = folder / DICTIONARY
    if path.is_file() and path.read_text(encoding="utf-8") != text:
        raise ValueError(
            f"{path} has the symbols of another model, and fairseq looks for them beside the "
            "weights: name another folder"
        )
    return text


_WRITERS: dict[Format, Callable[[Checkpoint, Path], None]] = {
    "duovox": _write_own,
    "huggingface": _write_huggingface,
    "fairseq": _write_fairseq,
}


def _check_same_weights(checkpoint: Checkpoint, written: Checkpoint, target: Path) -> None:
    for name, tensor in checkpoint.state.items():
        if not torch.equal(tensor, written.state[name]):
            raise ValueError(
                f"{target} is not written: {name} came back from the disk with other values"
            )


def _lost(before: Architecture, after: Architecture) -> tuple[str, ...]:
    return tuple(
        f"{one.name}={getattr(before, one.name)}"
        for one in fields(Architecture)
        if getattr(before, one.name) != getattr(after, one.name)
    )
