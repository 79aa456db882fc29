"""Training on a CPU is tuned without changing a number."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F

from duovox.run import cpu
from duovox.run.cpu import keep_freed_memory, tune_for_training


@pytest.fixture(autouse=True)
def _kernel_as_before():
    was_enabled = torch.backends.cuda.flash_sdp_enabled()
    yield
    torch.backends.cuda.enable_flash_sdp(was_enabled)


def attention() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    query, key, value = torch.randn(3, 2, 4, 60, 8, generator=generator)
    query.requires_grad_()
    mask = torch.rand(2, 1, 1, 60, generator=generator) > 0.3
    out = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    return out, torch.autograd.grad(out.square().sum(), query)[0]


def test_the_chosen_attention_kernel_gives_the_same_numbers() -> None:
    torch.backends.cuda.enable_flash_sdp(True)
    expected = attention()
    tune_for_training()
    assert not torch.backends.cuda.flash_sdp_enabled()
    torch.testing.assert_close(attention(), expected, rtol=1e-5, atol=1e-6)


def test_the_c_library_accepts_what_it_is_told() -> None:
    program = "from duovox.run.cpu import keep_freed_memory as k; print(k())"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert said.stdout.strip() in {"True", "False"}
    assert said.returncode == 0
    if sys.platform.startswith("linux") and "glibc" in "".join(__import__("platform").libc_ver()):
        assert said.stdout.strip() == "True"


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu.sys, "platform", "darwin")
    assert keep_freed_memory() is False


def test_a_c_library_without_the_switch_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu.ctypes, "CDLL", lambda name: object())
    assert keep_freed_memory() is False
