from __future__ import annotations

import pytest

from duovox.run.report.measures import MEASURES, count_text, measures_of, results_of

BY_KEY = {measure.key: measure for measure in MEASURES}


def test_the_keys_are_those_of_metrics_json() -> None:
    verification = ["eer", "min_dcf_p01", "min_dcf_p05"]
    calibration = ["actual_dcf_p01", "actual_dcf_p05", "cllr", "min_cllr"]
    pretraining = ["accuracy", "contrastive"]
    assert list(BY_KEY) == ["wer", "cer", *verification, *calibration, *pretraining]


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [("wer", 0.08316, "8.32 %"), ("wer", 1.25, "125.00 %"), ("min_dcf_p01", 0.62312, "0.623")],
)
def test_rates_are_percentages_and_costs_are_not(key: str, value: float, text: str) -> None:
    assert BY_KEY[key].text({key: value}) == text


def test_what_a_set_has_not_is_none() -> None:
    assert BY_KEY["wer"].text({"eer": 0.1}) is None
    assert BY_KEY["wer"].interval_text({"wer": 0.1}) is None
    assert measures_of({"eer": 0.1, "wer": None}) == [BY_KEY["eer"]]


def test_intervals_have_the_unit_of_their_measure() -> None:
    assert BY_KEY["eer"].interval_text({"eer_interval": [0.0619, 0.0889]}) == "6.19–8.89"
    assert (
        BY_KEY["min_dcf_p05"].interval_text({"min_dcf_p05_interval": [0.4, 0.5]}) == "0.400–0.500"
    )


def test_counts_are_named() -> None:
    assert count_text({"num_trials": 3870, "num_speakers": 80}) == "3,870 trials, 80 speakers"


def test_a_public_trial_list_is_named_before_its_counts() -> None:
    result = {"num_trials": 37_611, "trial_list": "VoxCeleb1-O, cleaned"}
    assert count_text(result) == "VoxCeleb1-O, cleaned: 37,611 trials"
    assert count_text(result | {"trial_list": None}) == "37,611 trials"


def test_test_sets_come_before_validation_sets() -> None:
    metrics = {"validation": {"a": {"wer": 1}}, "test": {"b": {"eer": 1}}, "training": {"steps": 3}}
    assert [(split, name) for split, name, _ in results_of(metrics)] == [
        ("test", "b"),
        ("validation", "a"),
    ]
