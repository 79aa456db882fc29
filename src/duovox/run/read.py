"""Read plain data into typed records, refusing whatever does not fit.

`read(Trainer, {"max_steps": 10, ...}, path="trainer")` walks the type annotations of the record;
an unknown key, a missing one, a value of the wrong type or one that breaks its rule is a ValueError
that names the setting, the rule and what was found.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable
from typing import Any, TypeVar

Record = TypeVar("Record")


def read(record: type[Record], node: Any, *, path: str = "") -> Record:
    """Return a `record` (a dataclass) made of the plain data `node` found at setting `path`.

    Raises:
        ValueError: a key is unknown or missing, a value has the wrong type or breaks a rule.
    """
    if not isinstance(node, dict):
        raise ValueError(f"{path or 'the settings'} must be a group of settings, got {node!r}")
    hints = typing.get_type_hints(record, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(record)}  # type: ignore[arg-type]
    refuse_unknown(node, valid=fields, path=path)
    missing = [
        name
        for name, field in fields.items()
        if name not in node and field.default is dataclasses.MISSING
    ]
    if missing:
        raise ValueError(f"{_join(path, missing[0])} is required and was not given")
    values = {name: _value(hints[name], node[name], _join(path, name)) for name in node}
    try:
        return record(**values)
    except ValueError as error:  # it begins with the name of a field
        raise ValueError(_join(path, str(error))) from error


def refuse_unknown(names: Iterable[str], *, valid: Iterable[str], path: str) -> None:
    """Raise a ValueError for the first of `names` that is not among `valid`, listing those."""
    valid = sorted(valid)
    for name in names:
        if name not in valid:
            near = difflib.get_close_matches(name, valid, n=1)
            guess = f" Did you mean {_join(path, near[0])}?" if near else ""
            raise ValueError(
                f"unknown setting {_join(path, name)}.{guess} "
                f"Valid here{f' ({path})' if path else ''}: {', '.join(valid)}"
            )


def _value(hint: Any, node: Any, path: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        value = _value(arguments[0], node, path)
        for rule in arguments[1:]:
            rule.check(value, path)
        return value
    if origin in (typing.Union, types.UnionType):
        return _one_of(arguments, node, path)
    if origin is typing.Literal:
        if not any(type(node) is type(valid) and node == valid for valid in arguments):
            valid = ", ".join(dict.fromkeys(map(str, arguments)))
            raise ValueError(f"{path} must be one of {valid}; got {node!r}")
        return node
    if origin is list:
        return [
            _value(arguments[0], item, f"{path}[{i}]")
            for i, item in enumerate(_of(list, node, path))
        ]
    if origin is dict:
        return {
            key: _value(arguments[1], item, _join(path, key))
            for key, item in _of(dict, node, path).items()
        }
    if dataclasses.is_dataclass(hint):
        return read(typing.cast(type[Any], hint), node, path=path)
    return _scalar(hint, node, path)


def _one_of(hints: tuple[Any, ...], node: Any, path: str) -> Any:
    if node is None and type(None) in hints:
        return None
    real = [hint for hint in hints if hint is not type(None)]
    if len(real) == 1:
        return _value(real[0], node, path)
    for hint in real:  # e.g. str | list[str]
        if isinstance(node, typing.get_origin(hint) or hint):
            return _value(hint, node, path)
    names = " or ".join(str(getattr(hint, "__name__", hint)) for hint in hints)
    raise ValueError(f"{path} must be {names}, got {node!r}")


def _scalar(hint: Any, node: Any, path: str) -> Any:
    if hint is Any:
        return node
    if hint is float and isinstance(node, int) and not isinstance(node, bool):
        return float(node)
    if isinstance(node, bool) and hint is not bool:
        raise ValueError(f"{path} must be of type {hint.__name__}, got {node!r}")
    return _of(hint, node, path)


def _of(kind: Any, node: Any, path: str) -> Any:
    if not isinstance(node, kind):
        raise ValueError(f"{path} must be of type {kind.__name__}, got {node!r}")
    return node


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
