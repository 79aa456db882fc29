"""What trains a network is made as the settings say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from duovox.loss.aam_softmax import AamSoftmaxLoss
from duovox.loss.cross_entropy import CrossEntropyLoss
from duovox.loss.gradient.cagrad import CaGrad
from duovox.loss.weighting.dwa import DwaWeighting
from duovox.loss.weighting.gradnorm import GradNormWeighting
from duovox.loss.weighting.none import NoWeighting
from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.run.decoder import GREEDY
from duovox.run.network import build_network
from duovox.run.settings import Settings
from duovox.run.training import build_module, build_tasks
from duovox.task.multitask import MultiTask
from duovox.task.speaker import SpeakerTask
from duovox.task.speech import SpeechTask

VOCABULARY = ("<pad>", "|", "A")


@pytest.fixture
def mt(settings_of) -> Callable[..., Settings]:
    """Return a function that reads the settings of the multi-task door."""
    return lambda *overrides: settings_of(
        "mt_speech_speaker", "network.stat_pooling_type=mean", *overrides
    )


def module_of(settings: Settings) -> MultiTask:
    network: SpeechSpeakerNetwork = build_network(
        settings.network, vocabulary_size=3, num_speakers=2
    )
    tasks = build_tasks(
        settings.optim.loss, vocabulary=VOCABULARY, decoder=GREEDY, has_speakers=True
    )
    return build_module(settings, network, tasks)


def test_tasks_get_the_losses_of_the_settings(mt) -> None:
    loss = mt("optim.loss.aam_margin=0.3", "optim.loss.aam_scale=20").optim.loss
    tasks = build_tasks(loss, vocabulary=VOCABULARY, decoder=GREEDY, has_speakers=True)
    speech, speaker = tasks["speech"], tasks["speaker"]
    assert isinstance(speech, SpeechTask)
    assert isinstance(speaker, SpeakerTask)
    assert isinstance(speaker.classification, AamSoftmaxLoss)
    assert (speaker.classification.margin_rad, speaker.classification.scale) == (0.3, 20.0)
    assert speech.vocabulary == VOCABULARY


def test_a_run_has_the_tasks_it_has_data_for(mt) -> None:
    loss = mt("optim.loss.use_cross_entropy=true").optim.loss
    assert list(build_tasks(loss, vocabulary=VOCABULARY, decoder=GREEDY, has_speakers=False)) == [
        "speech"
    ]
    (speaker,) = build_tasks(loss, vocabulary=None, decoder=GREEDY, has_speakers=True).values()
    assert isinstance(speaker, SpeakerTask)
    assert isinstance(speaker.classification, CrossEntropyLoss)


@pytest.mark.parametrize(
    "overrides",
    [
        ["optim.loss.use_cross_entropy=false", "network.use_cosine_linear=false"],
        ["optim.loss.use_cross_entropy=true", "network.use_cosine_linear=true"],
    ],
)
def test_a_loss_that_does_not_fit_the_speaker_head_is_refused(mt, overrides) -> None:
    with pytest.raises(ValueError, match=r"use_cross_entropy=(true|false) .*use_cosine_linear="):
        module_of(mt(*overrides))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["speaker.dataloader.train_utterances_per_speaker=1"], r"_per_speaker must be .*got 1$"),
        (["network.use_speaker_head=true"], r"classification_weight=0 needs .*speaker_head=false"),
        (["optim.loss.triplet_weight=0"], r"triplet_weight or classification_weight must be above"),
    ],
)
def test_triplets_without_what_they_need_are_refused(settings_of, overrides, message) -> None:
    settings = settings_of("speaker", "optim/loss=triplet", *overrides)
    with pytest.raises(ValueError, match=message):
        module_of(settings)


def test_the_weighting_is_picked_by_name_with_its_settings(mt) -> None:
    settings = mt("optim.loss.scale_method=dwa", "optim.loss.dwa_temperature=3")
    weighting = module_of(settings).weighting
    assert isinstance(weighting, DwaWeighting)
    assert weighting.temperature == 3.0
    assert isinstance(module_of(mt("optim.loss.scale_method=null")).weighting, NoWeighting)
    with pytest.raises(ValueError, match=r"scale_method must be one of dwa, geom.*got 'foo'"):
        module_of(mt("optim.loss.scale_method=foo"))


def test_gradnorm_looks_at_the_last_layer_that_both_tasks_share(mt) -> None:
    for overrides, last in (
        ([], "backbone.transformer.layers.1."),
        (["network.use_multi_branch_encoder=true"], "backbone.transformer.layers.0."),
    ):
        chosen = [*overrides, "network.num_shared_transformers=1"]
        module = module_of(mt("optim.loss.scale_method=gradnorm", *chosen))
        assert isinstance(module.weighting, GradNormWeighting)
        names = {parameter: name for name, parameter in module.network.named_parameters()}
        assert all(names[parameter].startswith(last) for parameter in module.weighting.shared)


def test_the_gradient_method_is_picked_by_name_with_its_settings(mt) -> None:
    chosen = mt("optim.loss.gradient_method=cagrad", "optim.loss.cagrad_c=0.3")
    method = module_of(chosen).gradient_method
    assert isinstance(method, CaGrad)
    assert method.c == 0.3
    assert module_of(mt()).gradient_method is None
    with pytest.raises(ValueError, match=r"optim\.loss\.gradient\.cagrad\.c must lie in \[0, 1\)"):
        module_of(mt("optim.loss.gradient_method=cagrad", "optim.loss.cagrad_c=1.5"))


def test_a_gradient_method_for_one_task_is_refused(settings_of) -> None:
    settings = settings_of("speech", "+optim.loss.gradient_method=mgda")
    network = build_network(settings.network, vocabulary_size=3, num_speakers=None)
    with pytest.raises(
        ValueError, match=r"^optim\.loss\.gradient_method .*one task: leave it null"
    ):
        build_module(settings, network, {})


def test_the_blank_of_ctc_is_the_first_symbol(mt) -> None:
    with pytest.raises(ValueError, match=r"optim\.loss\.ctc_blank_idx must be 0.*got 4"):
        build_tasks(
            mt("optim.loss.ctc_blank_idx=4").optim.loss,
            vocabulary="ABC",
            decoder=GREEDY,
            has_speakers=0,
        )


def test_frozen_parts_learn_when_the_settings_say(mt) -> None:
    settings = mt(
        "network.wav2vec_initially_frozen=true",
        "network.num_frozen_steps=2",
        "network.completely_freeze_feature_extractor=true",
    )
    module = module_of(settings)
    learns: list[dict[str, bool]] = []
    for step in (0, 1, 2):
        module.at_step(step)
        parts = {"backbone.transformer": False, "backbone.feature_encoder": False, "head": False}
        for name, weight in module.network.named_parameters():
            for part in parts:
                parts[part] |= part in name and weight.requires_grad
        learns.append(parts)
    frozen = {"backbone.transformer": False, "backbone.feature_encoder": False, "head": True}
    assert learns == [frozen, frozen, frozen | {"backbone.transformer": True}]


def test_each_tasks_own_layers_are_frozen_with_the_backbone(mt) -> None:
    branched = ["network.use_multi_branch_encoder=true", "network.num_shared_transformers=1"]
    frozen = ["network.wav2vec_initially_frozen=true", "network.num_frozen_steps=2"]
    module = module_of(mt(*branched, *frozen))
    for step in (0, 1, 2):
        module.at_step(step)
        weights = dict(module.network.named_parameters())
        learns = {weights[name].requires_grad for name in weights if name.startswith("branch.")}
        assert learns == {step == 2}


def test_the_optimiser_and_its_schedule_follow_the_settings(mt) -> None:
    module = module_of(mt("optim/algo=sgd", "optim.algo.lr=0.5", "optim/schedule=two_stage"))
    made = module.configure_optimizers()
    assert isinstance(made["optimizer"], torch.optim.SGD)
    assert made["optimizer"].defaults["lr"] == 0.5
    assert made["lr_scheduler"]["interval"] == "step"
    assert len(made["optimizer"].param_groups[0]["params"]) == len(list(module.parameters()))


def test_a_plateau_without_a_number_to_watch_is_refused(mt) -> None:
    module = module_of(mt("optim/schedule=reduce_on_plateau", "callbacks=none"))
    with pytest.raises(ValueError, match=r"reduce_on_plateau needs a number.*callbacks\.monitor"):
        module.configure_optimizers()
