"""A device that is not there is refused before anything is read, with those that are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from duovox.run.again import evaluate_again
from duovox.run.device import check_gpus, device_of
from duovox.run.model import load


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:0", "cuda:1"])
@pytest.mark.usefixtures("two_gpus")
def test_a_device_that_is_there_is_found_by_name(name: str) -> None:
    assert device_of(name) == torch.device(name)


@pytest.mark.parametrize("name", ["banana", "cuda:2", "cuda:-1", "", "meta"])
@pytest.mark.usefixtures("two_gpus")
def test_any_other_is_answered_with_those_that_are_there(name: str) -> None:
    with pytest.raises(ValueError, match=rf"one of those here \(cpu, cuda, cuda:0, .*got '{name}'"):
        device_of(name)


@pytest.mark.parametrize("name", ["banana", "cuda"])
@pytest.mark.usefixtures("no_gpu")
def test_use_and_evaluation_refuse_it_before_they_read_anything(name: str) -> None:
    nowhere = Path("nowhere")
    with pytest.raises(ValueError, match=rf"^device must be .* \(cpu\), got '{name}'"):
        load(nowhere, device=name)
    with pytest.raises(ValueError, match=rf"^device must be .* \(cpu\), got '{name}'"):
        evaluate_again(nowhere, nowhere, device=name)


@pytest.mark.usefixtures("two_gpus")
def test_as_many_gpus_as_there_are_may_be_used() -> None:
    for number in range(3):
        check_gpus(number)
    with pytest.raises(ValueError, match=r"^gpus must be at most 2, .*got 3"):
        check_gpus(3)


@pytest.mark.usefixtures("no_gpu")
def test_a_run_without_its_gpu_ends_before_it_has_a_folder(run_door) -> None:
    with pytest.raises(ValueError, match=r"^gpus must be at most 0, .*got 1\. Set gpus=0"):
        run_door("speech", "gpus=1")
    assert not run_door.log_folder.exists()
