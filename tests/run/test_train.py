"""Whole runs on a tiny corpus: every door, resuming, and what a run folder holds."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[2]
NUM_STEPS = 14  # of the run that is killed or stopped after step 5
REPLACED = ("config.yaml", "model.json", "metrics.json")  # never written in place


def only_run(folder: Path) -> Path:
    """Return the one run folder below a log folder."""
    (config,) = folder.glob("logs/*/*/*/config.yaml")
    return config.parent


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    """Return the weights of the last checkpoint of a run."""
    checkpoint = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    state: dict[str, torch.Tensor] = checkpoint["state_dict"]
    return state


@pytest.mark.parametrize("door", ["speech", "speaker", "mt_speech_speaker"])
def test_a_door_trains_scores_and_reports(
    door: str, run_door: Callable[..., Any], tmp_path: Path
) -> None:
    objective = run_door(door)
    run = only_run(tmp_path)
    metrics = json.loads((run / "metrics.json").read_text())
    scored = metrics["test"]
    assert ("demo" in scored) == (door != "speaker")
    assert ("demo_voices" in scored) == (door != "speech")
    expected = metrics["validation"].get("demo", {}).get("wer", 0)
    expected += metrics["validation"].get("demo_voices", {}).get("eer", 0)
    assert objective == pytest.approx(expected)
    assert metrics["training"]["steps"] == 4
    assert "report.html" in {path.name for path in run.iterdir()}
    assert math.isfinite(objective)


def test_a_run_says_how_far_it_is_in_lines(run_door, capsys) -> None:
    run_door("mt_speech_speaker")
    lines = capsys.readouterr().out.splitlines()
    starts = (
        "step 2 of 4: val_wer=",
        "step 4 of 4: val_wer=",
        "trained 4 steps in ",
        "scoring demo: ",
        "scoring demo_voices: ",
    )
    for start in starts:
        assert any(line.startswith(start) for line in lines), start


def test_brackets_in_a_name_are_no_markup(run_door, capsys) -> None:
    run_door("speech", "experiment_name='a[/b]'", "trainer.max_steps=1", "eval_model=false")
    assert "a[/b]" in capsys.readouterr().out


def test_the_same_command_resumes_and_a_finished_run_trains_no_more(
    run_door: Callable[..., Any], tmp_path: Path
) -> None:
    first = run_door("speech")
    run = only_run(tmp_path)
    before = weights_of(run)
    for name in REPLACED:
        (tmp_path / name).hardlink_to(run / name)
    second = run_door("speech", "tag=again")  # to the letter the same is not scored again
    after = weights_of(run)
    assert first == second
    assert not any((tmp_path / name).samefile(run / name) for name in REPLACED)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_run_whose_speakers_have_changed_is_left_as_it_was(
    run_door: Callable[..., Any], tmp_path: Path
) -> None:
    run_door("speaker", "eval_model=false")
    path = only_run(tmp_path) / "model.json"
    card = json.loads(path.read_text())
    card["speakers"] = card["speakers"][::-1]
    path.write_text(json.dumps(card))
    with pytest.raises(ValueError, match=r"the same 6 in another order.*resume=false"):
        run_door("speaker", "eval_model=false")
    assert json.loads(path.read_text()) == card


def test_resume_false_keeps_the_earlier_run_beside_the_new_one(
    run_door: Callable[..., Any], tmp_path: Path
) -> None:
    run_door("speech", "eval_model=false")
    run_door("speech", "eval_model=false", "resume=false")
    names = sorted(path.parent.name for path in tmp_path.glob("logs/*/*/*/config.yaml"))
    assert len(names) == 2
    assert names[1] == f"{names[0]}.1"


@pytest.fixture(scope="module")
def commands(make_door: Callable[[Path], Any]) -> Callable[[Path], list[str]]:
    """Return a function that makes the command of a run that draws numbers wherever it can."""
    settings = [
        "eval_model=false",
        "network/regularisation=wav2vec2_default_asr",  # dropout, masks and LayerDrop draw numbers
        "network.stat_pooling_type=attentive",
        "optim.loss.scale_method=dwa",
        "optim/schedule=relative_tri_stage",
        "speech.dataloader.num_workers=1",
        "speaker.dataloader.num_workers=1",
        "speaker.dataloader.train_batch_size=8",
        "speech.pipeline.speeds=[0.9,1.0,1.1]",
        "trainer.accumulate_grad_batches=2",
        f"trainer.max_steps={NUM_STEPS}",
        "trainer.val_check_interval=4",
    ]
    door = str(REPOSITORY / "run_mt_speech_speaker.py")
    return lambda folder: [sys.executable, door, *make_door(folder / "logs").overrides, *settings]


@pytest.fixture(scope="module")
def expected(commands, tmp_path_factory) -> dict[str, torch.Tensor]:
    """Return the weights of that run when nobody disturbs it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    subprocess.run(commands(folder), check=True, cwd=folder)
    return weights_of(only_run(folder))


def test_a_run_killed_mid_way_ends_with_the_weights_of_an_undisturbed_one(
    commands, expected, tmp_path: Path
) -> None:
    command = [*commands(tmp_path), "callbacks.save_every_minutes=0"]
    send_behind_step(5, signal.SIGKILL, command, tmp_path)
    subprocess.run(command, check=True, cwd=tmp_path)
    found = weights_of(only_run(tmp_path))
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_a_run_told_to_stop_does_so_with_its_workers_and_goes_on_from_its_last_step(
    commands, expected, tmp_path: Path, number: int, code: int
) -> None:
    command = commands(tmp_path)  # saves by the clock every ten minutes
    name = signal.Signals(number).name
    found_code, said = send_behind_step(5, number, command, tmp_path)
    step = saved_step(tmp_path)
    assert found_code == code
    reason = f"training stopped after step {step} of {NUM_STEPS} by {name}"
    assert f"{reason}; the same command resumes" in said
    assert "Traceback" not in said
    assert 5 <= step < NUM_STEPS
    subprocess.run(command, check=True, cwd=tmp_path)
    found = weights_of(only_run(tmp_path))
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


def send_behind_step(step: int, number: int, command: list[str], folder: Path) -> tuple[int, str]:
    """Start a run, and send it and all its workers a signal once it has made some steps.

    Returns:
        Its exit code, and what it said on stderr.
    """
    process = subprocess.Popen(
        command, start_new_session=True, cwd=folder, stderr=subprocess.PIPE, text=True
    )
    try:
        while logged_step(folder) < step:
            assert process.poll() is None, "the run ended by itself"
            time.sleep(0.005)
    finally:
        os.killpg(process.pid, number)
        _, said = process.communicate(timeout=300)
    return process.returncode, said


def logged_step(folder: Path) -> int:
    try:
        (path,) = folder.glob("logs/*/*/*/metrics.csv")
        return int(path.read_text().splitlines()[-1].split(",")[0])
    except (ValueError, FileNotFoundError):
        return 0


def saved_step(folder: Path) -> int:
    path = only_run(folder) / "checkpoints" / "last.ckpt"
    step: int = torch.load(path, weights_only=True)["global_step"]
    return step
