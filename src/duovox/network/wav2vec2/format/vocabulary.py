"""The symbols of published CTC heads, and the files that list those of others."""

from __future__ import annotations

import json
from pathlib import Path

_SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")  # fairseq calls its blank <s> and the second <pad>
LETTERS = (*_SPECIAL, "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ")  # by frequency
NANO_LETTERS = ("<blank>", *_SPECIAL[1:], "|", "'", *"abcdefghijklmnopqrstuvwxyz")


def read_vocabulary(path: Path) -> tuple[str, ...]:
    """Read the symbols of a CTC head in the order of its outputs, the blank first.

    Args:
        path: a `vocab.json` of transformers (numbers by symbol), a `dict.ltr.txt` of fairseq (a
            symbol and a count per line; its four special symbols come before), or a text with
            one symbol per line.

    Raises:
        ValueError: it is none of these, or names a symbol twice.
    """
    text = path.read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if path.suffix == ".json":
        symbols = _in_order(text, path)
    elif all(len(line) == 2 and line[1].isdigit() for line in lines):
        symbols = (*_SPECIAL, *(symbol for symbol, _ in lines))
    elif all(len(line) == 1 for line in lines):
        symbols = tuple(symbol for (symbol,) in lines)
    else:
        raise ValueError(f"{path} must have one symbol per line, or a symbol and a count")
    if len(set(symbols)) < len(symbols):
        raise ValueError(f"{path} must name each symbol once")
    return symbols


def _in_order(text: str, path: Path) -> tuple[str, ...]:
    try:
        numbers: dict[str, int] = json.loads(text)
        symbols = {number: symbol for symbol, number in numbers.items()}
        return tuple(symbols[number] for number in range(len(numbers)))
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise ValueError(f"{path} must number its symbols from 0 on: {error}") from error
