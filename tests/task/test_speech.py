"""The speech task: CTC on logits, greedy text, WER of a batch."""

from __future__ import annotations

import pytest
import torch

from duovox.batch import NetworkOutput
from duovox.decoding.greedy import GreedyDecoder
from duovox.loss.ctc import CtcLoss
from duovox.task.speech import SpeechTask

VOCABULARY = ("<pad>", "|", "A", "B")


@pytest.fixture
def task() -> SpeechTask:
    return SpeechTask(ctc=CtcLoss(), decode=GreedyDecoder(VOCABULARY), vocabulary=VOCABULARY)


def heard(*rows: str) -> NetworkOutput:
    """Return logits that are sure of the given symbols; "_" is the blank."""
    ids = torch.tensor([["_|AB".index(symbol) for symbol in row] for row in rows])
    logits = torch.nn.functional.one_hot(ids, 4) * 20.0
    num_frames = torch.full((len(rows),), len(rows[0]))
    return NetworkOutput(frames=logits, num_frames=num_frames, token_logits=logits)


def test_the_loss_is_that_of_torch_on_the_network_s_logits(task, network, speech_batch) -> None:
    batch = speech_batch([0.5, 2.0])
    output, loss = task.forward(network, batch)
    log_probabilities = output.token_logits.log_softmax(-1).transpose(0, 1)
    expected = torch.nn.functional.ctc_loss(
        log_probabilities, batch.tokens, torch.tensor([1, 1]), batch.num_tokens
    )
    torch.testing.assert_close(loss, expected)
    assert output.embedding is None  # the other task's part is not computed


def test_text_is_collapsed_and_cut_at_the_true_length(task) -> None:
    output = heard("AA_A|B", "_BB__A")
    assert task.transcribe(output) == ["AA B", "BA"]


def test_the_glance_is_the_word_error_rate_of_the_batch(task, speech_batch) -> None:
    batch = speech_batch([1.0, 2.0], ["AA B", "A"])
    assert task.glance(batch, heard("AA_A|B", "_BB__A")) == {"train_wer": pytest.approx(1 / 3)}
