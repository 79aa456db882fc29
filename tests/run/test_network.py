"""The settings of a network become its parts, and those that do not go together are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from duovox.batch import NetworkOutput
from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.head.cosine import CosineHead
from duovox.network.head.linear import LinearHead
from duovox.network.pooling.ctc import CtcPooling
from duovox.run.network import build_network, compile_layers, sizes_of
from duovox.run.option import ARCHITECTURES, make

WIDTH = 16  # of the tiny network


@pytest.fixture
def build(settings_of) -> Callable[..., SpeechSpeakerNetwork]:
    """Return a function that builds a network of both tasks, or of one, from overrides."""

    def make_network(*overrides: str, speech: int | None = 5, speaker: int | None = 3):
        settings = settings_of("mt_speech_speaker", *overrides).network
        return build_network(settings, vocabulary_size=speech, num_speakers=speaker)

    return make_network


def listen(network: SpeechSpeakerNetwork, task: Any) -> NetworkOutput:
    waves = torch.randn(2, 4000, generator=torch.Generator().manual_seed(0))
    return network(waves, torch.tensor([4000, 3000]), task=task)


def test_both_heads_answer_in_their_sizes(build) -> None:
    output = listen(build("network.stat_pooling_type=mean"), "both")
    assert output.token_logits.shape == (2, 12, 5)
    assert output.embedding.shape == (2, WIDTH)
    assert output.speaker_logits.shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "width"),
    [
        *((name, WIDTH) for name in ("mean", "max", "first", "last", "middle", "random")),
        *((name, WIDTH) for name in ("first+cls", "first+cls+learnable")),
        ("mean+std", 2 * WIDTH),
        ("attentive", 2 * WIDTH),
        ("quantile", 5 * WIDTH),
    ],
)
def test_the_speaker_head_takes_what_each_pooling_gives(build, name: str, width: int) -> None:
    network = build(f"network.stat_pooling_type={name}")
    output = listen(network, "both")
    assert output.embedding.shape == (2, width)
    assert output.speaker_logits.shape == (2, 3)
    assert output.token_logits.shape == (2, 12, 5)  # a class frame is no frame of speech


def test_a_network_of_one_task_leaves_the_other_s_parts_out(build) -> None:
    words = build("network.stat_pooling_type=mean", speaker=None)
    assert (words.pooling, words.speaker_head) == (None, None)
    voices = build("network.stat_pooling_type=mean", speech=None)
    assert voices.speech_head is None


@pytest.mark.parametrize(("is_cosine", "head"), [("true", CosineHead), ("false", LinearHead)])
def test_the_speaker_head_is_the_chosen_one(build, is_cosine, head) -> None:
    network = build(f"network.use_cosine_linear={is_cosine}", "network.stat_pooling_type=mean")
    assert isinstance(network.speaker_head, head)


def test_split_dimensions_share_the_width_out(build) -> None:
    network = build("network.num_speaker_dimensions=6", "network.stat_pooling_type=mean+std")
    assert network.speech_head.in_dim == WIDTH - 6
    assert network.speaker_head.in_dim == 2 * 6
    assert listen(network, "both").embedding.shape == (2, 12)


def test_a_class_frame_has_the_width_of_the_network_even_if_its_dimensions_are_split(build) -> None:
    network = build("network.num_speaker_dimensions=6", "network.stat_pooling_type=first+cls")
    assert network.pooling.class_frame.shape == (WIDTH,)
    assert listen(network, "both").embedding.shape == (2, 6)


def test_branches_give_each_task_layers_of_its_own(build) -> None:
    shared = build("network.stat_pooling_type=mean")
    branched = build(
        "network.stat_pooling_type=mean",
        "network.use_multi_branch_encoder=true",
        "network.num_shared_transformers=1",
    )
    num_weights = [sum(p.numel() for p in net.parameters()) for net in (shared, branched)]
    transformer = shared.backbone.transformer
    above = (transformer.layers[1], transformer.final_norm)  # there twice
    assert num_weights[1] - num_weights[0] == sum(
        p.numel() for part in above for p in part.parameters()
    )
    assert listen(branched, "both").embedding.shape == (2, WIDTH)


@pytest.mark.parametrize("of_blanks", ["false", "true"])
def test_ctc_pooling_chooses_frames_by_the_tokens(build, of_blanks: str) -> None:
    network = build(
        "network.stat_pooling_type=mean",
        "network.enable_ctc_pool_speaker_embedding=true",
        f"network.ctc_pool_on_blank_embeddings={of_blanks}",
    )
    assert isinstance(network.pooling, CtcPooling)
    assert listen(network, "speaker").embedding.shape == (2, WIDTH)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["network.stat_pooling_type=meen"],
            r"network\.stat_pooling_type must be one of attentive, .* random; got 'meen'",
        ),
        (
            [
                "network.stat_pooling_type=mean",
                "network.enable_ctc_pool_speaker_embedding=true",
                "network.enable_ctc_pool_no_grad=false",
            ],
            r"enable_ctc_pool_no_grad must be true, got false: .*hands no gradient back",
        ),
        (
            ["network.stat_pooling_type=max", "network.enable_ctc_pool_speaker_embedding=true"],
            r"enable_ctc_pool_speaker_embedding .*goes with network\.stat_pooling_type=mean, got",
        ),
        (
            ["network.use_multi_branch_encoder=true", "network.num_speaker_dimensions=6"],
            "nothing to split: leave num_shared_layers or num_speaker_dimensions out",
        ),
        (
            ["network.use_multi_branch_encoder=true", "network.num_shared_transformers=9"],
            r"num_shared_(layers|transformers).*9",
        ),
        (
            ["+network.random_permutation_mode=before"],
            r"random_permutation_mode shuffles the frames, and words need their order: .*null",
        ),
        (["network.num_speaker_dimensions=16"], r"num_speaker_dimensions.*16"),
        (["network.num_speaker_dimensions=0"], r"num_speaker_dimensions.*0"),
        (
            ["network.architecture.num_heads=3"],
            r"^network\.architecture\.width must be .*num_heads=3",
        ),
        (["+network.architecture.depth=3"], r"unknown setting network\.architecture\.depth\."),
        (["network.architecture.width=wide"], r"network\.architecture\.width must be of type int"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_does_not_go_together_is_refused(build, overrides, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build("network.stat_pooling_type=mean", *overrides)


def test_ctc_pooling_without_words_is_refused(build) -> None:
    with pytest.raises(ValueError, match="it needs a speech head"):
        build(
            "network.stat_pooling_type=mean",
            "network.enable_ctc_pool_speaker_embedding=true",
            speech=None,
        )


@pytest.mark.parametrize(
    "name",
    [
        "activation_dropout",
        "attention_dropout",
        "feat_proj_dropout",
        "hidden_dropout",
        "final_dropout",
        "layerdrop",
        "mask_feature_prob",
        "mask_time_prob",
    ],
)
def test_every_regularisation_reaches_the_network_and_rests_in_evaluation(build, name) -> None:
    """The source read `mask_time_prob` and never handed it on."""
    network = build(
        "network/regularisation=wav2vec2_none",
        f"network.regularisation.{name}=0.5",
        "network.regularisation.mask_feature_length=2",
        "network.regularisation.mask_time_length=2",
        "network.stat_pooling_type=mean",
    )
    network.train()
    heard = torch.stack([listen(network, "speech").token_logits for _ in range(6)])
    assert len(heard.flatten(1).unique(dim=0)) > 1
    network.eval()
    heard = torch.stack([listen(network, "speech").token_logits for _ in range(2)])
    assert len(heard.flatten(1).unique(dim=0)) == 1


def test_without_regularisation_training_is_deterministic(build) -> None:
    network = build("network/regularisation=wav2vec2_none", "network.stat_pooling_type=mean")
    network.train()
    heard = [listen(network, "speech").token_logits for _ in range(2)]
    assert torch.equal(*heard)


def test_the_sizes_of_a_network_make_the_same_network_again(build) -> None:
    network = build("network.stat_pooling_type=mean")
    option = json.loads(json.dumps(sizes_of(network)))  # as model.json holds it
    assert make(option, path="a", within=ARCHITECTURES) == network.backbone.architecture


def test_a_checkpoint_brings_its_own_sizes(build, tmp_path: Path) -> None:
    import transformers

    config = transformers.Wav2Vec2Config(
        conv_dim=(8,) * 7,
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        num_conv_pos_embedding_groups=2,
        num_conv_pos_embeddings=16,
    )
    theirs = transformers.Wav2Vec2Model(config).eval()
    theirs.save_pretrained(tmp_path)
    network = build(
        f"network.wav2vec_checkpoint={tmp_path}",
        "network.stat_pooling_type=mean",
        "network.num_speaker_dimensions=6",
        "network.length_aware=false",
    ).eval()
    assert network.speech_head.in_dim == 24 - 6
    waves = torch.randn(1, 4000, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = network.backbone(waves, torch.tensor([4000])).frames
        torch.testing.assert_close(ours, theirs(waves).last_hidden_state, atol=1e-4, rtol=0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # inductor's own, of the machine it finds
def test_compiled_layers_compute_the_same_at_every_length(build) -> None:
    plain, compiled = build(), build()
    compiled.load_state_dict(plain.state_dict())
    compile_layers(compiled)
    made = [module for module in compiled.modules() if module._compiled_call_impl is not None]
    assert len(made) == 2  # layers of the tiny network
    for num_samples in (8_000, 12_345, 16_000):
        waves, lengths = torch.randn(2, num_samples), torch.tensor([num_samples, num_samples // 2])
        gradients = []
        for network in (plain, compiled):
            network.eval().zero_grad()
            network(waves, lengths, task="speech").token_logits.square().mean().backward()
            gradients.append([p.grad for p in network.parameters() if p.grad is not None])
        assert len(gradients[0]) == 45
        torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-5)
