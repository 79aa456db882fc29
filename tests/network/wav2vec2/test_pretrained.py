from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from duovox.network.wav2vec2 import pretrained
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format import own

CONFIG = {
    "conv_dim": [8, 12, 12, 12, 16, 16, 16],
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "num_codevectors_per_group": 8,
    "mask_time_prob": 0.05,
    "vocab_size": 12,
}


def _model(kind: str) -> Any:
    import transformers

    return getattr(transformers, kind)(transformers.Wav2Vec2Config(**CONFIG)).eval()


def _wav2vec2(model: Any) -> Any:
    return getattr(model, "wav2vec2", model)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path


def _old_spelling(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Spell the weight norm as checkpoints from before torch 2.0 do."""
    return {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): tensor
        for name, tensor in state.items()
    }


def _assert_same_frames(backbone: Wav2Vec2Backbone, model: Any) -> None:
    waves = torch.randn(1, 4000)
    with torch.inference_mode():
        expected = _wav2vec2(model)(waves).last_hidden_state
        found = backbone.eval()(waves, torch.tensor([4000])).frames
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["Wav2Vec2Model", "Wav2Vec2ForCTC", "Wav2Vec2ForPreTraining"])
def test_folders_that_transformers_wrote_are_read(kind: str, tmp_path: Path) -> None:
    model = _model(kind)
    model.save_pretrained(tmp_path)
    _assert_same_frames(pretrained.load(tmp_path), model)


def test_an_old_pickled_checkpoint_is_read(folder: Path) -> None:
    model = _model("Wav2Vec2ForCTC")
    state = _old_spelling(model.state_dict())
    assert "wav2vec2.encoder.pos_conv_embed.conv.weight_g" in state
    torch.save(state, folder / "pytorch_model.bin")
    _assert_same_frames(pretrained.load(folder), model)


def test_heads_are_left_out_and_named(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    torch.save(_model("Wav2Vec2ForCTC").state_dict(), folder / "pytorch_model.bin")
    with caplog.at_level(logging.WARNING):
        pretrained.load(folder)
    assert "speech_head.linear.weight, speech_head.linear.bias" in caplog.text
    assert "backbone" not in caplog.text


def test_missing_tensors_raise_and_are_listed(folder: Path) -> None:
    state = _model("Wav2Vec2Model").state_dict()
    for name in ("encoder.layers.1.attention.k_proj.bias", "feature_projection.projection.weight"):
        del state[name]
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="does not hold the network") as error:
        pretrained.load(folder)
    assert "encoder.layers.1.attention.k_proj.bias" in str(error.value)
    assert "feature_projection.projection.weight" in str(error.value)


def test_a_checkpoint_without_a_mask_vector_is_read(folder: Path) -> None:
    state = _model("Wav2Vec2Model").state_dict()
    del state["masked_spec_embed"]
    torch.save(state, folder / "pytorch_model.bin")
    pretrained.load(folder, mask_time_prob=0.1)


def test_settings_reach_the_backbone(folder: Path) -> None:
    torch.save(_model("Wav2Vec2Model").state_dict(), folder / "pytorch_model.bin")
    backbone = pretrained.load(folder, mask_time_prob=0.25, layerdrop=0.5, length_aware=False)
    assert (backbone.embedding.masking.time.probability, backbone.transformer.layerdrop) == (
        0.25,
        0.5,
    )
    assert not backbone.feature_encoder.length_aware


class _Harmful:
    def __reduce__(self) -> Any:
        return print, ("unpickled",)


def test_a_pickle_never_runs_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"weight": _Harmful()}, folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"is refused: .*trust"):
        pretrained.load(folder)
    with pytest.raises(ValueError, match="must hold tensors by name"):
        pretrained.load(folder, trust=True)
    assert "unpickled" not in capsys.readouterr().out


def test_tensors_beside_code_are_read_on_trust_and_the_code_is_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    golden = Path(__file__).parent / "format" / "golden" / "fairseq_pretraining.pt"
    torch.save(torch.load(golden) | {"criterion": _Harmful()}, tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"model\.pt is refused: .*print"):
        pretrained.load(tmp_path / "model.pt")
    trusted = pretrained.load(tmp_path / "model.pt", trust=True)
    for name, tensor in pretrained.load(golden).state_dict().items():
        assert torch.equal(trusted.state_dict()[name], tensor)
    assert "unpickled" not in capsys.readouterr().out


def test_pre_training_goes_on_only_where_the_quantiser_is(tmp_path: Path) -> None:
    _model("Wav2Vec2ForPreTraining").save_pretrained(tmp_path / "pre-trained")
    network = pretrained.load_pretraining(tmp_path / "pre-trained", layerdrop=0.5)
    assert network.quantizer.codebooks.shape == (2, 8, 128)
    assert network.backbone.transformer.layerdrop == 0.5
    _model("Wav2Vec2ForCTC").save_pretrained(tmp_path / "fine-tuned")
    with pytest.raises(ValueError, match="has no quantiser and projections to go on"):
        pretrained.load_pretraining(tmp_path / "fine-tuned")


def test_a_run_folder_or_its_checkpoint_gives_its_backbone(tmp_path: Path) -> None:
    golden = Path(__file__).parent / "format" / "golden" / "fairseq_ctc.pt"
    own.write(pretrained.read(golden), tmp_path)
    expected = pretrained.load(golden).state_dict()
    for source in (tmp_path, str(tmp_path), tmp_path / "checkpoints" / "best.ckpt"):
        found = pretrained.load(source).state_dict()
        assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("gone.pt", r"gone\.pt can't be read: it does not exist"),
        ("other.ckpt", r"other\.ckpt holds neither .* but epoch, state\. Name the folder of a run"),
        ("empty", r"has neither model\.json nor config\.json"),
        ("weightless", "neither model.safetensors nor pytorch_model.bin"),
    ],
)
def test_folders_that_cannot_be_read_say_why(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    torch.save({"state": {}, "epoch": 3}, tmp_path / "other.ckpt")
    (tmp_path / "weightless").mkdir()
    (tmp_path / "weightless" / "config.json").write_text(json.dumps(CONFIG))
    with pytest.raises(ValueError, match=message):
        pretrained.load(tmp_path / source)


def test_a_hub_id_that_cannot_be_fetched_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def offline(*_: object, **__: object) -> None:
        raise ConnectionError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(ValueError, match="no folder here, and the Hugging Face hub did not give"):
        pretrained.load("facebook/wav2vec2-base")


def test_a_hub_id_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub

    model = _model("Wav2Vec2Model")
    model.save_pretrained(tmp_path)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(tmp_path))
    _assert_same_frames(pretrained.load("somebody/some-model"), model)
