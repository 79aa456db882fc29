"""The memory that a run and its workers hold is one of its curves."""

from __future__ import annotations

import mmap
import multiprocessing
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from duovox.run.memory_curve import held_bytes

MEGABYTE = 1_000_000
pytestmark = pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="this system does not tell"
)


def hold(num_bytes: int, is_held: Event, is_over: Event) -> None:
    block = new_pages(num_bytes)
    is_held.set()
    is_over.wait(timeout=60)
    block.close()


def new_pages(num_bytes: int) -> mmap.mmap:
    """Return memory from the system, where an allocator might hand out what it has kept."""
    block = mmap.mmap(-1, num_bytes)
    for _ in range(num_bytes // mmap.PAGESIZE):
        block.write(b"1" * mmap.PAGESIZE)
    return block


def test_what_is_held_counts_here_and_in_workers() -> None:
    before = held_bytes()
    block = new_pages(50 * MEGABYTE)
    with_block = held_bytes()
    context = multiprocessing.get_context("fork")
    is_held, is_over = context.Event(), context.Event()
    worker = context.Process(target=hold, args=(80 * MEGABYTE, is_held, is_over))
    worker.start()
    assert is_held.wait(timeout=60)
    with_worker = held_bytes()
    is_over.set()
    worker.join()
    assert before is not None
    assert with_block is not None
    assert with_worker is not None
    assert with_block - before == pytest.approx(50 * MEGABYTE, rel=0.1)
    assert with_worker - with_block == pytest.approx(80 * MEGABYTE, rel=0.2)
    block.close()


def test_each_validation_draws_a_point(run_door) -> None:
    run_door(
        *("speaker", "eval_model=false", "trainer.max_steps=4", "trainer.val_check_interval=2")
    )
    rows = (run_door.run_folder / "metrics.csv").read_text().splitlines()
    place = rows[0].split(",").index("memory_gb")
    points = [float(row.split(",")[place]) for row in rows[1:] if row.split(",")[place]]
    assert len(points) == 2
    assert all(0.1 < point < 100 for point in points)
