"""Weights travel as tensors and plain data, and every mismatch is listed."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.head.ctc import CtcHead
from duovox.network.wav2vec2 import pretrained
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format.own import checkpoint_of
from duovox.network.wav2vec2.format.vocabulary import LETTERS
from duovox.run.weights import (
    ModelCard,
    checkpoint_to_resume,
    load_network,
    load_weights,
    threshold_of,
)

GOLDEN = Path(__file__).parents[1] / "network" / "wav2vec2" / "format" / "golden"
CARD = ModelCard(
    vocabulary=["<pad>", "Ä"],
    speakers=None,
    architecture={"_target_": "x"},
    normalizes={"speech": True},
)


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """Return a copy of the finished run."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def test_a_card_is_read_as_it_was_written(tmp_path: Path) -> None:
    CARD.write(tmp_path)
    assert ModelCard.load(tmp_path) == CARD
    assert "Ä" in (tmp_path / "model.json").read_text(encoding="utf-8")


def test_a_damaged_card_is_named(tmp_path: Path) -> None:
    CARD.write(tmp_path)
    path = tmp_path / "model.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"speakerz": 1}))
    with pytest.raises(ValueError, match=r"unknown setting model\.json\.speakerz"):
        ModelCard.load(tmp_path)
    path.write_text(path.read_text()[:20])
    with pytest.raises(ValueError, match=r"model\.json is damaged, restore it: Unterm"):
        ModelCard.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"speakers": ["a", "c", "b"]}, "other speakers .*the same 3 in another order"),
        ({"speakers": ["a", "b", "d", "e"]}, "3 then, 4 now; gone: c; new: d, e.*resume=false"),
        ({"speakers": None}, r"other speakers .*\['a', 'b', 'c'\] then, None now"),
        ({"vocabulary": ["<pad>"]}, "other vocabulary .*2 then, 1 now; gone: Ä"),
        ({"architecture": {"width": (2, 3)}}, r"other architecture .*\[1, 2\]} then"),
    ],
)
def test_a_run_goes_on_only_as_the_same_network(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    card = replace(CARD, speakers=["a", "b", "c"], architecture={"width": (1, 2)})
    other = replace(card, **change)
    (tmp_path / "checkpoints").mkdir()
    card.write(tmp_path)
    other.check_continues(tmp_path)  # there are no weights yet
    (tmp_path / "checkpoints" / "last.ckpt").touch()
    card.check_continues(tmp_path)
    with pytest.raises(ValueError, match=message):
        other.check_continues(tmp_path)


def test_sizes_that_an_early_card_lacks_are_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").touch()
    replace(CARD, architecture={"width": 8}).write(tmp_path)
    unpadded = {"width": 8, "conv_paddings": (0,) * 7, "conv_activation": "gelu"}
    replace(CARD, architecture=unpadded).check_continues(tmp_path)
    padded = unpadded | {"conv_paddings": (3, 1, 1, 1, 1, 0, 0)}
    with pytest.raises(ValueError, match="other architecture"):
        replace(CARD, architecture=padded).check_continues(tmp_path)


def test_a_network_rebuilds_itself_from_its_run_folder_alone(run: Path) -> None:
    network, card = load_network(run)
    checkpoint = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, checkpoint["state_dict"][f"network.{name}"])
    assert not network.training
    assert card.speakers == list("abcdef")
    assert card.vocabulary is not None
    assert card.vocabulary[0] == "<pad>"


def test_a_network_needs_neither_its_data_nor_the_checkpoint_it_began_with(run: Path) -> None:
    path = run / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["network"]["wav2vec_checkpoint"] = "/gone/facebook-wav2vec2-base"
    config["data_folder"] = "/gone"
    path.write_text(yaml.safe_dump(config))
    load_network(run)


def test_a_run_folder_from_a_stranger_runs_no_code(run: Path, tmp_path: Path) -> None:
    torch.save(Bomb(), tmp_path / "bomb.pt")
    path = run / "model.json"
    target = "duovox.network.wav2vec2.pretrained.load"
    bomb = {"_target_": target, "source": str(tmp_path / "bomb.pt"), "trust": True}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"architecture": bomb}))
    with pytest.raises(ValueError, match=r"architecture\._target_ must name something in"):
        load_network(run)


def test_the_best_checkpoint_is_preferred_to_the_last(run: Path) -> None:
    assert checkpoint_of(run).name == "best.ckpt"
    (run / "checkpoints" / "best.ckpt").unlink()
    assert checkpoint_of(run).name == "last.ckpt"
    (run / "checkpoints" / "last.ckpt").unlink()
    with pytest.raises(ValueError, match=r"holds no checkpoint: train first \(fit_model=true\)"):
        checkpoint_of(run)


class Trained(torch.nn.Module):
    """What a run trains, as far as checkpoints see it."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network


def test_a_run_resumes_from_a_whole_last_checkpoint(run: Path) -> None:
    module = Trained(load_network(run)[0])
    path = run / "checkpoints" / "last.ckpt"
    assert checkpoint_to_resume(run, module) == path
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"last\.ckpt is damaged .*cut short.*resume=false"):
        checkpoint_to_resume(run, module)
    path.unlink()
    assert checkpoint_to_resume(run, module) is None


STATE: dict[str, Any] = {"loops": {}, "optimizer_states": [], "lr_schedulers": [], "callbacks": {}}


@pytest.mark.parametrize(
    ("foreign", "why"),
    [
        ({"model": {"weight": torch.zeros(2)}}, r"it has no state_dict of tensors"),
        ({"state_dict": {"weight": 2}}, r"it has no state_dict of tensors"),
        ([torch.zeros(2)], r"it has no state_dict of tensors"),
        ({"state_dict": {}, "loops": {}}, r"it lacks callbacks, lr_schedulers, optimizer_states"),
        (STATE | {"state_dict": {"a": torch.zeros(2)}}, r"it is of another network: \d+ differen"),
        (
            STATE | {"state_dict": {}, "config": Path()},
            r"it holds more than tensors and plain data",
        ),
    ],
)
def test_a_run_does_not_resume_from_what_another_program_saved(
    run: Path, foreign: Any, why: str
) -> None:
    torch.save(foreign, run / "checkpoints" / "last.ckpt")
    with pytest.raises(ValueError, match=rf"not from this run \({why}.*\), so .*resume=false"):
        checkpoint_to_resume(run, Trained(load_network(run)[0]))


def test_every_difference_is_counted_and_listed(run: Path) -> None:
    network, _ = load_network(run)
    path = run / "checkpoints" / "best.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    state = checkpoint["state_dict"]
    state["network.speaker_head.weight"] = torch.zeros(9, 16)
    state["network.extra.weight"] = torch.zeros(1)
    del state["network.speech_head.linear.bias"]
    torch.save(checkpoint, path)
    with pytest.raises(ValueError, match="does not fit this network") as caught:
        load_weights(network, path)
    for part in (
        "3 differences",
        "missing: speech_head.linear.bias",
        "unexpected: extra.weight",
        "shape: speaker_head.weight is (9, 16), the network wants (6, 16)",
        "config.yaml and model.json",
    ):
        assert part in str(caught.value)


def test_a_whole_network_of_another_format_is_loaded_if_its_symbols_are_the_same() -> None:
    path = GOLDEN / "fairseq_ctc.pt"
    checkpoint = pretrained.read(path)
    backbone = Wav2Vec2Backbone(checkpoint.architecture)
    network = SpeechSpeakerNetwork(backbone, speech_head=CtcHead(8, 32))
    load_weights(network, path, vocabulary=list(LETTERS))
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, checkpoint.state[name])
    with pytest.raises(ValueError, match=r"other symbols than .*the same 32 in another order"):
        load_weights(network, path, vocabulary=[*LETTERS[:-2], "Z", "Q"])
    with pytest.raises(ValueError, match=r"does not fit this network \(32 differences"):
        load_weights(network, GOLDEN / "fairseq_pretraining.pt")


def test_symbols_in_another_order_are_not_loaded_from_a_run_either(run: Path) -> None:
    network, card = load_network(run)
    assert card.vocabulary is not None
    load_weights(network, run, vocabulary=card.vocabulary)
    with pytest.raises(ValueError, match=r"other symbols than speech\.tokenizer\.vocabulary"):
        load_weights(network, run, vocabulary=card.vocabulary[::-1])


def test_as_many_other_speakers_are_not_loaded_into_the_speaker_head(run: Path) -> None:
    network, card = load_network(run)
    assert card.speakers is not None
    load_weights(network, run, speakers=card.speakers)
    with pytest.raises(ValueError, match=r"other speakers than data\.speaker\.train .*new: zoe"):
        load_weights(network, run, speakers=[*card.speakers[:-1], "zoe"])


def flip_a_bit_of_a_weight(path: Path) -> None:
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda member: member.file_size)
    content[largest.header_offset + largest.file_size // 2] ^= 1
    path.write_bytes(content)


def test_weights_with_a_wrong_bit_are_neither_loaded_nor_gone_on_from(tmp_path: Path) -> None:
    network = torch.nn.Linear(64, 64)
    (tmp_path / "checkpoints").mkdir()
    path = tmp_path / "checkpoints" / "last.ckpt"
    state = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    torch.save({"state_dict": state}, path)
    load_weights(network, path)
    flip_a_bit_of_a_weight(path)
    with pytest.raises(ValueError, match=r"last\.ckpt can't be read: the checksum of .* is wrong"):
        load_weights(network, path)
    with pytest.raises(ValueError, match=r"last\.ckpt is damaged .*\(the checksum .*resume=false"):
        checkpoint_to_resume(tmp_path, Trained(network))


class Bomb:
    """What a checkpoint from a stranger may hold."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("code from a checkpoint was run",))


@pytest.mark.parametrize(
    "content",
    ["truncated", "empty", "text", "pickle", "code", "tensor", "no state", "missing"],
)
def test_a_file_that_is_no_checkpoint_is_said_to_be_none(run: Path, content: str) -> None:
    network, _ = load_network(run)
    path = run / "checkpoints" / "best.ckpt"
    whole = path.read_bytes()
    if content == "code":
        torch.save({"state_dict": Bomb()}, path)
    elif content == "tensor":
        torch.save(torch.zeros(3), path)
    elif content == "no state":
        torch.save({"weights": {}}, path)
    elif content == "missing":
        path.unlink()
    else:
        pickled = pickle.dumps({"state_dict": {}})
        damaged = {"truncated": whole[:5000], "empty": b"", "text": b"weights", "pickle": pickled}
        path.write_bytes(damaged[content])
    with pytest.raises(ValueError, match=r"best\.ckpt .*"):
        load_weights(network, path)


def test_the_threshold_is_that_of_the_first_trial_list(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    assert threshold_of(run) == metrics["test"]["demo_voices"]["eer_threshold"]
    del metrics["test"]["demo_voices"]
    (run / "metrics.json").write_text(json.dumps(metrics))
    assert threshold_of(run) is None
    (run / "metrics.json").unlink()
    assert threshold_of(run) is None
