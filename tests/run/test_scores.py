"""The numbers of metrics.json agree with jiwer's and with rates counted by hand."""

from __future__ import annotations

import jiwer
import numpy as np
import pytest
from sklearn.metrics import roc_curve

from duovox.run.scores import speaker_scores, speech_scores
from duovox.task.evaluation import Hypothesis, Trials

TEXTS = [("ONE TWO", "ONE"), ("SIX", "SAX SIX"), ("", "TWO"), ("TWO TWO", "TWO TWO")]


def hypotheses(texts: list[tuple[str, str]]) -> list[Hypothesis]:
    return [
        Hypothesis(key=str(number), reference=reference, hypothesis=text, num_samples=1)
        for number, (reference, text) in enumerate(texts)
    ]


def test_word_and_character_rates_are_jiwer_s_over_the_whole_set() -> None:
    scores = speech_scores(hypotheses(TEXTS))
    references, texts = map(list, zip(*TEXTS, strict=True))
    words = jiwer.process_words(references, texts)
    assert scores["wer"] == pytest.approx(words.wer)
    assert scores["cer"] == pytest.approx(jiwer.cer(references, texts))
    counted = [scores[name] for name in ("substitutions", "deletions", "insertions")]
    assert counted == [words.substitutions, words.deletions, words.insertions]
    assert (scores["num_words"], scores["num_utterances"]) == (5, 4)
    lowest, highest = scores["wer_interval"]
    assert 0 <= lowest < scores["wer"] < highest


def test_a_perfect_set_has_an_interval_of_no_width() -> None:
    scores = speech_scores(hypotheses([("A", "A"), ("B C", "B C")]))
    assert scores["wer"] == scores["cer"] == 0
    assert scores["wer_interval"] == [0, 0]


def test_verification_rates_are_those_of_the_roc_curve() -> None:
    generator = np.random.default_rng(5)
    is_target = generator.random(400) < 0.5
    scores = (generator.standard_normal(400) + 2 * is_target).astype(np.float32) / 10
    speakers = generator.integers(0, 12, (2, 400)).astype(str)
    trials = Trials(
        name="t",
        enroll_keys=[str(n) for n in range(400)],
        test_keys=[str(n) for n in range(400)],
        enroll_speakers=speakers[0].tolist(),
        test_speakers=speakers[1].tolist(),
        is_target=is_target.tolist(),
        known_as="VoxCeleb1-O, cleaned",
    )
    found = speaker_scores(scores, trials)
    false_alarms, hits, thresholds = roc_curve(is_target, scores, drop_intermediate=False)
    misses = 1 - hits
    crossing = np.argmin(np.abs(misses - false_alarms))
    assert found["eer"] == pytest.approx(misses[crossing], abs=0.005)
    assert found["eer_threshold"] == pytest.approx(thresholds[crossing], abs=0.02)
    for p_target, name in ((0.01, "min_dcf_p01"), (0.05, "min_dcf_p05")):
        costs = p_target * misses + (1 - p_target) * false_alarms
        assert found[name] == pytest.approx(min(costs.min() / p_target, 1))
    assert (found["num_trials"], found["trial_list"]) == (400, "VoxCeleb1-O, cleaned")
    assert found["num_targets"] == int(is_target.sum())
    assert found["num_speakers"] == len(set(speakers.ravel()))
    lowest, highest = found["eer_interval"]
    assert lowest <= found["eer"] <= highest


@pytest.mark.parametrize("last", ["", "c"])
def test_unknown_speakers_leave_no_interval_to_draw_over_them(last: str) -> None:
    trials = Trials(
        name="t",
        enroll_keys=["1", "2", "3", "4"],
        test_keys=["5", "6", "7", "8"],
        enroll_speakers=["a", "a", "b", last],
        test_speakers=["a", "b", "b", "a"],
        is_target=[True, False, True, False],
    )
    found = speaker_scores(np.array([0.9, 0.2, 0.3, 0.4], dtype=np.float32), trials)
    assert (found["eer_interval"] is None) == (last == "")
    assert found["num_speakers"] == (2 if last == "" else 3)
