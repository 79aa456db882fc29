"""On a real Slurm, runs of a grid that are disturbed end with the weights of undisturbed ones."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
RATES = ("1E-3", "1.78E-3", "3.16E-3")
SHORT, LONG = 150, 700  # steps: some seconds, and more than half a minute
SETTINGS = ("trainer.val_check_interval=75", "trainer.log_every_n_steps=5")
SETTINGS += ("speech.dataloader.num_workers=1",)
LAUNCHER = ("hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1")

pytestmark = pytest.mark.slurm


class Grid:
    """A sweep over learning rates in a log folder of its own."""

    def __init__(self, door: Any, rates: tuple[str, ...], *settings: str) -> None:
        self.folder = door.log_folder
        self.rates = rates
        self.name = f"grid-{uuid.uuid4().hex[:8]}"
        rate = f"optim.algo.lr={','.join(rates)}"
        launcher = (*LAUNCHER, f"hydra.launcher.name={self.name}")
        script = str(REPOSITORY / "run_speech.py")
        overrides = (*door.overrides, *SETTINGS, *launcher, rate, *settings)
        self.command = [sys.executable, script, "-m", *overrides]

    @contextmanager
    def submitted(self) -> Iterator[subprocess.Popen[bytes]]:
        """Type the command, and leave nothing of it behind."""
        with subprocess.Popen(self.command) as process:
            try:
                wait_until(self.jobs, "submitted", process)
                yield process
            finally:
                process.kill()
                slurm("scancel", f"--name={self.name}")

    def jobs(self) -> dict[str, str]:
        """Return the state of each job that is not over, by its name in Slurm."""
        form = "--format=%F_%K %T"
        lines = slurm("squeue", "--noheader", "--array", f"--name={self.name}", form)
        return dict(line.replace("_N/A", "").split() for line in lines.splitlines())

    def job(self, rate: str) -> str:
        """Return the name of a rate's job in an array."""
        number = str(self.rates.index(rate))
        (name,) = (job for job in self.jobs() if job.endswith(f"_{number}"))
        return name

    def wait(self, process: subprocess.Popen[bytes] | None = None) -> None:
        """Wait until no job is left; what is queued again need not wait for two minutes."""
        wait_until(lambda: not self._hurried(), "over", process)

    def _hurried(self) -> dict[str, str]:
        jobs = self.jobs()
        for job in (job for job, state in jobs.items() if state == "PENDING"):
            hurry = ["scontrol", "update", f"JobId={job}", "StartTime=now"]
            subprocess.run(hurry, capture_output=True, check=False)  # it may just have started
        return jobs

    def run(self, rate: str) -> Path | None:
        """Return the folder of a rate's run, once it is there."""
        for config in self.folder.glob("*/*/*/config.yaml"):
            settings = yaml.safe_load(config.read_text())
            if settings["optim"]["algo"]["lr"] == float(rate):
                return Path(config.parent)
        return None

    def step(self, rate: str) -> int:
        """Return how many steps are in a rate's curves."""
        run = self.run(rate)
        if run is None or not (run / "metrics.csv").is_file():
            return 0
        _, *rows = (run / "metrics.csv").read_text().rpartition("\n")[0].splitlines()
        return int(rows[-1].split(",")[0]) if rows else 0  # a line may be half written

    def weights(self, rate: str) -> dict[str, torch.Tensor]:
        """Return the last weights of a rate's run."""
        run = self.run(rate)
        assert run is not None
        checkpoint = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
        state: dict[str, torch.Tensor] = checkpoint["state_dict"]
        return state

    def said(self) -> str:
        """Return what the jobs said."""
        logs = sorted(self.folder.glob("*/sweep/*/.submitit/*/*_log.*"))
        return "".join(path.read_text() for path in logs)


def slurm(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def wait_until(
    is_so: Callable[[], object], what: str, process: subprocess.Popen[bytes] | None = None
) -> None:
    end = (
        time.monotonic() + 300
    )  # half a minute a job on a busy machine, and Slurm looks every 30 s
    while not is_so():
        assert time.monotonic() < end, f"not {what} in time"
        assert process is None or process.poll() in (None, 0), "the command failed"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def undisturbed(make_door, tmp_path_factory) -> Callable[[str, int], dict[str, torch.Tensor]]:
    """Return a function that trains one rate in this process, without Slurm and signals."""

    def weights(rate: str, steps: int) -> dict[str, torch.Tensor]:
        door = make_door(tmp_path_factory.mktemp("undisturbed"))
        settings = (*SETTINGS, f"trainer.max_steps={steps}", "eval_model=false")
        door("speech", f"optim.algo.lr={rate}", *settings)
        return Grid(door, (rate,)).weights(rate)

    return weights


def different(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> list[str]:
    return [name for name in one if not torch.equal(one[name], other[name])]


def test_a_grid_with_a_requeued_and_a_cancelled_job_is_submitted_again(
    undisturbed, make_door, tmp_path: Path
) -> None:
    grid = Grid(make_door(tmp_path / "logs"), RATES, f"trainer.max_steps={SHORT}")
    requeued, cancelled, left_alone = RATES
    with grid.submitted() as process:
        wait_until(lambda: min(map(grid.step, RATES)) >= 10, "training", process)
        slurm("scontrol", "requeue", grid.job(requeued))
        slurm("scancel", grid.job(cancelled))
        grid.wait(process)
    assert "DUE TO JOB REQUEUE" in grid.said()
    assert grid.said().count("told to stop: finishing the step") == 2
    assert 10 <= grid.step(cancelled) < SHORT
    done = {rate: grid.run(rate) for rate in (requeued, left_alone)}
    scored = {run: (run / "metrics.json").stat().st_mtime_ns for run in done.values() if run}
    assert len(scored) == 2
    with grid.submitted() as process:
        grid.wait(process)
        assert process.wait(timeout=60) == 0
    assert grid.said().count("already trained and scored") == 2
    assert scored == {run: (run / "metrics.json").stat().st_mtime_ns for run in scored}
    for rate in RATES:
        assert different(undisturbed(rate, SHORT), grid.weights(rate)) == []


def test_a_job_that_meets_its_time_limit_goes_on_in_the_next(
    undisturbed, make_door, tmp_path: Path
) -> None:
    """Slurm looks every 30 s, so the warning comes in the first half of the one minute there is."""
    limit = ("hydra.launcher.timeout_min=1", "hydra.launcher.signal_delay_s=30")
    settings = (f"trainer.max_steps={LONG}", "eval_model=false")
    grid = Grid(make_door(tmp_path / "logs"), RATES[:1], *settings, *limit)
    with grid.submitted() as process:
        grid.wait(process)
        assert process.wait(timeout=60) == 0
    assert "this job is timed-out" in grid.said()
    assert "told to stop: finishing the step" in grid.said()
    assert different(undisturbed(RATES[0], LONG), grid.weights(RATES[0])) == []


def test_a_job_that_is_preempted_goes_on_when_the_other_is_over(
    undisturbed, make_door, tmp_path: Path
) -> None:
    """In its period of grace: Slurm would not queue it again by itself."""
    settings = (f"trainer.max_steps={SHORT}", "eval_model=false")
    grid = Grid(make_door(tmp_path / "logs"), RATES[:1], *settings)
    with grid.submitted() as process:
        wait_until(lambda: grid.step(RATES[0]) >= 10, "training", process)
        slurm("sbatch", "--partition=urgent", "--exclusive", "--output=/dev/null", "--wrap=sleep 1")
        grid.wait(process)
        assert process.wait(timeout=60) == 0
    assert "this job is preempted" in grid.said()
    assert "told to stop: finishing the step" in grid.said()
    assert different(undisturbed(RATES[0], SHORT), grid.weights(RATES[0])) == []
