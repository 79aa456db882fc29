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


@pytest.fixture
def machine(tmp_path):
    """Return a function that writes the files of a machine: machine({"proc/self/cgroup": ...})."""

    def write(files: dict[str, str]):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


GROUPS = "sys/fs/cgroup/"


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),  # no Linux
        ({"proc/self/cgroup": "0::/\n"}, None),
        ({"proc/self/cgroup": "0::/\n", f"{GROUPS}cpu.max": "max 100000\n"}, None),
        ({"proc/self/cgroup": "0::/\n", f"{GROUPS}cpu.max": "150000 100000\n"}, 1.5),
        # Docker without a namespace of its own: the path is the host's and is not there.
        ({"proc/self/cgroup": "0::/docker/1\n", f"{GROUPS}cpu.max": "400000 100000\n"}, 4.0),
        (  # a job in a slice that has less
            {
                "proc/self/cgroup": "0::/slurm/job_3\n",
                f"{GROUPS}slurm/cpu.max": "200000 100000\n",
                f"{GROUPS}slurm/job_3/cpu.max": "300000 100000\n",
            },
            2.0,
        ),
        ({"proc/self/cgroup": "odd\n\n0::/\n", f"{GROUPS}cpu.max": "odd\n"}, None),
        (  # version 1
            {
                "proc/self/cgroup": "5:memory:/a\n4:cpu,cpuacct:/a\n1:name=systemd:/b\n",
                f"{GROUPS}cpu/a/cpu.cfs_quota_us": "50000\n",
                f"{GROUPS}cpu/a/cpu.cfs_period_us": "100000\n",
                f"{GROUPS}cpu/cpu.cfs_quota_us": "-1\n",
                f"{GROUPS}cpu/cpu.cfs_period_us": "100000\n",
            },
            0.5,
        ),
    ],
)
def test_a_container_says_how_many_processors_it_may_use(machine, files, quota) -> None:
    assert cpu.processor_quota(machine(files)) == quota


@pytest.fixture
def _threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_threads_as_before")
@pytest.mark.parametrize(
    ("quota", "wanted", "expected"),
    [(None, None, 3), (8.0, None, 3), (2.9, None, 2), (0.5, None, 1), (1.0, 5, 5), (1.0, 0, 1)],
)
def test_threads_are_those_that_the_container_may_use(
    monkeypatch, quota: float | None, wanted: int | None, expected: int
) -> None:
    torch.set_num_threads(3)  # what torch found
    monkeypatch.setattr(cpu, "processor_quota", lambda: quota)
    assert cpu.use_threads(wanted) == expected
    assert torch.get_num_threads() == expected
