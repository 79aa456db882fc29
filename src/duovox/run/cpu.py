"""Make training on a CPU faster without changing a number."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import torch

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # <malloc.h>
_MEBIBYTE = 1 << 20


def tune_for_training() -> None:
    """Choose the faster of two equal ways where the defaults choose the slower.

    The fused attention kernel saves memory on long utterances, but its backward pass takes several
    times as long as the plain one at the 50 to 500 frames of training batches.
    """
    torch.backends.cuda.enable_flash_sdp(False)  # the switch of the CPU kernel, too
    keep_freed_memory()


def keep_freed_memory() -> bool:
    """Let the C library keep the memory of freed tensors; return whether it could be told.

    By default glibc gives large tensors back to the kernel as soon as they are freed, and pays for
    the next ones in page faults.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # absent in musl
    if mallopt is None:
        return False
    settings = {
        _M_MMAP_MAX: 0,  # never map a tensor by itself
        _M_TRIM_THRESHOLD: 2**31 - 1,  # never shrink the heap
        _M_TOP_PAD: 256 * _MEBIBYTE,  # grow it in large pieces
    }
    return all(mallopt(option, value) == 1 for option, value in settings.items())


def use_threads(wanted: int | None) -> int:
    """Set torch's threads and return their number.

    Args:
        wanted: None or 0: torch's choice, which counts the processors that this process may run on
            (and heeds OMP_NUM_THREADS), but no more than its container may use at a time. Threads
            above such a quota wait for each other.
    """
    allowed = processor_quota()
    if wanted:
        torch.set_num_threads(wanted)
    elif allowed is not None and allowed < torch.get_num_threads():
        torch.set_num_threads(max(1, int(allowed)))
    return torch.get_num_threads()


def processor_quota(root: Path = Path("/")) -> float | None:
    """Return how many processors the control groups of this process let it use; None: all.

    Both versions of control groups limit the microseconds of processor time in a period. A limit of
    a group holds for all groups inside it.

    Args:
        root: where /proc and /sys lie.
    """
    quotas = []
    for folder in _control_groups(root):
        fields = _numbers(folder / "cpu.max")  # version 2: quota and period
        fields = fields or _numbers(folder / "cpu.cfs_quota_us") + _numbers(
            folder / "cpu.cfs_period_us"
        )
        if len(fields) == 2 and min(fields) > 0:  # "max" and -1 are no limit
            quotas.append(fields[0] / fields[1])
    return min(quotas, default=None)


def _control_groups(root: Path) -> list[Path]:
    """Return the folders that control this process' processor time, from its own up to the top.

    Where a container does not see its own group's path, the top is its group.
    """
    try:
        text = (root / "proc/self/cgroup").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return []
    folders: list[Path] = []
    for line in text.split("\n"):  # "0::/path", or "4:cpu,cpuacct:/path" in version 1
        if line.count(":") < 2:
            continue
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
        group = top / path.strip("/")
        folders += [group, *(parent for parent in group.parents if parent.is_relative_to(top))]
    return folders


def _numbers(path: Path) -> list[int]:
    """Return the numbers in a file; none where it does not exist or says "max"."""
    try:
        return [int(word) for word in path.read_text(encoding="ascii").split()]
    except (OSError, ValueError):
        return []
