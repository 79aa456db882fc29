"""What a network says of one set is collected whole and scored once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jiwer
import pytest
import torch

from duovox.batch import NetworkOutput
from duovox.decoding.greedy import GreedyDecoder
from duovox.loss.cross_entropy import CrossEntropyLoss
from duovox.loss.ctc import CtcLoss
from duovox.task.evaluation import Hypothesis, SpeakerEvaluation, SpeechEvaluation, Trials
from duovox.task.speaker import SpeakerTask
from duovox.task.speech import SpeechTask

VOCABULARY = ("<pad>", "|", "A", "B")


class Teller(torch.nn.Module):
    """A network that hears the symbol whose number is the only sample of the wave."""

    def forward(self, waves: torch.Tensor, num_samples: torch.Tensor, *, task: str):
        logits = torch.nn.functional.one_hot(waves.long(), 4) * 20.0  # (B, 1, V)
        return NetworkOutput(
            frames=logits, num_frames=torch.ones(len(waves)).long(), token_logits=logits
        )


def trials(enroll: Sequence[str], test: Sequence[str], is_target: Sequence[bool]) -> Trials:
    return Trials(
        name="t",
        enroll_keys=enroll,
        test_keys=test,
        enroll_speakers=enroll,
        test_speakers=test,
        is_target=is_target,
    )


def test_logits_are_kept_on_request_and_may_be_reworded(speech_batch) -> None:
    evaluation = SpeechEvaluation(
        name="s",
        task=SpeechTask(ctc=CtcLoss(), decode=GreedyDecoder(VOCABULARY), vocabulary=VOCABULARY),
        keeps_logits=True,
    )
    evaluation.add(Teller(), speech_batch([2.0, 3.0], ["A", "A B"]))
    evaluation.add(Teller(), speech_batch([0.0], ["B"]))
    assert [one.argmax(-1).tolist() for one in evaluation.logits] == [[2], [3], [0]]
    evaluation.reword(["X", "Y", "Z"])
    assert [(one.reference, one.hypothesis) for one in evaluation.hypotheses] == [
        ("A", "X"),
        ("A B", "Y"),
        ("B", "Z"),
    ]
    evaluation.start()
    assert (evaluation.logits, evaluation.hypotheses) == ([], [])


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_logits_that_say_nothing_are_no_silence(speech_batch, value: float) -> None:
    class Overflown(Teller):
        def forward(self, waves: torch.Tensor, num_samples: torch.Tensor, *, task: str):
            output = super().forward(waves, num_samples, task=task)
            output.token_logits[1, 0, 0] = value
            return output

    evaluation = SpeechEvaluation(
        name="s",
        task=SpeechTask(ctc=CtcLoss(), decode=GreedyDecoder(VOCABULARY), vocabulary=VOCABULARY),
    )
    batch = speech_batch([2.0, 3.0], ["A", "B"])
    with pytest.raises(ValueError, match=rf"1 of 2 utterances are not finite \({batch.keys[1]}\)"):
        evaluation.add(Overflown(), batch)


def test_hypotheses_come_in_order_with_rates_over_the_whole_set(speech_batch) -> None:
    evaluation = SpeechEvaluation(
        name="s",
        task=SpeechTask(ctc=CtcLoss(), decode=GreedyDecoder(VOCABULARY), vocabulary=VOCABULARY),
    )
    batches = [speech_batch([2.0, 3.0], ["A", "A B"]), speech_batch([0.0], ["B"])]
    losses = []
    for batch in batches:
        evaluation.add(Teller(), batch)
        losses.append(evaluation.task.forward(Teller(), batch)[1].item())
    assert evaluation.hypotheses == [
        Hypothesis(key="speech/2.0", reference="A", hypothesis="A", num_samples=1),
        Hypothesis(key="speech/3.0", reference="A B", hypothesis="B", num_samples=1),
        Hypothesis(key="speech/0.0", reference="B", hypothesis="", num_samples=1),
    ]
    result = evaluation.result()
    assert result["wer"] == jiwer.wer(["A", "A B", "B"], ["A", "B", ""]) == 0.5
    assert result["loss"] == pytest.approx((2 * losses[0] + losses[1]) / 3)  # over utterances


def test_a_new_pass_forgets_the_last(speech_batch, network, speaker_batch) -> None:
    speech = SpeechEvaluation(
        name="s",
        task=SpeechTask(ctc=CtcLoss(), decode=GreedyDecoder(VOCABULARY), vocabulary=VOCABULARY),
    )
    speech.add(Teller(), speech_batch([2.0], ["A"]))
    speech.start()
    speech.add(Teller(), speech_batch([3.0], ["B"]))
    assert [item.hypothesis for item in speech.hypotheses] == ["B"]
    speaker = speaker_evaluation(trials(["speaker/2.0"], ["speaker/2.0"], [True]))
    speaker.add(network, speaker_batch([1.0]))
    speaker.start()
    speaker.add(network, speaker_batch([2.0]))
    assert list(speaker.embeddings) == ["speaker/2.0"]


def speaker_evaluation(asked: Trials) -> SpeakerEvaluation:
    return SpeakerEvaluation(
        name="v", task=SpeakerTask(classification=CrossEntropyLoss()), trials=asked
    )


def test_trials_are_scored_by_cosine_wherever_their_utterances_came(network, speaker_batch) -> None:
    """The embedding of a sample s is (s, 1), so that angles can be worked out by hand."""
    keys = {sample: f"speaker/{sample}" for sample in (0.0, 1.0, -1.0, 3.0)}
    asked = trials(
        [keys[0.0], keys[1.0], keys[3.0]],
        [keys[1.0], keys[-1.0], keys[3.0]],
        [False, False, True],
    )
    evaluation = speaker_evaluation(asked)
    for batch in ([3.0, 0.0], [-1.0], [1.0]):
        evaluation.add(network, speaker_batch(batch, [-1] * len(batch)))  # unknown speakers
    expected = torch.tensor([math.cos(math.pi / 4), 0.0, 1.0])
    torch.testing.assert_close(evaluation.scores(), expected)
    assert evaluation.result() == {"eer": 0.0}


def test_a_trial_without_an_embedding_is_an_error(network, speaker_batch) -> None:
    evaluation = speaker_evaluation(trials(["speaker/1.0"], ["missing"], [True]))
    evaluation.add(network, speaker_batch([1.0]))
    with pytest.raises(ValueError, match="missing"):
        evaluation.scores()
