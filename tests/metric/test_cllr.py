"""The cost of log-likelihood ratios against loops, and its minimum against pooling by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from duovox.metric.cllr import cllr, minimum_cllr

tied_score = st.integers(-4, 4).map(lambda number: number / 2)
trials = st.lists(st.tuples(tied_score, st.booleans()), min_size=2, max_size=40)


def both_classes(scored: list[tuple[float, bool]]) -> tuple[list[float], list[bool]]:
    scores, labels = [s for s, _ in scored], [is_target for _, is_target in scored]
    assume(0 < sum(labels) < len(labels))
    return scores, labels


def loop_cllr(llrs: list[float], labels: list[bool]) -> float:
    """Sum the costs trial by trial; infinite ratios on the right side cost nothing."""
    costs: dict[bool, list[float]] = {True: [], False: []}
    for llr, label in zip(llrs, labels, strict=True):
        costs[label].append(math.log2(1 + math.exp(-llr if label else llr)))
    return sum(sum(side) / len(side) for side in costs.values()) / 2


def pooled_llrs(scores: list[float], labels: list[bool]) -> list[float]:
    """Pool adjacent violators one by one until the share of targets rises with the score."""
    pools = []  # (targets, trials, scores)
    for value in sorted(set(scores)):
        inside = [label for score, label in zip(scores, labels, strict=True) if score == value]
        pools.append((sum(inside), len(inside), {value}))
        while len(pools) > 1 and pools[-2][0] * pools[-1][1] >= pools[-1][0] * pools[-2][1]:
            last, before = pools.pop(), pools.pop()
            pools.append((before[0] + last[0], before[1] + last[1], before[2] | last[2]))
    prior = math.log(sum(labels) / (len(labels) - sum(labels)))
    ratios = {}
    for targets, number, values in pools:
        share = targets / number
        llr = math.log(share / (1 - share)) - prior if 0 < share < 1 else math.inf * (share - 0.5)
        ratios |= dict.fromkeys(values, llr)
    return [ratios[score] for score in scores]


@given(trials)
def test_cllr_equals_a_loop(scored: list[tuple[float, bool]]) -> None:
    scores, labels = both_classes(scored)
    assert cllr(scores, labels) == pytest.approx(loop_cllr(scores, labels))


@given(trials)
def test_minimum_equals_pooling_one_by_one(scored: list[tuple[float, bool]]) -> None:
    scores, labels = both_classes(scored)
    expected = loop_cllr(pooled_llrs(scores, labels), labels)
    assert minimum_cllr(scores, labels) == pytest.approx(expected, abs=1e-12)


@given(trials, st.floats(0.1, 5), st.floats(-3, 3))
def test_no_rising_map_beats_the_minimum(
    scored: list[tuple[float, bool]], scale: float, offset: float
) -> None:
    scores, labels = both_classes(scored)
    mapped = [scale * score + offset for score in scores]
    assert minimum_cllr(scores, labels) <= cllr(mapped, labels) + 1e-12


def test_ratios_of_known_distributions_are_calibrated() -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(200_000) % 2
    llrs = 2 * generator.normal(np.where(labels, 1, -1))  # of unit normals around 1 and -1
    assert cllr(llrs, labels) == pytest.approx(minimum_cllr(llrs, labels), abs=2e-3)
    assert cllr(2 * llrs, labels) > minimum_cllr(llrs, labels) + 0.02


def test_hand_worked_values() -> None:
    assert cllr([0, 0], [1, 0]) == pytest.approx(1)
    assert cllr([math.log(3), -math.log(7)], [1, 0]) == pytest.approx(
        (math.log2(4 / 3) + math.log2(8 / 7)) / 2
    )
    assert minimum_cllr([0.1, 0.9], [0, 1]) == 0
    assert minimum_cllr([0.9, 0.1], [0, 1]) == pytest.approx(1)


def test_large_ratios_do_not_overflow() -> None:
    assert cllr([-2000.0, 0.0], [1, 0]) == pytest.approx((2000 / math.log(2) + 1) / 2)


def test_a_list_of_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="needs target and non-target"):
        cllr([0.1, 0.2], [1, 1])
