"""Agreement with transformers' Wav2Vec2ForPreTraining: same weights, masks, negatives and noise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from duovox.data.stage.negatives import draw_negatives
from duovox.data.stage.span_mask import draw_span_mask
from duovox.loss.contrastive import ContrastiveLoss
from duovox.loss.pretraining import PretrainingLoss, PretrainingLosses
from duovox.network.wav2vec2 import pretrained
from duovox.network.wav2vec2.format import huggingface
from duovox.network.wav2vec2.pretraining import PretrainingNetwork

QUIET = dict.fromkeys(
    (
        "activation_dropout",
        "attention_dropout",
        "feat_proj_dropout",
        "feat_quantizer_dropout",
        "hidden_dropout",
        "layerdrop",
    ),
    0.0,
)
NARROW = {
    "conv_dim": [24] * 7,
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "num_codevectors_per_group": 20,
    "codevector_dim": 32,
    "proj_codevector_dim": 24,
}
LAYER_NORM = {"conv_bias": True, "do_stable_layer_norm": True, "feat_extract_norm": "layer"}
LARGE = {
    **LAYER_NORM,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_attention_heads": 16,
    "num_hidden_layers": 24,
    "codevector_dim": 768,
    "proj_codevector_dim": 768,
}
SIZES = [
    pytest.param(NARROW, id="narrow base"),
    pytest.param(NARROW | LAYER_NORM, id="narrow large"),
    pytest.param({}, id="base", marks=pytest.mark.slow),
]
ALL_SIZES = [*SIZES, pytest.param(LARGE, id="large", marks=pytest.mark.slow)]  # 5 GB, both sides
NUM_NEGATIVES, TEMPERATURE = 20, 1.7


@dataclass
class Both:
    """Our network and theirs, and what they hear."""

    ours: PretrainingNetwork
    theirs: Any
    waves: Tensor  # (2, S)
    num_samples: Tensor

    def draw(self, seed: int) -> dict[str, Any]:
        """Draw mask and negatives as a batch has them."""
        generator = np.random.default_rng(seed)
        num_frames = self.ours.backbone.architecture.num_frames(self.num_samples).tolist()
        masks = [
            draw_span_mask(frames, probability=0.65, length=10, generator=generator)
            for frames in num_frames
        ]
        mask = torch.zeros(len(masks), max(num_frames), dtype=torch.bool)
        for row, drawn in zip(mask, masks, strict=True):
            row[: len(drawn)] = torch.from_numpy(drawn)
        num_masked = [int(drawn.sum()) for drawn in masks]
        negatives = [draw_negatives(m, NUM_NEGATIVES, generator=generator) for m in num_masked]
        return {
            "mask": mask,
            "num_masked": num_masked,
            "negatives": torch.from_numpy(np.concatenate(negatives)),
        }


@pytest.fixture
def make_both(speech_data: Path, tmp_path: Path) -> Any:
    def make(config: dict[str, Any]) -> Both:
        from transformers import Wav2Vec2Config, Wav2Vec2ForPreTraining

        theirs = Wav2Vec2ForPreTraining(Wav2Vec2Config(**QUIET, **config)).train()
        for parameter in theirs.parameters():
            if parameter.ndim == 1:  # biases and norms start from 0 and 1, which hides a mix-up
                nn.init.normal_(parameter, mean=parameter.mean().item(), std=0.1)
        # Of probabilities that underflow to 0, transformers makes gradients that are not a number.
        theirs.quantizer.weight_proj.weight.data *= 0.3
        theirs.set_gumbel_temperature(TEMPERATURE)
        theirs.save_pretrained(tmp_path)
        ours = pretrained.load_pretraining(tmp_path, feature_gradient_scale=1.0, length_aware=False)
        return Both(ours.train(), theirs, *_speech(speech_data))

    return make


def _speech(folder: Path) -> tuple[Tensor, Tensor]:
    """Return 1.2 s of one recording and 1 s of another, padded, at unit power."""
    num_samples = torch.tensor([19_200, 16_000])
    waves = torch.zeros(2, 19_200)
    files = sorted((folder / "librispeech").rglob("*.flac"))[:2]
    for row, file, length in zip(waves, files, num_samples.tolist(), strict=True):
        wave = soundfile.read(file, stop=length, dtype="float32")[0]
        row[:length] = torch.from_numpy(wave / wave.std())
    return waves, num_samples


class SharedNoise:
    """Exponential noise in which a frame gets the same whether it is drawn alone or with all."""

    def __init__(self, mask: Tensor, codebooks: Tensor, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        num_codebooks, num_entries, _ = codebooks.shape
        shape = (mask.numel(), num_codebooks, num_entries)
        self.of_all = torch.empty(shape).exponential_(generator=generator)
        self.of_masked = self.of_all[mask.flatten()]

    def fill(self, tensor: Tensor) -> Tensor:
        """Stand in for `Tensor.exponential_`."""
        noise = self.of_all if tensor.numel() == self.of_all.numel() else self.of_masked
        return tensor.copy_(noise.view_as(tensor))


def _our_losses(both: Both, drawn: dict[str, Any]) -> PretrainingLosses:
    output = both.ours(
        both.waves,
        both.num_samples,
        drawn["mask"],
        num_masked=len(drawn["negatives"]),
        temperature=TEMPERATURE,
    )
    contrast = ContrastiveLoss()(
        output.contexts,
        output.targets,
        codes=output.quantized.codes,
        negatives=drawn["negatives"],
        num_masked=drawn["num_masked"],
    )
    quantized = output.quantized
    return PretrainingLoss(feature_penalty_weight=0.0)(
        contrast,
        probabilities=quantized.probabilities if both.ours.training else quantized.shares,
        feature_penalty=output.feature_penalty,
    )


def _their_losses(both: Both, drawn: dict[str, Any]) -> Any:
    mask = drawn["mask"]
    frames = mask.flatten().nonzero()[:, 0]  # (M,) of all B T
    starts = torch.tensor([0, drawn["num_masked"][0]]).repeat_interleave(
        torch.tensor(drawn["num_masked"])
    )
    negatives = torch.zeros(mask.numel(), NUM_NEGATIVES, dtype=torch.int64)
    negatives[frames] = frames[drawn["negatives"] + starts[:, None]]
    return both.theirs(
        both.waves,
        attention_mask=(torch.arange(both.waves.shape[1]) < both.num_samples[:, None]).long(),
        mask_time_indices=mask,
        sampled_negative_indices=negatives.view(*mask.shape, NUM_NEGATIVES),
    )


def _both_losses(
    both: Both, monkeypatch: pytest.MonkeyPatch, seed: int = 0
) -> tuple[PretrainingLosses, Any]:
    drawn = both.draw(seed)
    noise = SharedNoise(drawn["mask"], both.ours.quantizer.codebooks, seed)
    with monkeypatch.context() as patch:
        patch.setattr(torch.Tensor, "exponential_", lambda tensor: noise.fill(tensor))
        return _our_losses(both, drawn), _their_losses(both, drawn)


def _assert_parts_agree(ours: PretrainingLosses, theirs: Any, *, relative: float = 1e-4) -> None:
    assert ours.contrastive.item() == pytest.approx(theirs.contrastive_loss.item(), rel=relative)
    assert ours.diversity.item() == pytest.approx(theirs.diversity_loss.item(), rel=relative)
    assert ours.total.item() == pytest.approx(theirs.loss.item(), rel=relative)


@pytest.mark.parametrize("config", ALL_SIZES)
def test_loss_parts_and_all_gradients_agree(
    make_both: Any, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = make_both(config)
    ours, theirs = _both_losses(both, monkeypatch)
    _assert_parts_agree(ours, theirs)
    ours.total.backward()
    theirs.loss.backward()
    gradients = {name: p.grad for name, p in both.theirs.named_parameters()}
    expected = huggingface.translate(gradients, dict(both.ours.named_parameters()))
    assert (expected.missing, expected.unexpected) == ([], [])
    differences = {}
    for name, parameter in both.ours.named_parameters():
        reference = expected.state[name].view_as(parameter)
        differences[name] = ((parameter.grad - reference).norm() / reference.norm()).item()
    worst = max(differences, key=differences.__getitem__)
    print(f"largest relative difference of a gradient: {differences[worst]:.1e}, {worst}")
    assert differences[worst] < 1e-3, worst


@pytest.mark.parametrize("config", SIZES)
def test_validation_losses_agree(
    make_both: Any, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = make_both(config)
    both.ours.eval()
    both.theirs.eval()
    with torch.inference_mode():
        _assert_parts_agree(*_both_losses(both, monkeypatch))


@pytest.mark.parametrize("config", SIZES)
def test_ten_steps_from_the_same_start_stay_together(
    make_both: Any, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = make_both(config)
    optimizers = [
        torch.optim.AdamW(side.parameters(), lr=1e-4) for side in (both.ours, both.theirs)
    ]
    for step in range(10):
        ours, theirs = _both_losses(both, monkeypatch, seed=step)
        _assert_parts_agree(ours, theirs, relative=1e-3)
        for loss, optimizer in zip((ours.total, theirs.loss), optimizers, strict=True):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
