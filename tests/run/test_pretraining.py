"""Pre-training through its door, on a corpus and a network of tiny size."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch

import duovox


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
    assert (run / "report.html").is_file()


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


def test_weights_of_another_size_are_refused(run_ssl_door, make_ssl_door, tmp_path) -> None:
    run_ssl_door("ssl", "eval_model=false")
    smaller = ["network.ssl_cfg.num_entries=4", f"load_from_ckpt={run_ssl_door.run_folder}"]
    with pytest.raises(ValueError, match=r"quantizer\.codebooks is \(2, 8, 4\), .* \(2, 4, 4\)"):
        make_ssl_door(tmp_path / "second")("ssl", *smaller)


def test_a_frozen_backbone_is_refused(run_ssl_door) -> None:
    with pytest.raises(ValueError, match=r"network\.wav2vec_initially_frozen must be false in pre"):
        run_ssl_door("ssl", "network.wav2vec_initially_frozen=true")
