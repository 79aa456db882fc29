"""The speaker task: classification of the training speakers, and its accuracy."""

from __future__ import annotations

import torch

from duovox.loss.cross_entropy import CrossEntropyLoss
from duovox.loss.triplet import TripletLoss
from duovox.task.speaker import SpeakerTask


def test_the_loss_is_the_classification_of_the_speaker_logits(network, speaker_batch) -> None:
    batch = speaker_batch([1.0, 2.0, -1.0], [0, 1, 1])
    output, loss = SpeakerTask(classification=CrossEntropyLoss()).forward(network, batch)
    expected = torch.nn.functional.cross_entropy(output.speaker_logits, batch.speaker_ids)
    torch.testing.assert_close(loss, expected)
    assert output.token_logits is None  # the other task's part is not computed


def test_the_glance_is_the_share_of_speakers_ranked_first(network, speaker_batch) -> None:
    task = SpeakerTask(classification=CrossEntropyLoss())
    batch = speaker_batch([1.0, 2.0, -1.0, -2.0], [0, 1, 1, 1])  # a positive sample says 0
    output, _ = task.forward(network, batch)
    assert task.glance(batch, output) == {"train_acc": 0.75}


def test_losses_of_logits_and_of_embeddings_are_added_by_their_weights(
    network, speaker_batch
) -> None:
    batch = speaker_batch([1.0, 2.0, -1.0, -2.0], [0, 1, 1, 0])
    kind = CrossEntropyLoss()
    triplet = TripletLoss()
    task = SpeakerTask(
        classification=kind, triplet=triplet, classification_weight=0.5, triplet_weight=2
    )
    output, loss = task.forward(network, batch)
    parts = [kind(output.speaker_logits, batch.speaker_ids)]
    parts += [triplet(output.embedding, batch.speaker_ids)]
    torch.testing.assert_close(loss, 0.5 * parts[0] + 2 * parts[1])
