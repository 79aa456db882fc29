"""Pluggable settings: nodes that name a class or function, and its keyword arguments.

`{"_target_": "duovox.network.pooling.mean.MeanPooling"}` is made by
`make(node, path=..., within=POOLINGS)`. Only what is defined in the packages of `within` is ever
called, so that a run folder from a stranger can't run code, and the arguments are held against the
target's signature, so that a misspelt one is refused.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Mapping
from typing import Any

from duovox.run.read import refuse_unknown
from duovox.run.settings import Option

# Where the targets of each kind of option are defined.
ARCHITECTURES = ("duovox.network.wav2vec2.architecture",)
POOLINGS = ("duovox.network.pooling",)
WEIGHTINGS = ("duovox.loss.weighting",)
GRADIENT_METHODS = ("duovox.loss.gradient",)
DECODERS = ("duovox.decoding",)
AUGMENTATIONS = ("duovox.data.stage",)
ALGORITHMS = ("torch.optim",)
SCHEDULES = ("duovox.optim.schedule", "torch.optim.lr_scheduler")


def choose(table: Mapping[str, Option], name: str | None, *, setting: str) -> Option:
    """Return the option called `name` (None picks the one called `none`).

    Raises:
        ValueError: there is no such option; the message lists those there are.
    """
    wanted = "none" if name is None else name
    if wanted not in table:
        raise ValueError(f"{setting} must be one of {', '.join(sorted(table))}; got {name!r}")
    return table[wanted]


def make(
    option: Option, *arguments: Any, path: str, within: tuple[str, ...], **offered: Any
) -> Any:
    """Call the target of `option` with its own settings and the given arguments.

    Args:
        arguments: given first, by position.
        path: the setting that holds the option, for messages.
        within: modules and packages one of which must define the target.
        offered: given by name to a target that has a parameter of that name.

    Raises:
        ValueError: the target is not allowed or not found, or a setting is unknown, missing or
            refused by the target.
    """
    target = _target(option, path, within)
    parameters = inspect.signature(target).parameters
    own = {name: _plain(value) for name, value in option.items() if name != "_target_"}
    refuse_unknown(own, valid=[*list(parameters)[len(arguments) :], "_target_"], path=path)
    for name, value in own.items():
        _refuse_wrong_type(value, parameters[name], f"{path}.{name}")
    keywords = {name: value for name, value in offered.items() if name in parameters} | own
    try:
        return target(*arguments, **keywords)
    except (TypeError, ValueError) as error:
        names_setting = re.split(r"\W", str(error), maxsplit=1)[0] in parameters
        place = f"{path}." if names_setting else f"{path} does not fit {option['_target_']}: "
        raise ValueError(f"{place}{error}") from error


def make_all(
    options: Mapping[str, Option], *, path: str, within: tuple[str, ...]
) -> tuple[Any, ...]:
    """Make every option of a table, in its order; `path` is the table's."""
    return tuple(make(one, path=f"{path}.{name}", within=within) for name, one in options.items())


def _refuse_wrong_type(value: Any, parameter: inspect.Parameter, path: str) -> None:
    """Refuse text for a parameter that wants numbers, and fractions for one that wants whole ones.

    What else is wrong, the target tells.
    """
    rule = inspect.formatannotation(parameter.annotation).strip("'")
    words = set(re.findall(r"\w+", rule))
    is_stray_text = (
        isinstance(value, str) and words & {"float", "int", "bool"} and "str" not in words
    )
    if is_stray_text or (rule == "int" and not isinstance(value, int)):
        raise ValueError(f"{path} must be of type {rule}, got {value!r}")


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _target(option: Option, path: str, within: tuple[str, ...]) -> Any:
    name = option.get("_target_")
    if not isinstance(name, str) or not _is_inside(name, within):
        raise ValueError(
            f"{path}._target_ must name something in {' or '.join(within)}, got {name!r}"
        )
    module, _, attribute = name.rpartition(".")
    try:
        target = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{path}._target_ names {name}, which does not exist: {error}") from error
    if not callable(target):
        raise ValueError(f"{path}._target_ names {name}, which is no class or function")
    if not _is_inside(f"{target.__module__}.{attribute}", within):
        raise ValueError(
            f"{path}._target_ names {name}, which is defined in {target.__module__}; "
            f"it must be defined in {' or '.join(within)}"
        )
    return target


def _is_inside(name: str, within: tuple[str, ...]) -> bool:
    return name.startswith(tuple(f"{module}." for module in within))
