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
    assert "lm_head.bias, lm_head.weight" in caplog.text
    assert "encoder" not in caplog.text


def test_missing_tensors_raise_and_are_listed(folder: Path) -> None:
    state = _model("Wav2Vec2Model").state_dict()
    for name in ("encoder.layers.1.attention.k_proj.bias", "feature_projection.projection.weight"):
        del state[name]
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="lacks tensors") as error:
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


def test_a_pickle_runs_no_code_unless_trusted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"weight": _Harmful()}, folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="trust"):
        pretrained.load(folder)
    assert "unpickled" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("model.pt", "fairseq and nano checkpoints cannot be read"),
        ("empty", "has no config.json"),
        ("weightless", "neither model.safetensors nor pytorch_model.bin"),
    ],
)
def test_folders_that_cannot_be_read_say_why(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
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
