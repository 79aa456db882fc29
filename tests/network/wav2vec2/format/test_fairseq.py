"""fairseq's settings, and its names against torchaudio's reading of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from duovox.network.wav2vec2 import architecture as sizes
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format import fairseq, fairseq_file
from duovox.network.wav2vec2.format.checkpoint import Checkpoint, Quantization


def test_the_published_base_settings_are_read(speech_data: Path) -> None:
    path = speech_data / "w2v2_configs" / "fairseq_wav2vec_small.json"
    settings = json.loads(path.read_text())
    assert fairseq.read_architecture(settings) == sizes.base()
    assert fairseq.read_quantization(settings) == Quantization()


def test_absent_settings_mean_the_published_base_network() -> None:
    assert fairseq.read_architecture({}) == sizes.base()
    assert fairseq.read_quantization({}) == Quantization(out_dim=768, similarity_dim=768)


def test_settings_are_read_as_they_were_written(architecture: Architecture) -> None:
    written = json.loads(json.dumps(fairseq.write_architecture(architecture)))
    assert fairseq.read_architecture(written) == architecture
    quantization = Quantization(num_codebooks=3, num_entries=7, out_dim=9, similarity_dim=11)
    assert fairseq.read_quantization(fairseq.write_quantization(quantization)) == quantization


@pytest.mark.parametrize(
    ("key", "value"),
    [("activation_fn", "relu"), ("extractor_mode", "batch"), ("layer_type", "conformer")],
)
def test_what_the_backbone_lacks_is_refused_by_name(key: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{key} must be .*, got '{value}'"):
        fairseq.read_architecture({key: value})


def test_the_list_of_convolutions_is_read_and_not_run() -> None:
    text = "[(512, 10, 5)] + [(256, 3, 2)] * 2 + [(8,2,2)]"
    layers = [(512, 10, 5), (256, 3, 2), (256, 3, 2), (8, 2, 2)]
    assert fairseq.read_convolutions(text) == layers
    for other in ("pytest.fail('run')", "[pytest.fail('run')]", "[(1, 2)]", "[] +", "3", "[3]"):
        with pytest.raises(ValueError, match="conv_feature_layers must list"):
            fairseq.read_convolutions(other)


def test_torchaudio_makes_the_same_of_what_is_written(
    make_checkpoint: Callable[[str], Checkpoint],
) -> None:
    from torchaudio.models import wav2vec2_model
    from torchaudio.models.wav2vec2.utils import import_fairseq

    checkpoint = make_checkpoint("speech")
    ours, content = checkpoint.architecture, fairseq_file.write(checkpoint, data="")
    layers = zip(ours.conv_channels, ours.conv_kernels, ours.conv_strides, strict=True)
    theirs = wav2vec2_model(
        extractor_mode={"group": "group_norm", "layer": "layer_norm"}[ours.conv_norm],
        extractor_conv_layer_config=list(layers),
        extractor_conv_bias=ours.conv_bias,
        encoder_embed_dim=ours.width,
        encoder_projection_dropout=0.0,
        encoder_pos_conv_kernel=ours.position_kernel,
        encoder_pos_conv_groups=ours.position_groups,
        encoder_num_layers=ours.num_layers,
        encoder_num_heads=ours.num_heads,
        encoder_attention_dropout=0.0,
        encoder_ff_interm_features=ours.feed_forward_width,
        encoder_ff_interm_dropout=0.0,
        encoder_dropout=0.0,
        encoder_layer_norm_first=ours.pre_norm,
        encoder_layer_drop=0.0,
        aux_num_out=32,
    ).eval()
    bare = {name.removeprefix("w2v_encoder."): t for name, t in content["model"].items()}
    theirs.load_state_dict(import_fairseq._convert_state_dict(bare))
    backbone = Wav2Vec2Backbone(ours).eval()
    backbone.load_state_dict(checkpoint.backbone_state())
    waves = torch.randn(1, 4000)
    with torch.inference_mode():
        frames = backbone(waves, torch.tensor([4000])).frames
        head = checkpoint.state["speech_head.linear.weight"]
        logits = frames @ head.T + checkpoint.state["speech_head.linear.bias"]
        expected = theirs(waves)[0]
    torch.testing.assert_close(logits, expected, atol=1e-3, rtol=1e-4)


def test_norms_of_convolutions_stand_where_fairseq_puts_them() -> None:
    key = "feature_encoder.layers.0.norm.bias"
    for architecture, name in ((sizes.base(), "0.2.bias"), (sizes.large(), "0.2.1.bias")):
        table = dict(fairseq.table(replace(architecture)))
        part = table["feature_encoder.layers.*.norm"].replace("*", "0")
        assert f"{part}.bias" == f"feature_extractor.conv_layers.{name}", key
