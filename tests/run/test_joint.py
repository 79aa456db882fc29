"""Joint batches through the door: one set of utterances for words and speakers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import duovox

JOINT = ("data.batches=joint", "network.stat_pooling_type=mean")
TRAIN = "eval_model=false"
SOURCE = "network.use_data_source_head=true"


def column(run: Path, name: str) -> list[float]:
    with (run / "metrics.csv").open() as file:
        return [float(row[name]) for row in csv.DictReader(file) if row.get(name)]


def test_a_joint_run_learns_and_scores_both_tasks(run_door) -> None:
    objective = run_door("mt_speech_speaker", *JOINT, "speaker.dataloader.train_batch_size=1")
    assert objective is not None
    metrics = json.loads((run_door.run_folder / "metrics.json").read_text())
    assert metrics["test"].keys() == {"demo", "demo_voices"}
    losses = [column(run_door.run_folder, f"train_{task}_loss") for task in ("speech", "speaker")]
    assert [len(values) for values in losses] == [4, 4]
    # 36 utterances of 0.41 s and less, all of them in each batch, heard once for both tasks.
    assert metrics["training"]["audio_hours"] == pytest.approx(4 * 36 * 0.39 / 3600, rel=0.05)


@pytest.mark.parametrize(
    "overrides",
    [
        ["optim.loss.gradient_method=pcgrad", "optim.loss.scale_method=static"],
        ["optim.loss.scale_method=uncertainty", "trainer.accumulate_grad_batches=2"],
        ["network.use_multi_branch_encoder=true", "network.num_shared_transformers=1"],
        ["network.num_speaker_dimensions=6", "trainer.precision=bf16"],
        ["network.enable_ctc_pool_speaker_embedding=true", "network.speaker_head_layer=1"],
        [
            *(f"{task}.pipeline.speeds=[0.9,1.0]" for task in ("speech", "speaker")),
            "speaker.pipeline.speeds_are_speakers=true",
        ],
    ],
    ids=lambda overrides: overrides[0],
)
def test_joint_batches_go_with_every_way_to_learn_from_two_tasks(run_door, overrides) -> None:
    run_door("mt_speech_speaker", TRAIN, *JOINT, *overrides)
    assert len(column(run_door.run_folder, "train_loss")) == 4


@pytest.mark.parametrize(
    "overrides",
    [
        ["network.speaker_head_layer=0"],
        ["network.speaker_head_layer=1", "network.use_gradient_checkpointing=true"],
        ["network.speaker_head_layer=1", "optim.loss.scale_method=gradnorm"],
        ["network.speaker_head_layer=2", "network.num_speaker_dimensions=6"],  # the last
        [SOURCE, "network.reversal_scale=0.5", "optim.loss.data_source_weight=0.2"],
        [SOURCE, "optim.loss.gradient_method=cagrad", "optim.loss.log_task_gradients=true"],
        [SOURCE, "network.use_multi_branch_encoder=true", "network.num_shared_transformers=1"],
        [SOURCE, "network.speaker_head_layer=1", "trainer.precision=bf16"],
    ],
    ids=lambda overrides: " ".join(overrides),
)
def test_the_speaker_head_at_any_layer_and_the_data_source_head_train(run_door, overrides) -> None:
    run_door("mt_speech_speaker", TRAIN, "network.stat_pooling_type=mean", *overrides)
    assert len(column(run_door.run_folder, "train_loss")) == 4
    accuracies = column(run_door.run_folder, "train_data_source_accuracy")
    assert len(accuracies) == (4 if SOURCE in overrides else 0)
    assert all(0 <= accuracy <= 1 for accuracy in accuracies)


def test_a_run_with_both_heads_below_its_last_layer_is_scored(run_door, tiny_corpus) -> None:
    """Its network is made anew from the run folder."""
    chosen = ["network.speaker_head_layer=1", SOURCE, "network.stat_pooling_type=mean"]
    run_door("mt_speech_speaker", *chosen)
    assert (run_door.run_folder / "report.html").is_file()
    audio = next(tiny_corpus.rglob("*.flac"))
    assert duovox.load(run_door.run_folder).embed([audio]).shape == (1, 16)


def test_a_speaker_alone_may_take_a_lower_layer(run_door) -> None:
    run_door("speaker", TRAIN, "network.speaker_head_layer=1", "optim.algo.lr=1e-3")
    assert len(column(run_door.run_folder, "train_speaker_loss")) == 4


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.speaker.train=[elsewhere]"], r"^data\.batches=joint .*speaker\.train must be spee"),
        ([SOURCE], r"network\.use_data_source_head must be false: all utterances are of one"),
        (["speech.pipeline.speeds=[0.9,1.0]"], r"speaker\.pipeline\.speeds must be those of "),
        (["speaker.pipeline.normalize=none"], r"speaker\.pipeline\.normalize must be chunk where"),
        (["speaker.pipeline.min_seconds=1"], r"speaker\.pipeline\.min_seconds must be 0"),
        (["+optim.loss.triplet_weight=1"], r"optim\.loss\.triplet_weight must be 0"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_contradicts_joint_batches_is_refused(run_door, overrides, message) -> None:
    with pytest.raises(ValueError, match=message):
        run_door("mt_speech_speaker", TRAIN, *JOINT, *overrides)


def test_one_task_has_no_joint_batches_and_no_data_source(run_door) -> None:
    with pytest.raises(ValueError, match=r"^data\.batches=joint hears the same utterances for bot"):
        run_door("speech", TRAIN, "+data.batches=joint", "data.speaker=null")
    with pytest.raises(ValueError, match=r"tells the data of two tasks apart, .* has one"):
        run_door("speech", TRAIN, f"+{SOURCE}")
