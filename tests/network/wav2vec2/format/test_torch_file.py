"""Files of torch.save are read as data; code in them is refused, and never run."""

from __future__ import annotations

import pickle
from argparse import Namespace
from collections import OrderedDict
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from duovox.network.wav2vec2.format import torch_file


class Bomb:
    """What a checkpoint from a stranger may hold."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("code from a checkpoint was run",))


class Armed:
    """A bomb in the state of an object, and in what fills a list and a dictionary."""

    def __reduce__(self) -> Any:
        return (Bomb, (), {"fuse": Bomb()}, iter([Bomb()]), iter({"fuse": Bomb()}.items()))


class Mode(Enum):
    LAYER = "layer_norm"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights.pt"


def _assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "as before torch 1.6"])
@pytest.mark.parametrize("trust", [False, True])
def test_tensors_and_plain_data_are_read(
    path: Path, some_tensors: dict[str, Tensor], is_zip: bool, trust: bool
) -> None:
    content = {"model": OrderedDict(some_tensors), "args": Namespace(arch="x", sizes=[1, 2.5])}
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    found = torch_file.read(path, trust=trust)
    _assert_same(found["model"], some_tensors)
    assert torch_file.plain(found["args"]) == {"arch": "x", "sizes": [1, 2.5]}


@pytest.mark.parametrize("is_zip", [True, False])
@pytest.mark.parametrize("bomb", [Bomb(), Armed(), Path("x"), print, pytest.fail])
def test_code_is_refused_with_the_reason_and_never_run(
    path: Path, some_tensors: dict[str, Tensor], bomb: Any, is_zip: bool
) -> None:
    content = {"model": some_tensors, "extra": bomb}
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(ValueError, match=r"is refused: it holds more than .*--trust"):
        torch_file.read(path)
    found = torch_file.read(path, trust=True)
    _assert_same(found["model"], some_tensors)
    assert isinstance(found["extra"], torch_file.Inert | type)


def test_pickles_of_another_protocol_are_read_by_those_who_trust(
    path: Path, some_tensors: dict[str, Tensor]
) -> None:
    torch.save(some_tensors, path, pickle_protocol=5)
    with pytest.raises(ValueError, match=r"is refused: .* reader does not know.*--trust"):
        torch_file.read(path)
    _assert_same(torch_file.read(path, trust=True), some_tensors)


def test_the_names_of_foreign_things_are_told(path: Path) -> None:
    torch.save({"extra": Path("x")}, path)
    with pytest.raises(
        ValueError, match=r"plain data: pathlib\.\w+\. A file that names code can run"
    ):
        torch_file.read(path)


def test_a_configuration_of_hydra_is_data_to_those_who_trust(path: Path) -> None:
    from omegaconf import OmegaConf

    settings = {"model": {"widths": [8, 16], "mode": "default", "rate": 0.5}, "task": None}
    torch.save({"cfg": OmegaConf.create(settings)}, path)
    with pytest.raises(ValueError, match=r"omegaconf\.dictconfig\.DictConfig"):
        torch_file.read(path)
    assert torch_file.plain(torch_file.read(path, trust=True)["cfg"]) == settings


def test_a_member_of_an_enumeration_is_its_value_to_those_who_trust(path: Path) -> None:
    torch.save({"cfg": {"extractor_mode": Mode.LAYER}}, path)
    found = torch_file.read(path, trust=True)
    assert torch_file.plain(found["cfg"]) == {"extractor_mode": "layer_norm"}


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize("damage", ["half", "bit", "empty", "text", "missing", "pickle"])
@pytest.mark.parametrize("is_zip", [True, False])
def test_damage_is_told(path: Path, damage: str, trust: bool, is_zip: bool) -> None:
    torch.save({"w": torch.zeros(1000)}, path, _use_new_zipfile_serialization=is_zip)
    whole = path.read_bytes()
    middle = len(whole) // 2
    contents = {
        "half": whole[:middle],
        "bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "empty": b"",
        "text": b"weights",
        "pickle": pickle.dumps({"w": [1]}),
    }
    if damage == "bit" and not is_zip:
        pytest.skip("files from before torch 1.6 have no checksums")
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(contents[damage])
    message = rf"{path} can't be read: .*(cut short|does not exist|checksum).* Take another copy"
    with pytest.raises(ValueError, match=message):
        torch_file.read(path, trust=trust)


@pytest.mark.parametrize("content", [torch.zeros(2), {"w": 1}, [torch.zeros(2)], None])
def test_what_is_no_dictionary_of_tensors_is_refused(content: Any) -> None:
    with pytest.raises(ValueError, match=r"a\.pt must hold tensors by name"):
        torch_file.tensors(content, "a.pt")
