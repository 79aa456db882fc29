"""Pre-training through its door, on a corpus and a network of tiny size."""

from __future__ import annotations

import csv
import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

import duovox
from duovox.loss.contrastive import ContrastiveLoss


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_scores_curves_codes_and_a_report(run_ssl_door) -> None:
    objective = run_ssl_door("ssl")
    run = run_ssl_door.run_folder
    metrics = json.loads((run / "metrics.json").read_text())
    validation, test = metrics["validation"]["demo"], metrics["test"]["demo"]
    assert objective == validation["loss"]
    assert 0 <= test["accuracy"] <= 1
    assert len(test["code_perplexity"]) == 2
    assert test["num_utterances"] == 12
    shares = json.loads((run / "codes" / "demo.json").read_text())["shares"]
    assert [len(of_one) for of_one in shares] == [8, 8]
    assert [row["step"] for row in rows(run)] == ["1", "2", "3", "4"]
    logged = set(rows(run)[-1])
    assert logged >= {"train_contrastive", "train_accuracy", "gradient_norm", "gumbel_temperature"}
    assert logged >= {"learning_rate", "share_masked", "train_code_perplexity_2"}
    assert logged >= {"val_loss_ssl", "val_accuracy_demo", "codebook_similarity_max_1"}
    page = (run / "report.html").read_text()
    titles = ("Contrastive accuracy", "Codebook entries in use", "Codebook similarity")
    titles += ("Gumbel temperature", "Share masked", "Audio heard")
    titles += ("Use of the codebooks: demo", "What is hidden")
    assert [title for title in titles if title not in page] == []
    plots = {path.stem for path in (run / "plots").glob("*.png")}
    assert plots >= {"losses", "gradient_norm", "codes_demo", "masked_spans"}
    kept = {path.name for path in (run / "checkpoints").glob("*.ckpt")}
    assert kept == {"init.ckpt", "step-000002.ckpt", "step-000004.ckpt", "best.ckpt", "last.ckpt"}


def test_validation_is_what_scoring_finds_with_the_same_weights(run_ssl_door) -> None:
    run_ssl_door("ssl", "callbacks.monitor=null")
    run = run_ssl_door.run_folder
    scored = json.loads((run / "metrics.json").read_text())["validation"]["demo"]
    assert float(rows(run)[-1]["val_loss_demo"]) == pytest.approx(scored["loss"], rel=1e-5)


def test_the_temperature_follows_the_steps(run_ssl_door) -> None:
    run_ssl_door(
        "ssl",
        "eval_model=false",
        "train.accumulation=2",
        "network.ssl_cfg.gumbel_temperature_factor=0.5",
        "network.ssl_cfg.gumbel_temperature_floor=0.4",
    )
    found = [float(row["gumbel_temperature"]) for row in rows(run_ssl_door.run_folder)]
    assert found == [2.0, 1.0, 0.5, 0.4]


def test_pretraining_changes_every_weight(run_ssl_door, make_ssl_door, tmp_path) -> None:
    for log_folder, steps in (("logs", 0.0), ("still", 1e-3)):
        door = make_ssl_door(tmp_path / log_folder)
        door("ssl", "eval_model=false", f"optim.algo.lr={steps or 1e-12}")
    still, moved = (
        torch.load(path, weights_only=True)["state_dict"]
        for path in sorted(tmp_path.glob("*/*/*/*/checkpoints/last.ckpt"))
    )
    assert still.keys() == moved.keys()
    assert [name for name in still if torch.equal(still[name], moved[name])] == []


def test_a_run_starts_from_the_weights_of_another(run_ssl_door, make_ssl_door, tmp_path) -> None:
    run_ssl_door("ssl", "eval_model=false")
    first = run_ssl_door.run_folder
    door = make_ssl_door(tmp_path / "second")
    door("ssl", "eval_model=false", f"load_from_ckpt={first}", "train.num_steps=1")
    trained, start = (
        torch.load(run / "checkpoints" / name, weights_only=True)["state_dict"]
        for run, name in ((first, "best.ckpt"), (door.run_folder, "init.ckpt"))
    )
    assert all(torch.equal(trained[name], start[name]) for name in trained)


def test_a_run_without_heads_says_what_it_is_good_for(run_ssl_door) -> None:
    run_ssl_door("ssl", "eval_model=false", "train.num_steps=1")
    run = run_ssl_door.run_folder
    with pytest.raises(ValueError, match=rf"good for network\.wav2vec_checkpoint={run} only"):
        duovox.load(run)


@pytest.fixture(scope="module")
def pretrained(make_ssl_door, tmp_path_factory) -> Path:
    """Return the folder of a pre-training run."""
    door = make_ssl_door(tmp_path_factory.mktemp("pretrained"))
    door("ssl", "eval_model=false", "network.architecture.num_layers=1")
    return door.run_folder


def backbone_of(checkpoint: Path) -> dict[str, torch.Tensor]:
    state = torch.load(checkpoint, weights_only=True)["state_dict"]
    return {name: tensor for name, tensor in state.items() if name.startswith("network.backbone.")}


@pytest.mark.parametrize("checkpoint", [".", "checkpoints/step-000002.ckpt"])
@pytest.mark.parametrize("name", ["speech", "speaker", "mt_speech_speaker"])
def test_every_door_starts_from_a_pretrained_backbone(
    name: str, checkpoint: str, pretrained: Path, run_door
) -> None:
    still = ["optim.algo.lr=1e-20", "trainer.max_steps=1", "network.architecture.num_layers=9"]
    objective = run_door(name, *still, f"network.wav2vec_checkpoint={pretrained / checkpoint}")
    assert objective is not None
    given = pretrained / checkpoint if checkpoint != "." else pretrained / "checkpoints/best.ckpt"
    before, after = (
        backbone_of(path) for path in (given, run_door.run_folder / "checkpoints" / "last.ckpt")
    )
    assert before.keys() - after.keys() <= {"network.backbone.embedding.masking.vector"}
    assert len(after) > 30
    assert [name for name in after if not torch.equal(before[name], after[name])] == []
    assert duovox.load(run_door.run_folder) is not None  # it knows its own sizes


def test_pretraining_goes_on_from_a_run_of_its_own_sizes(pretrained: Path, run_ssl_door) -> None:
    run_ssl_door(
        "ssl", "eval_model=false", "train.num_steps=1", f"network.wav2vec_checkpoint={pretrained}"
    )
    before, start = (
        torch.load(run / "checkpoints" / name, weights_only=True)["state_dict"]
        for run, name in ((pretrained, "best.ckpt"), (run_ssl_door.run_folder, "init.ckpt"))
    )
    assert before.keys() == start.keys()
    assert all(torch.equal(before[name], start[name]) for name in before)


def test_a_pretrained_run_is_no_whole_network_for_another_door(pretrained: Path, run_door) -> None:
    one_layer = "network.architecture.num_layers=1"
    with pytest.raises(ValueError, match=r"does not fit this network .*missing: speech_head"):
        run_door("speech", one_layer, f"load_network_from_checkpoint={pretrained}")


def test_a_batch_may_be_a_single_utterance(run_ssl_door) -> None:
    alone = ["data.pipe.train.max_tokens=null", "data.pipe.train.batch_size=1"]
    run_ssl_door("ssl", "eval_model=false", *alone)
    found = rows(run_ssl_door.run_folder)
    assert len(found) == 4
    assert all(math.isfinite(float(row["train_loss"])) for row in found)


def test_a_loss_that_is_no_number_drops_the_step_and_names_its_utterances(
    run_ssl_door, monkeypatch
) -> None:
    original, count = ContrastiveLoss.forward, itertools.count()

    def forward(self: ContrastiveLoss, contexts: torch.Tensor, *rest: Any, **named: Any) -> Any:
        if contexts.requires_grad and next(count) == 1:
            contexts = contexts.clone()
            contexts[0] = math.nan  # one frame of one utterance
        return original(self, contexts, *rest, **named)

    monkeypatch.setattr(ContrastiveLoss, "forward", forward)
    run_ssl_door("ssl", "eval_model=false")
    run = run_ssl_door.run_folder
    (line,) = (run / "bad_steps.jsonl").read_text().splitlines()
    dropped = json.loads(line)
    assert (dropped["step"], dropped["task"], dropped["not_finite"]) == (2, "ssl", "loss")
    assert dropped["keys"]
    state = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    assert all(torch.isfinite(tensor).all() for tensor in state.values())


def test_masks_that_leave_nothing_to_guess_from_stop_the_run_with_a_reason(run_ssl_door) -> None:
    everything = ["percentage_masked=1.0", "mask_length=1", "mask_convention=huggingface"]
    with pytest.raises(ValueError, match=r"(?s)of its \d+ frames are masked.*percentage_masked"):
        run_ssl_door("ssl", *(f"network.ssl_cfg.{setting}" for setting in everything))


def test_weights_of_another_size_are_refused(run_ssl_door, make_ssl_door, tmp_path) -> None:
    run_ssl_door("ssl", "eval_model=false")
    smaller = ["network.ssl_cfg.num_entries=4", f"load_from_ckpt={run_ssl_door.run_folder}"]
    with pytest.raises(ValueError, match=r"quantizer\.codebooks is \(2, 8, 4\), .* \(2, 4, 4\)"):
        make_ssl_door(tmp_path / "second")("ssl", *smaller)


def test_a_frozen_backbone_is_refused(run_ssl_door) -> None:
    with pytest.raises(ValueError, match=r"network\.wav2vec_initially_frozen must be false in pre"):
        run_ssl_door("ssl", "network.wav2vec_initially_frozen=true")
