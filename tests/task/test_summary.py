"""One validation in a few numbers."""

from __future__ import annotations

import pytest

from duovox.decoding.greedy import GreedyDecoder
from duovox.loss.cross_entropy import CrossEntropyLoss
from duovox.task.evaluation import SpeakerEvaluation, SpeechEvaluation, Trials
from duovox.task.speaker import SpeakerTask
from duovox.task.speech import SpeechTask
from duovox.task.summary import measured, summarise


class Words(SpeechEvaluation):
    """An evaluation with a given result."""

    def __init__(self, name: str, wer: float, loss: float) -> None:
        super().__init__(
            name=name,
            task=SpeechTask(
                ctc=lambda *_: _[0], decode=GreedyDecoder(("<pad>",)), vocabulary=("<pad>",)
            ),
        )
        self._result = {"wer": wer, "loss": loss}

    def result(self) -> dict[str, float]:
        return self._result


class Voices(SpeakerEvaluation):
    """An evaluation with a given result."""

    def __init__(self, name: str, eer: float) -> None:
        none = Trials(
            name=name,
            enroll_keys=(),
            test_keys=(),
            enroll_speakers=(),
            test_speakers=(),
            is_target=(),
        )
        task = SpeakerTask(classification=CrossEntropyLoss())
        super().__init__(name=name, task=task, trials=none)
        self._result = {"eer": eer}

    def result(self) -> dict[str, float]:
        return self._result


CLEAN, OTHER, VOX = Words("clean", 0.1, 2.0), Words("other", 0.3, 4.0), Voices("vox", 0.05)


def test_sets_are_reported_alone_and_as_means_and_both_tasks_as_a_sum() -> None:
    assert summarise([CLEAN, OTHER, VOX]) == {
        "val_wer_clean": 0.1,
        "val_loss_clean": 2.0,
        "val_wer_other": 0.3,
        "val_loss_other": 4.0,
        "val_eer_vox": 0.05,
        "val_wer": pytest.approx(0.2),
        "val_loss_speech": 3.0,
        "val_eer": 0.05,
        "val_wer_eer": pytest.approx(0.25),
    }


@pytest.mark.parametrize("sets", [[], [CLEAN], [VOX], [CLEAN, OTHER], [CLEAN, VOX]])
def test_it_is_known_beforehand_what_will_be_measured(sets: list[Words | Voices]) -> None:
    assert measured(sets) == set(summarise(sets))
