"""Run folders are read as networks that other formats know."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.head.cosine import CosineHead
from duovox.network.head.ctc import CtcHead
from duovox.network.pooling.first_cls import FirstClassPooling
from duovox.network.pooling.mean import MeanPooling
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format import own
from duovox.network.wav2vec2.format.checkpoint import Checkpoint


@pytest.mark.parametrize("kind", ["backbone", "speech", "pretraining"])
def test_a_folder_is_read_as_it_was_written(
    kind: str, make_checkpoint: Callable[[str], Checkpoint], tmp_path: Path, assert_same: Any
) -> None:
    checkpoint = make_checkpoint(kind)
    own.write(checkpoint, tmp_path)
    assert_same(own.read(tmp_path), checkpoint)


def _save(network: SpeechSpeakerNetwork, architecture: Architecture, folder: Path) -> None:
    """Write a run folder as training does, as far as weights are concerned."""
    sizes = {name: getattr(architecture, name) for name in architecture.__slots__}
    card = {
        "vocabulary": list("-|ABC") if network.speech_head else None,
        "speakers": list("xyz") if network.speaker_head else None,
        "architecture": {"_target_": "duovox.network.wav2vec2.architecture.Architecture", **sizes},
        "normalizes": {"speaker": True} | ({"speech": False} if network.speech_head else {}),
    }
    (folder / "model.json").write_text(json.dumps(card))
    (folder / "checkpoints").mkdir()
    state = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    content = {"state_dict": state | {"weighting.history": torch.zeros(2)}, "loops": {}}
    torch.save(content, folder / "checkpoints" / "last.ckpt")


def _network(architecture: Architecture, speech_dim: int, **options: Any) -> SpeechSpeakerNetwork:
    speaker_dim = options.get("num_speaker_dimensions", architecture.width)
    return SpeechSpeakerNetwork(
        Wav2Vec2Backbone(architecture),
        speech_head=CtcHead(speech_dim, 5),
        pooling=MeanPooling(speaker_dim),
        speaker_head=CosineHead(speaker_dim, 3),
        **options,
    ).eval()


def _logits(checkpoint: Checkpoint, waves: Tensor) -> Tensor:
    backbone = Wav2Vec2Backbone(checkpoint.architecture).eval()
    backbone.load_state_dict(checkpoint.backbone_state())
    frames = backbone(waves, torch.tensor([waves.shape[1]])).frames
    head = (checkpoint.state[f"speech_head.linear.{name}"] for name in ("weight", "bias"))
    return torch.nn.functional.linear(frames, *head)


@pytest.mark.parametrize(
    ("speech_dim", "options"),
    [(32, {}), (32, {"num_shared_layers": 1}), (24, {"num_speaker_dimensions": 8})],
    ids=["shared", "branched", "split"],
)
@torch.inference_mode()
def test_speech_sounds_as_it_did_in_the_run(
    architecture: Architecture, tmp_path: Path, speech_dim: int, options: dict[str, Any]
) -> None:
    network = _network(architecture, speech_dim, **options)
    _save(network, architecture, tmp_path)
    checkpoint = own.read(tmp_path)
    waves = torch.randn(1, 4000)
    expected = network(waves, torch.tensor([4000]), task="speech").token_logits
    torch.testing.assert_close(_logits(checkpoint, waves), expected, atol=1e-5, rtol=1e-5)
    assert checkpoint.vocabulary == tuple("-|ABC")
    assert not checkpoint.normalizes
    assert "speaker_head.weight" in checkpoint.left_out
    assert all(name.startswith(("speaker_head", "branch.")) for name in checkpoint.left_out)


def test_a_class_frame_is_left_out_and_named(architecture: Architecture, tmp_path: Path) -> None:
    backbone = Wav2Vec2Backbone(architecture)
    network = SpeechSpeakerNetwork(backbone, pooling=FirstClassPooling(32, is_learnable=True))
    _save(network, architecture, tmp_path)
    checkpoint = own.read(tmp_path)
    assert checkpoint.left_out == ("pooling.class_frame",)
    assert (checkpoint.has_head, checkpoint.vocabulary) == (False, None)
    assert checkpoint.normalizes
    for name, tensor in backbone.state_dict().items():
        assert torch.equal(checkpoint.state[f"backbone.{name}"], tensor)


@pytest.fixture
def run(architecture: Architecture, tmp_path: Path) -> Path:
    _save(_network(architecture, 32), architecture, tmp_path)
    return tmp_path


def test_a_card_from_before_some_sizes_were_settings_is_read(run: Path) -> None:
    card = json.loads((run / "model.json").read_text())
    for name in ("conv_paddings", "conv_activation", "feed_forward_activation"):
        del card["architecture"][name]
    before = own.read(run).architecture
    (run / "model.json").write_text(json.dumps(card))
    assert own.read(run).architecture == before


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"wdth": 32}, r"model\.json is damaged, restore it: architecture: .*wdth"),
        ({"width": 64}, r"last\.ckpt does not hold the network .*of another shape"),
        ({"num_layers": 3}, r"last\.ckpt does not hold the network .*missing"),
    ],
)
def test_a_card_of_another_network_is_told(run: Path, sizes: dict[str, int], message: str) -> None:
    card = json.loads((run / "model.json").read_text())
    card["architecture"] |= sizes
    (run / "model.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match=message):
        own.read(run)


def test_a_damaged_run_is_told(run: Path) -> None:
    path = run / "checkpoints" / "last.ckpt"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"last\.ckpt can't be read as a checkpoint .*cut short"):
        own.read(run)
    torch.save({"weights": {}}, path)
    with pytest.raises(ValueError, match=r"it has no state_dict of tensors"):
        own.read(run)
    path.unlink()
    with pytest.raises(ValueError, match=r"holds no checkpoint: train first"):
        own.read(run)


def test_a_damaged_card_is_told(run: Path) -> None:
    (run / "model.json").write_text("{")
    with pytest.raises(ValueError, match=r"model\.json is damaged, restore it"):
        own.read(run)
