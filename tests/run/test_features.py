"""Settings that a run may have, each through a door, each doing what it says."""

from __future__ import annotations

import csv
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from duovox.run.curve_file import CurveFile
from duovox.run.weights import ModelCard

REPOSITORY = Path(__file__).resolve().parents[2]
TRAIN = "eval_model=false"
SCHEDULES = sorted(path.stem for path in (REPOSITORY / "config/optim/schedule").glob("*.yaml"))
POOLINGS = (
    *("mean", "mean+std", "attentive", "quantile", "max", "first", "first+cls"),
    *("first+cls+learnable", "last", "middle", "random"),
)


def state_of(run: Path, name: str = "last.ckpt") -> dict[str, torch.Tensor]:
    checkpoint = torch.load(run / "checkpoints" / name, weights_only=True)
    state: dict[str, torch.Tensor] = checkpoint["state_dict"]
    return state


def column(run: Path, name: str) -> list[float]:
    with (run / "metrics.csv").open() as file:
        return [float(row[name]) for row in csv.DictReader(file) if row.get(name)]


@pytest.mark.parametrize(
    ("schedule", "pooling"), [*itertools.zip_longest(SCHEDULES, POOLINGS, fillvalue="mean")]
)
def test_every_schedule_and_every_pooling_trains(run_door, schedule: str, pooling: str) -> None:
    chosen = [f"optim/schedule={schedule}", f"network.stat_pooling_type={pooling}"]
    run_door("speaker", TRAIN, *chosen, "optim.algo.lr=1e-3")
    assert all(torch.isfinite(tensor).all() for tensor in state_of(run_door.run_folder).values())
    rates = column(run_door.run_folder, "learning_rate")
    assert len(rates) == 4
    moves = schedule not in {"constant", "reduce_on_plateau", "schedule_wav2spk"}
    assert (len(set(rates)) > 1) == moves
    if not schedule.startswith(("cyclic", "schedule_wav2vec")):  # those have rates of their own
        assert max(rates) <= 1e-3 * (1 + 1e-6)


BRANCHED = ["network.use_multi_branch_encoder=true", "network.num_shared_transformers=1"]
LEARNED = ["optim.loss.scale_method=uncertainty", "network/regularisation=wav2vec2_default_asr"]
ACCUMULATED = ["trainer.accumulate_grad_batches=2"]


@pytest.mark.parametrize(
    "overrides",
    [
        BRANCHED,
        ["network.num_speaker_dimensions=6"],
        ["network.enable_ctc_pool_speaker_embedding=true"],
        [
            "network.enable_ctc_pool_speaker_embedding=true",
            "network.ctc_pool_on_blank_embeddings=true",
            *BRANCHED,
        ],
        ["network.stat_pooling_type=first+cls", "network.num_speaker_dimensions=6"],
        ["network/regularisation=wav2vec2_default_asr"],
        ["network.use_gradient_checkpointing=true"],
        ["optim.loss.scale_method=static", "optim.loss.static_speech_weight=0.88"],
        ["optim.loss.scale_method=max"],
        ["optim.loss.scale_method=null"],
        ["optim.loss.scale_method=uncertainty"],
        ["optim.loss.scale_method=random"],
        ["optim.loss.scale_method=geometric"],
        ["optim.loss.scale_method=gradnorm"],
        ["optim.loss.scale_method=gradnorm", *BRANCHED, "network.num_shared_transformers=0"],
        ["optim.loss.scale_method=gradnorm", "network.use_gradient_checkpointing=true"],
        ["optim.loss.gradient_method=pcgrad"],
        ["optim.loss.gradient_method=cagrad", "network.stat_pooling_type=first+cls+learnable"],
        ["optim.loss.gradient_method=mgda", *BRANCHED],
        ["optim.loss.gradient_method=imtl_g", "network.use_gradient_checkpointing=true"],
        ["optim.loss.gradient_method=pcgrad", "trainer.precision=bf16", *LEARNED, *ACCUMULATED],
        ["optim.loss.use_cross_entropy=true", "network.use_cosine_linear=false"],
        ["trainer.precision=bf16"],
    ],
    ids=lambda overrides: overrides[0].rpartition(".")[2],
)
def test_every_form_of_the_shared_network_trains_and_rebuilds_itself(run_door, overrides) -> None:
    from duovox.run.weights import load_network

    run_door("mt_speech_speaker", TRAIN, "trainer.max_steps=2", *overrides)
    network, _ = load_network(run_door.run_folder)
    assert all(torch.isfinite(tensor).all() for tensor in network.state_dict().values())
    for task in ("speech", "speaker"):
        (loss, *_) = column(run_door.run_folder, f"train_{task}_loss")
        assert loss > 0


def test_frozen_weights_wait_for_their_step_while_the_heads_learn(run_door) -> None:
    frozen = ["network.wav2vec_initially_frozen=true", "network.num_frozen_steps=2"]
    states = []
    for steps in (1, 2, 3):
        arguments = ["mt_speech_speaker", TRAIN, *frozen, f"trainer.max_steps={steps}"]
        run_door(*arguments, f"experiment_name=steps{steps}")
        (path,) = run_door.log_folder.glob(f"*/steps{steps}/[!.]*")
        states.append(state_of(path))
    for name in states[0]:
        changes = [not torch.equal(a[name], b[name]) for a, b in itertools.pairwise(states)]
        if "backbone" not in name:
            assert changes == [True, True], name
        elif "transformer" in name and name.endswith("weight"):
            assert changes == [False, True], name


def test_gradients_are_clipped(run_door) -> None:
    settings = ["optim/algo=sgd", "optim.algo.momentum=0", "optim.algo.nesterov=false"]
    settings += ["optim.algo.lr=1.0", "trainer.max_steps=2", "trainer.val_check_interval=1"]
    settings += ["callbacks.save_every_minutes=0", "trainer.gradient_clip_val=1e-3"]
    run_door("speech", TRAIN, *settings)
    before, after = (state_of(run_door.run_folder, f"{name}.ckpt") for name in ("best", "last"))
    moved = torch.stack([(after[name] - before[name]).norm() for name in before]).norm()
    assert moved <= 1.01e-3
    assert column(run_door.run_folder, "gradient_norm")[0] > 1e-3  # as it was before


class TestLoadNetwork:
    """load_network_from_checkpoint: weights to start from."""

    @pytest.mark.parametrize("form", ["run folder", "checkpoint"])
    def test_training_starts_from_its_weights(self, run_door, finished_run, form: str) -> None:
        best = finished_run / "checkpoints" / "best.ckpt"
        source = finished_run if form == "run folder" else best
        settings = ["trainer.max_steps=1", "optim.algo.lr=1e-12"]
        run_door("mt_speech_speaker", TRAIN, *settings, f"load_network_from_checkpoint={source}")
        expected, found = state_of(finished_run, "best.ckpt"), state_of(run_door.run_folder)
        for name in expected:
            torch.testing.assert_close(found[name], expected[name], rtol=0, atol=1e-9)

    def test_they_can_be_scored_without_training(self, run_door, finished_run) -> None:
        run_door(
            "mt_speech_speaker",
            "fit_model=false",
            f"load_network_from_checkpoint={finished_run}",
        )
        first, again = (
            json.loads((run / "metrics.json").read_text())["test"]
            for run in (finished_run, run_door.run_folder)
        )
        assert again == first

    def test_a_wider_margin_goes_on_without_speeds_as_speakers(self, run_door, capsys) -> None:
        speeds = "speaker.pipeline.speeds=[0.9,1.0]"
        aam = ["optim/loss=aam_softmax", "network.use_cosine_linear=true"]
        settings = [*aam, "network.num_speaker_centers=2", "optim.loss.aam_inter_top_k=1"]
        run_door("speaker", TRAIN, *settings, speeds, "speaker.pipeline.speeds_are_speakers=true")
        source = run_door.run_folder
        wider = ["optim.loss.aam_margin=0.5", "optim.loss.aam_margin_warmup_steps=1"]
        still = ["trainer.max_steps=1", "optim.algo.lr=1e-12"]
        run_door(
            "speaker", TRAIN, *settings, *wider, *still, f"load_network_from_checkpoint={source}"
        )
        (run,) = {one.parent for one in run_door.log_folder.glob("*/*/*/config.yaml")} - {source}
        classes = [len(ModelCard.load(one).speakers or ()) for one in (source, run)]
        assert classes[0] == 2 * classes[1]
        told = f"the speaker head keeps {classes[1]} of the {classes[0]} classes of"
        assert told in capsys.readouterr().out
        before, after = (
            state_of(one, name)["network.speaker_head.weight"].view(2, -1, 16)
            for one, name in ((source, "best.ckpt"), (run, "last.ckpt"))
        )
        torch.testing.assert_close(after, before[:, : classes[1]], rtol=0, atol=1e-9)

    def test_every_mismatch_is_an_error(self, run_door, finished_run) -> None:
        with pytest.raises(ValueError, match=r"does not fit this network \(1 differences; shape: "):
            run_door(
                "mt_speech_speaker",
                TRAIN,
                "network.stat_pooling_type=mean+std",
                f"load_network_from_checkpoint={finished_run}",
            )

    def test_a_place_without_a_checkpoint_is_an_error(self, run_door, tmp_path) -> None:
        with pytest.raises(ValueError, match=r"has neither model\.json nor config\.json"):
            run_door("speech", TRAIN, f"load_network_from_checkpoint={tmp_path}")

    def test_nothing_to_score_is_an_error(self, run_door) -> None:
        with pytest.raises(
            ValueError, match=r"holds no checkpoint: train first \(fit_model=true\)"
        ):
            run_door("speech", "fit_model=false")


def test_speeds_may_be_speakers(run_door) -> None:
    speeds = "speaker.pipeline.speeds=[0.9,1.0,1.1]"
    run_door("speaker", TRAIN, speeds, "speaker.pipeline.speeds_are_speakers=true")
    card = json.loads((run_door.run_folder / "model.json").read_text())
    assert card["speakers"] == [
        *"abcdef",
        *(f"{s} x0.9" for s in "abcdef"),
        *(f"{s} x1.1" for s in "abcdef"),
    ]


def test_labels_of_a_run_name_its_folder_and_stay_in_its_config(run_door) -> None:
    run_door("speech", TRAIN, "project_name=p", "experiment_name=e", "tag=[no_reg,lr_grid]")
    run = run_door.run_folder
    assert run.parts[-3:-1] == ("p", "e")
    assert "- lr_grid" in (run / "config.yaml").read_text()


def test_a_logger_that_fails_does_not_stop_training(run_door, monkeypatch) -> None:
    def fail(self: Any, *args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CurveFile, "add", fail)
    with pytest.warns(UserWarning, match=r"metrics\.csv can't be written"):
        run_door("speech", TRAIN)
    assert json.loads((run_door.run_folder / "training.json").read_text())["steps"] == 4


def test_tensorboard_is_written_by_setting(run_door) -> None:
    run_door("speech", TRAIN, "use_tensorboard=true")
    assert list((run_door.run_folder / "tensorboard").glob("events.out.*"))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of wandb's own
def test_wandb_is_written_offline_without_a_key_and_a_run_that_goes_on_is_the_same(
    run_door, monkeypatch
) -> None:
    import wandb

    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("WANDB_SILENT", "true")
    for _ in range(2):  # the second time as a job that was queued again
        run_door("speech", TRAIN, "use_wandb=true", "tag=[a,b]")
        wandb.finish()
        (run_door.run_folder / "training.json").unlink()
    written = (run_door.run_folder / "wandb").glob("offline-run-*")
    assert {path.name.rpartition("-")[2] for path in written} == {run_door.run_folder.name}


@pytest.mark.slow
def test_a_sweep_is_a_run_per_value(tiny_settings, tmp_path) -> None:
    values = ["-m", "optim.algo.lr=1e-4,1e-3", "speech.dataloader.num_workers=1"]
    command = [sys.executable, str(REPOSITORY / "run_speech.py"), *values, *tiny_settings]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, cwd=tmp_path, env=environment)
    runs = [path.parent for path in (tmp_path / "logs").glob("*/*/*/config.yaml")]
    rates = {line for run in runs for line in (run / "config.yaml").read_text().split("\n")}
    assert len(runs) == 2
    assert {"    lr: 0.0001", "    lr: 0.001"} <= rates
    assert all((run / "metrics.json").is_file() for run in runs)


@pytest.mark.slow
def test_a_mistake_at_a_real_door_ends_in_a_sentence_and_exit_code_1(tiny_settings, tmp_path):
    for arguments in (["trainer.max_step=3"], ["-m", "optim/schedule=constant", "sed=1,2"]):
        command = [sys.executable, str(REPOSITORY / "run_speech.py"), *arguments, *tiny_settings]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 1
        assert "Did you mean" in done.stderr
        assert "Traceback" not in done.stderr
    command = [
        sys.executable,
        str(REPOSITORY / "run_speech.py"),
        *tiny_settings,
        "data.speech.train=[no]",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("no is no data set: there is no such folder")


def test_what_training_heard_is_counted(run_door) -> None:
    run_door("speech", TRAIN)
    training = json.loads((run_door.run_folder / "training.json").read_text())
    assert training["audio_hours"] == pytest.approx(4 * 36 * 6250 / 16_000 / 3600)
    assert training["seconds"] > 0
