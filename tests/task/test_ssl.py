"""Pre-training's task and its evaluation, on a small real network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from duovox.batch import SslBatch
from duovox.data.frames import WAV2VEC2
from duovox.data.stage.masking import Masking
from duovox.loss.contrastive import ContrastiveLoss
from duovox.loss.pretraining import PretrainingLoss, perplexity
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.pretraining import PretrainingNetwork
from duovox.network.wav2vec2.quantizer import ProductQuantizer
from duovox.task.ssl import SslTask
from duovox.task.ssl_evaluation import SslEvaluation
from duovox.task.summary import measured, summarise

MASKING = Masking(probability=0.65, length=3, num_negatives=5)


@pytest.fixture
def network() -> PretrainingNetwork:
    architecture = Architecture(
        conv_channels=(8,) * 7,
        conv_bias=False,
        conv_norm="group",
        width=16,
        num_layers=1,
        num_heads=2,
        feed_forward_width=32,
        position_kernel=8,
        position_groups=2,
        pre_norm=True,
    )
    backbone = Wav2Vec2Backbone(architecture)
    quantizer = ProductQuantizer(8, num_codebooks=2, num_entries=6, out_dim=8)
    return PretrainingNetwork(backbone, quantizer, similarity_dim=8)


@pytest.fixture
def task() -> SslTask:
    return SslTask(
        contrastive=ContrastiveLoss(),
        pretraining=PretrainingLoss(),
        gumbel_temperature=lambda step: 2.0 - 0.1 * step,
    )


def batch_of(lengths: list[int], *, first: int = 0) -> SslBatch:
    """Return a batch of noise; utterance n of a set is the same in any batch."""
    frames = WAV2VEC2.count(np.array(lengths)).tolist()
    mask = torch.zeros(len(lengths), max(frames), dtype=torch.bool)
    waves = torch.zeros(len(lengths), max(lengths))
    negatives = []
    for row, (length, num_frames) in enumerate(zip(lengths, frames, strict=True)):
        generator = np.random.default_rng(first + row)
        waves[row, :length] = torch.from_numpy(generator.standard_normal(length))
        masked, drawn = MASKING.draw(num_frames, generator)
        mask[row, :num_frames] = torch.from_numpy(masked)
        negatives.append(torch.from_numpy(drawn))
    return SslBatch(
        keys=tuple(f"{first + row}" for row in range(len(lengths))),
        waves=waves,
        num_samples=torch.tensor(lengths),
        mask=mask,
        num_masked=tuple(map(len, negatives)),
        negatives=torch.cat(negatives),
    )


def test_the_loss_is_that_of_its_parts_per_masked_frame(network, task) -> None:
    batch = batch_of([8000, 12_000])
    heard, loss = task.forward(network, batch)
    seen = task.glance(batch, heard)
    weighted = {"train_contrastive": 1.0, "train_diversity": 0.1, "train_feature_penalty": 10.0}
    assert loss.item() == pytest.approx(sum(w * seen[name] for name, w in weighted.items()))
    assert loss.requires_grad


def test_a_glance_tells_how_the_codebooks_are_used(network, task) -> None:
    batch = batch_of([8000, 12_000])
    heard, _ = task.forward(network, batch)
    seen = task.glance(batch, heard)
    quantized = heard.output.quantized
    codes = [np.bincount(codes, minlength=6) for codes in quantized.codes.T.numpy()]
    for number, counts in enumerate(codes, start=1):
        shares = counts[counts > 0] / counts.sum()
        hard = np.exp(-(shares * np.log(shares)).sum())
        assert seen[f"train_code_perplexity_{number}"] == pytest.approx(hard, rel=1e-4)
        soft = perplexity(quantized.probabilities.detach())[number - 1].item()
        assert seen[f"train_prob_perplexity_{number}"] == pytest.approx(soft)
    masked, frames = batch.mask.sum(), WAV2VEC2.count(batch.num_samples.numpy()).sum()
    assert seen["share_masked"] == pytest.approx(float(masked) / frames)
    entries = network.quantizer.codebooks[0].detach().numpy()
    cosines = entries @ entries.T / np.outer(*[np.linalg.norm(entries, axis=1)] * 2)
    pairs = cosines[np.triu_indices(6, 1)]
    assert seen["codebook_similarity_avg_1"] == pytest.approx(pairs.mean(), rel=1e-4)
    assert seen["codebook_similarity_max_1"] == pytest.approx(pairs.max(), rel=1e-4)


def test_the_temperature_is_that_of_the_step(network, task) -> None:
    batch = batch_of([8000])
    for step, temperature in ((0, 2.0), (5, 1.5)):
        task.at_step(step)
        assert task.glance(batch, task.forward(network, batch)[0])["gumbel_temperature"] == (
            temperature
        )


def test_an_evaluation_does_not_depend_on_how_a_set_is_cut_into_batches(network, task) -> None:
    network.eval()
    lengths = [8000, 8000, 12_000, 9000]
    results = []
    for cuts in ([4], [1, 3], [2, 1, 1]):
        evaluation = SslEvaluation(name="set", task=task)
        evaluation.start()
        first = 0
        for size in cuts:
            with torch.inference_mode():
                evaluation.add(network, batch_of(lengths[first : first + size], first=first))
            first += size
        results.append(evaluation.result())
    assert results[1] == pytest.approx(results[0], rel=1e-4)
    assert results[2] == pytest.approx(results[0], rel=1e-4)


def test_an_evaluation_of_one_batch_is_what_the_task_says_of_it(network, task) -> None:
    network.eval()
    batch = batch_of([8000, 12_000])
    evaluation = SslEvaluation(name="set", task=task)
    evaluation.start()
    evaluation.add(network, batch)
    heard, loss = task.forward(network, batch)
    seen = task.glance(batch, heard)
    result = evaluation.result()
    assert result["loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert result["accuracy"] == pytest.approx(seen["train_accuracy"])
    assert result["code_perplexity_1"] == pytest.approx(seen["train_code_perplexity_1"], rel=1e-5)
    assert evaluation.code_shares().sum(dim=1).tolist() == pytest.approx([1, 1])
    evaluation.start()
    assert evaluation.num_utterances == evaluation.num_masked == 0


def test_a_summary_weighs_sets_by_their_masked_frames(network, task) -> None:
    network.eval()
    sets = [SslEvaluation(name=name, task=task) for name in ("short", "long")]
    for one, lengths in zip(sets, ([4000], [12_000, 9000]), strict=True):
        one.start()
        one.add(network, batch_of(lengths))
    scores = summarise(sets)
    weights = [one.num_masked for one in sets]
    losses = [scores["val_loss_short"], scores["val_loss_long"]]
    assert scores["val_loss_ssl"] == pytest.approx(np.average(losses, weights=weights))
    accuracies = [scores["val_accuracy_short"], scores["val_accuracy_long"]]
    assert scores["val_accuracy"] == pytest.approx(np.average(accuracies, weights=weights))
    assert measured(sets) <= set(scores)
    assert "val_loss_ssl" in measured(sets)
