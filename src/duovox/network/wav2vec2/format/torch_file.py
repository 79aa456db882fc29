"""Files of torch.save: tensors and plain data out of them, and nothing that could run.

Such a file is a pickle, and a pickle can name any function of the machine to be called. torch's own
restricted reader refuses to; what it refuses is read here, for those who trust its author, with a
reader that puts an inert stand-in in place of everything foreign. Nothing from a file is called.
"""

from __future__ import annotations

import collections
import pickle
import warnings
import zipfile
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

# What checkpoints are made of; `Namespace` holds the command line of early fairseq checkpoints.
_PLAIN: dict[str, Any] = {
    "collections.OrderedDict": collections.OrderedDict,
    "argparse.Namespace": Namespace,
    "torch.Size": torch.Size,
    "torch.device": torch.device,
    "torch._utils._rebuild_tensor": torch._utils._rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": torch._utils._rebuild_tensor_v2,
    "torch._utils._rebuild_parameter": torch._utils._rebuild_parameter,
}


class ForeignError(ValueError):
    """A file names classes or functions that tensors and plain data have no need of."""


def read(path: Path, *, trust: bool = False) -> Any:
    """Return what a file holds: tensors in dictionaries, lists, numbers, text.

    Args:
        trust: read a file that names more than that, and leave out what is foreign.

    Raises:
        ValueError: the file is missing, cut short, damaged, none of torch, or not to be trusted.
    """
    try:
        return content_of(path)
    except ForeignError as error:
        if not trust:
            raise ValueError(
                f"{path} is refused: {error}. A file that names code can run it on this machine. "
                "Prefer a safetensors file of the same model; or, if you trust its author, convert "
                "it once with `duovox convert ... --trust` (in Python trust=True), which reads its "
                "tensors and leaves the rest out"
            ) from error
    except ValueError as error:
        raise ValueError(f"{path} can't be read: {error}. Take another copy") from error
    return _read_inertly(path)[0]


def content_of(path: Path) -> Any:
    """Return what a file holds, as `read` does; the messages of errors say no more than why.

    Raises:
        ForeignError: it names classes or functions.
        ValueError: it is missing, damaged or none of torch.
    """
    _check_whole(path)
    try:
        with torch.serialization.safe_globals([Namespace]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is surprised by pickles of others
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:  # whose own words advise to run the code within
        names = ", ".join(_read_inertly(path)[1]) or "what its restricted reader does not know"
        raise ForeignError(f"it holds more than tensors and plain data: {names}") from error
    except (RuntimeError, EOFError, OSError, KeyError, ValueError, TypeError) as error:
        raise _damaged(error) from error


def _check_whole(path: Path) -> None:
    """Refuse a missing file, and a zip archive (as torch.save makes) with a wrong checksum.

    torch.load does not look at the checksums: bits that have changed would become weights.
    """
    if not path.is_file():
        raise ValueError("it does not exist, or is no file")
    if not zipfile.is_zipfile(path):
        return  # torch before 1.6 wrote none; reading will tell
    try:
        with zipfile.ZipFile(path) as archive:
            wrong = archive.testzip()
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise _damaged(error) from error
    if wrong is not None:
        raise ValueError(f"the checksum of {wrong} inside is wrong")


def tensors(value: Any, source: str) -> dict[str, torch.Tensor]:
    """Return a state dict out of what `read` made of a file.

    Raises:
        ValueError: it is no dictionary of tensors.
    """
    if not isinstance(value, Mapping) or not all(torch.is_tensor(one) for one in value.values()):
        raise ValueError(f"{source} must hold tensors by name, and it holds something else")
    return dict(value)


def plain(value: Any) -> Any:
    """Return the data in what `read` made of a configuration.

    Hydra's configurations are objects around a dictionary or list of nodes with a value each; an
    enumeration's member is its class called with its value.
    """
    if isinstance(value, Namespace):
        return plain(vars(value))
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if not isinstance(value, Inert):
        return value
    for name in ("_content", "_val"):
        if name in value.state:
            return plain(value.state[name])
    return plain(value.arguments[0]) if len(value.arguments) == 1 else None


class Inert:
    """Stands in for a class, function or object of a file: takes everything and does nothing."""

    def __init__(self, *arguments: Any, **_: Any) -> None:
        self.arguments = arguments
        self.state: dict[Any, Any] = {}

    def __call__(self, *arguments: Any, **_: Any) -> Inert:
        return Inert(*arguments)

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}

    def __setitem__(self, name: Any, item: Any) -> None:
        self.state[name] = item

    def append(self, item: Any) -> None:
        """Take an item of a list."""

    def extend(self, items: Any) -> None:
        """Take items of a list."""


def _read_inertly(path: Path) -> tuple[Any, list[str]]:
    """Return what a file holds, stand-ins among it, and the names of what they stand for."""
    foreign: set[str] = set()

    class InertUnpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            full_name = f"{module}.{name}"
            if full_name not in _PLAIN:
                foreign.add(full_name)
            return _PLAIN.get(full_name, Inert)

    def load(file: Any, **settings: Any) -> Any:
        return InertUnpickler(file, **settings).load()

    reader = SimpleNamespace(__name__="inert", Unpickler=InertUnpickler, load=load)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", pickle_module=reader, weights_only=False)
    except Exception as error:  # whatever a stranger's pickle makes an unpickler raise
        raise _damaged(error) from error
    return content, sorted(foreign)


def _damaged(cause: Exception) -> ValueError:
    reason = str(cause).strip().split("\n")[0] or type(cause).__name__
    return ValueError(f"it is cut short, damaged, or no file of torch ({reason})")
