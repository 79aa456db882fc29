"""Fine-tuning through its door, on a corpus and a network of tiny size."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from duovox.run.convert import convert
from duovox.run.weights import load_network

FROZEN = ("backbone.feature_encoder.", "backbone.embedding.feature_norm.")
FROZEN += ("backbone.embedding.projection.",)


def weights(checkpoint: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = torch.load(checkpoint, weights_only=True)["state_dict"]
    return {name.removeprefix("network."): tensor for name, tensor in state.items()}


def changed(pretrained: Path, run: Path) -> set[str]:
    """Return the names of the backbone's weights that are not those of pre-training."""
    before = weights(pretrained / "checkpoints" / "best.ckpt")
    after = weights(run / "checkpoints" / "last.ckpt")
    shared = {name for name in after if name.startswith("backbone.")}
    assert shared <= before.keys()
    return {name for name in shared if not torch.equal(before[name], after[name])}


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_transformer_learns_after_its_steps_and_the_convolutions_never(
    run_ft_door, pretrained_run
) -> None:
    freeze = "network.asr_cfg.freeze_transformer_for_initial_steps=2"
    objective = run_ft_door("ft_asr", f"load_from_ckpt={pretrained_run}", freeze)
    run = run_ft_door.run_folder
    metrics = json.loads((run / "metrics.json").read_text())
    assert objective == metrics["validation"]["demo"]["wer"]
    assert metrics["test"]["demo"]["num_utterances"] == 12
    assert [path.name for path in (run / "checkpoints").iterdir()] == ["last.ckpt"]
    learnt = changed(pretrained_run, run)
    assert {n for n in weights(run / "checkpoints" / "last.ckpt") if n.startswith(FROZEN)}
    assert not {name for name in learnt if name.startswith(FROZEN)}
    assert {name.split(".")[1] for name in learnt} == {"embedding", "transformer"}
    assert "backbone.embedding.masking.vector" in learnt


def test_while_it_is_frozen_the_head_alone_learns(run_ft_door, pretrained_run) -> None:
    run_ft_door("ft_asr", f"load_from_ckpt={pretrained_run}", "eval_model=false")
    assert changed(pretrained_run, run_ft_door.run_folder) == set()
    losses = [float(row["train_speech_loss"]) for row in rows(run_ft_door.run_folder)]
    assert len(set(losses)) == 4


@pytest.mark.parametrize("source", ["checkpoints/best.ckpt", "duovox", "huggingface"])
def test_it_starts_from_a_file_or_a_converted_folder_just_as_well(
    make_ft_door, pretrained_run, tmp_path, source: str
) -> None:
    place = pretrained_run / source
    if source in ("duovox", "huggingface"):
        place = tmp_path / source
        convert(pretrained_run, place, to=source)  # type: ignore[arg-type]
    for name, start in (("here", pretrained_run), ("there", place)):
        door = make_ft_door(tmp_path / name)
        door("ft_asr", f"load_from_ckpt={start}", "eval_model=false", "train.num_steps=1")
    here, there = (
        weights(path) for path in sorted(tmp_path.glob("*here/*/*/*/checkpoints/last.ckpt"))
    )
    assert all(torch.equal(here[name], there[name]) for name in here)


def test_the_head_begins_with_blanks(run_ft_door, pretrained_run) -> None:
    rate = "optim.algo.lr=1e-12"
    run_ft_door("ft_asr", f"load_from_ckpt={pretrained_run}", rate, "train.num_steps=1")
    text = (run_ft_door.run_folder / "hypotheses" / "demo.jsonl").read_text()
    assert {json.loads(line)["hypothesis"] for line in text.splitlines()} == {""}


def test_a_sample_is_drawn_by_its_seed_and_told_in_the_config(
    make_ft_door, pretrained_run, tmp_path, capsys
) -> None:
    for seed in (1, 2):
        door = make_ft_door(tmp_path / f"{seed}")
        sample = ["data.set.sample_utterances=5", f"data.set.sample_seed={seed}"]
        door("ft_asr", f"load_from_ckpt={pretrained_run}", *sample, "eval_model=false")
    assert capsys.readouterr().out.count("speech: 5 training utterances") == 2
    first, second = (rows(p.parent) for p in sorted(tmp_path.glob("*/*/*/*/metrics.csv")))
    assert first[0]["train_speech_loss"] != second[0]["train_speech_loss"]


def test_validation_can_wait_and_training_stop_before_the_schedule_ends(
    run_ft_door, pretrained_run
) -> None:
    settings = ["train.num_steps=8", "train.stop_at=6", "train.val_delay=3"]
    settings += ["train.val_interval=2", "optim/schedule=linear_tri_stage"]
    run_ft_door("ft_asr", f"load_from_ckpt={pretrained_run}", *settings, "eval_model=false")
    run = run_ft_door.run_folder
    assert [row["step"] for row in rows(run) if row["val_wer"]] == ["4", "6"]
    rates = [float(r["learning_rate"]) for r in rows(run) if r["learning_rate"]]
    assert rates[-1] == pytest.approx(5e-5 * 3 / 4)  # step 5 of 8, of which 4 to 8 fall


def test_an_exported_run_gives_the_same_logits_in_transformers(
    run_ft_door, pretrained_run, tiny_corpus, tmp_path
) -> None:
    import soundfile
    from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

    run_ft_door("ft_asr", f"load_from_ckpt={pretrained_run}", "eval_model=false")
    run = run_ft_door.run_folder
    convert(run, tmp_path / "exported", to="huggingface")
    network, _ = load_network(run)
    model = Wav2Vec2ForCTC.from_pretrained(tmp_path / "exported").eval()
    processor = Wav2Vec2Processor.from_pretrained(tmp_path / "exported")
    for path in sorted((tiny_corpus / "audio" / "i").glob("*.flac")):
        wave, rate = soundfile.read(path, dtype="float32")
        with torch.inference_mode():
            theirs = model(processor(wave, sampling_rate=rate, return_tensors="pt").input_values)
            ours = network(torch.from_numpy(wave)[None], torch.tensor([len(wave)]), task="speech")
        torch.testing.assert_close(ours.token_logits, theirs.logits, atol=1e-4, rtol=1e-4)
