"""The precision of training fits the machine, and stays what it was where a run resumes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer

from duovox.run import precision
from duovox.run.precision import (
    Name,
    TrainingPrecision,
    bf16_speed,
    fitting_precision,
    is_available,
    precision_of,
    unstated_precision,
)


@pytest.fixture(autouse=True)
def _measure_again():
    yield
    bf16_speed.cache_clear()


def machine(monkeypatch: pytest.MonkeyPatch, *, speed: float) -> None:
    """Pretend that products in bf16 run at a multiple of float32's speed."""
    monkeypatch.setattr(precision, "bf16_speed", lambda: speed)


@pytest.mark.parametrize(
    ("speed", "used"), [(0.0, "32"), (0.02, "32"), (1.49, "32"), (1.5, "bf16"), (6.0, "bf16")]
)
def test_a_cpu_takes_bf16_where_it_is_half_as_fast_again(monkeypatch, speed, used) -> None:
    machine(monkeypatch, speed=speed)
    assert fitting_precision(is_cpu=True) == used


@pytest.mark.parametrize(("has_bf16", "used"), [(True, "bf16"), (False, "16")])
def test_a_gpu_takes_bf16_where_it_has_it(monkeypatch, has_bf16: bool, used: str) -> None:
    def is_supported(including_emulation: bool = True) -> bool:
        return has_bf16 or including_emulation  # torch emulates bf16 on all others

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_supported)
    assert fitting_precision(is_cpu=False) == used
    assert is_available("bf16", is_cpu=False) == has_bf16
    assert is_available("16", is_cpu=False)


def test_a_cpu_never_has_16_and_always_32(monkeypatch) -> None:
    machine(monkeypatch, speed=1.2)
    assert not is_available("16", is_cpu=True)
    assert is_available("32", is_cpu=True)
    assert is_available("bf16", is_cpu=True)  # not worth choosing, but no reason to stop a run
    machine(monkeypatch, speed=0.9)
    assert not is_available("bf16", is_cpu=True)


def test_without_onednn_there_is_no_bf16(monkeypatch) -> None:
    bf16_speed.cache_clear()
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert bf16_speed() == 0


def timed(monkeypatch: pytest.MonkeyPatch, *, float32: list[float], bf16: list[float]) -> None:
    """Let products take given seconds, in turns, whatever this machine needs."""
    left = {torch.float32: iter(float32), torch.bfloat16: iter(bf16)}
    bf16_speed.cache_clear()
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    monkeypatch.setattr(precision, "_seconds_of_square", lambda matrix: next(left[matrix.dtype]))


def test_the_speed_of_bf16_is_that_of_the_best_of_five(monkeypatch) -> None:
    timed(monkeypatch, float32=[9, 4, 3, 8, 5], bf16=[6, 7, 2, 1.5, 9])
    assert bf16_speed() == 2.0


def test_a_processor_that_emulates_bf16_is_asked_once(monkeypatch) -> None:
    timed(monkeypatch, float32=[0.01], bf16=[0.5])  # a second product would end the lists
    assert bf16_speed() == pytest.approx(0.02)


def test_this_machine_is_measured_in_a_moment() -> None:
    bf16_speed.cache_clear()
    assert 0 <= bf16_speed() < 100


class Strategy:
    """What the callback asks of the strategy, on the first of two processes or the second."""

    root_device = torch.device("cpu")
    precision_plugin: Any = None

    def __init__(self, said: Any = None) -> None:
        self.said = said

    def broadcast(self, choice: Any) -> Any:
        return choice if self.said is None else self.said


def set_up(callback: TrainingPrecision, strategy: Strategy | None = None, rank: int = 0) -> Any:
    trainer: Any = Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")
    trainer._accelerator_connector.strategy = strategy = strategy or Strategy()
    strategy.is_global_zero = rank == 0
    callback.setup(trainer, None, "fit")  # type: ignore[arg-type]
    return strategy.precision_plugin


@pytest.mark.parametrize(
    ("setting", "speed", "plugin"),
    [
        ("auto", 3.0, "bf16-mixed"),
        ("auto", 0.1, "32-true"),
        ("16", 3.0, "bf16-mixed"),
        ("16", 0.1, "32-true"),
        ("bf16", 0.1, "bf16-mixed"),
        ("32", 3.0, "32-true"),
    ],
)
@pytest.mark.filterwarnings("ignore:trainer.precision=16 needs a GPU")
def test_a_given_precision_is_taken_and_auto_is_chosen(
    monkeypatch, capsys, setting: str, speed: float, plugin: str
) -> None:
    machine(monkeypatch, speed=speed)
    callback = TrainingPrecision(setting, is_cpu=True)
    assert set_up(callback).precision == plugin
    assert callback.state_dict() == {"precision": plugin.split("-")[0]}
    assert capsys.readouterr().out.startswith(f"precision: {callback.used} (")


def test_half_precision_on_a_cpu_means_auto_and_says_so(monkeypatch) -> None:
    machine(monkeypatch, speed=2.0)
    with pytest.warns(UserWarning, match=r"16 needs a GPU; on a CPU it means trainer\.precision=a"):
        set_up(TrainingPrecision("16", is_cpu=True))


def test_half_precision_on_a_gpu_stays_half_precision() -> None:
    assert TrainingPrecision("16", is_cpu=False)._choose()[0] == "16"


def test_the_first_process_decides_for_all(monkeypatch, capsys) -> None:
    machine(monkeypatch, speed=0.1)  # what the second one would find
    callback = TrainingPrecision("auto", is_cpu=True)
    plugin = set_up(callback, Strategy(("bf16", "said by the first")), rank=1)
    assert plugin.precision == "bf16-mixed"
    assert callback.used == "bf16"
    assert capsys.readouterr().out == ""


def test_all_processes_end_where_the_first_finds_no_precision(monkeypatch) -> None:
    with pytest.raises(ValueError, match="the sentence"):
        set_up(TrainingPrecision("auto", is_cpu=True), Strategy((None, "the sentence")), rank=1)


@pytest.mark.parametrize("earlier", ["32", "bf16"])
@pytest.mark.parametrize("speed", [1.1, 5.0])
def test_a_resumed_run_keeps_its_precision(monkeypatch, earlier: Name, speed: float) -> None:
    machine(monkeypatch, speed=speed)
    callback = TrainingPrecision("auto", is_cpu=True, earlier=earlier)
    set_up(callback)
    assert callback.used == earlier


@pytest.mark.parametrize(("earlier", "is_cpu"), [("bf16", True), ("16", True), ("bf16", False)])
def test_a_machine_without_the_precision_of_a_run_says_what_to_give(
    monkeypatch, earlier: Name, is_cpu: bool
) -> None:
    machine(monkeypatch, speed=0.02)
    monkeypatch.setattr(precision, "_gpu_has_bf16", lambda: False)
    callback = TrainingPrecision("auto", is_cpu=is_cpu, earlier=earlier)
    with pytest.raises(ValueError, match=rf"trained in {earlier} .*trainer\.precision=32"):
        set_up(callback)


def test_a_given_precision_overrules_that_of_the_checkpoint(monkeypatch) -> None:
    machine(monkeypatch, speed=0.02)
    callback = TrainingPrecision("32", is_cpu=True, earlier="bf16")
    assert set_up(callback).precision == "32-true"


@pytest.mark.parametrize(
    ("setting", "is_cpu", "used"),
    [("auto", True, "bf16"), ("auto", False, "bf16"), (16, True, "bf16"), (16, False, "16")],
)
def test_earlier_versions_took_bf16_where_it_was_set_and_on_cpus(setting, is_cpu, used) -> None:
    assert unstated_precision(setting, is_cpu=is_cpu) == used


def test_a_cpu_says_that_16_needs_a_gpu(monkeypatch) -> None:
    machine(monkeypatch, speed=5.0)
    with pytest.raises(ValueError, match=r"trained in 16 so far.*\(16 needs a GPU\)"):
        set_up(TrainingPrecision("auto", is_cpu=True, earlier="16"))


def test_a_checkpoint_of_an_earlier_version_does_not_say(tmp_path: Path) -> None:
    for callbacks, used in [({}, None), ({"precision": {"precision": "32"}}, "32")]:
        torch.save({"state_dict": {}, "callbacks": callbacks}, tmp_path / "last.ckpt")
        assert precision_of(tmp_path / "last.ckpt") == used


def test_the_emulated_bf16_of_an_older_processor_is_not_chosen() -> None:
    """Run as a program: the kinds of instructions are chosen when torch is loaded."""
    program = "from duovox.run.precision import fitting_precision as fit; print(fit(is_cpu=True))"
    older = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | older
    )
    assert done.stdout == "32\n"
