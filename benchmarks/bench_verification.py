"""C5 and C6: error rates of scored trials, and the scoring itself, against what people use.

C5: EER and minDCF of as many trials as VoxCeleb1-O has (37,720) and as its E list has (580,000).
Peers: scikit-learn's `roc_curve` with the same two numbers read from it, and speechbrain. That one
compares every score with every threshold, which at 37,720 trials takes gigabytes: it is measured
at 6,000 trials and extrapolated by the square of the number of trials, and the line says so.

C6: cosine scores of 37,720 trials over 4,708 embeddings of 256 numbers, from ids to scores. Peers:
one `torch.cosine_similarity` per trial, and the fastest loop we could think of, one numpy product
of unit-length vectors per trial. Then the cohort statistics of s-norm (20,000 strangers, the 300
nearest) against one large matrix product with `torch.topk`.

Run: .venv/bin/python benchmarks/bench_verification.py
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.metrics import roc_curve
from speechbrain.utils.metric_stats import EER, minDCF

from duovox.metric.cosine_score import score_trials
from duovox.metric.eer import read_eer
from duovox.metric.error_curve import error_curve
from duovox.metric.min_dcf import read_detection_cost
from duovox.metric.score_normalisation import cohort_statistics
from side_by_side import compare, print_header, print_row, print_versions

VOXCELEB1_O, VOXCELEB1_E, FEW = 37_720, 580_000, 6_000
NUM_UTTERANCES, WIDTH, COHORT, NEAREST = 4_708, 256, 20_000, 300

Trials = tuple[NDArray[np.float32], NDArray[np.int64]]


def make_trials(num_trials: int) -> Trials:
    generator = np.random.default_rng(num_trials)
    labels = generator.permutation(np.arange(num_trials) % 2)
    scores = 0.1 * generator.standard_normal(num_trials) + 0.4 * labels
    return scores.astype(np.float32), labels


def our_rates(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[float, float]:
    curve = error_curve(scores, labels)
    return read_eer(curve).eer, read_detection_cost(curve, p_target=0.01)


def scikit_learn_rates(scores: NDArray[Any], labels: NDArray[Any]) -> tuple[float, float]:
    alarms, hits, _ = roc_curve(labels, scores, drop_intermediate=False)
    misses = 1 - hits
    after = int(np.argmax(misses <= alarms))
    gap_before, gap_after = (misses - alarms)[[after - 1, after]]
    share = gap_before / (gap_before - gap_after)
    eer = alarms[after - 1] + share * (alarms[after] - alarms[after - 1])
    return float(eer), float((0.01 * misses + 0.99 * alarms).min() / 0.01)


def speechbrain_rates(scores: NDArray[Any], labels: NDArray[Any]) -> tuple[float, float]:
    targets = torch.from_numpy(scores[labels == 1])
    nontargets = torch.from_numpy(scores[labels == 0])
    return EER(targets, nontargets)[0], float(minDCF(targets, nontargets)[0]) / 0.01


def bench_error_rates() -> None:
    few = make_trials(FEW)
    np.testing.assert_allclose(our_rates(*few), speechbrain_rates(*few), atol=1 / FEW, rtol=1e-4)
    slow = compare(partial(our_rates, *few), partial(speechbrain_rates, *few))
    print_row(f"C5 EER + minDCF, {FEW:,}: speechbrain", "(measured)", slow)
    for num_trials, bar in ((VOXCELEB1_O, ">= 2x"), (VOXCELEB1_E, "ours < 30 ms")):
        trials = make_trials(num_trials)
        np.testing.assert_allclose(our_rates(*trials), scikit_learn_rates(*trials), rtol=1e-6)
        found = compare(partial(our_rates, *trials), partial(scikit_learn_rates, *trials))
        print_row(f"C5 EER + minDCF, {num_trials:,}: scikit-learn", bar, found)
        if num_trials == VOXCELEB1_O:
            extrapolated = slow.peer_seconds * (num_trials / FEW) ** 2
            print(
                f"   speechbrain EXTRAPOLATED to {num_trials:,}: {extrapolated:.1f} s, "
                f"{extrapolated / found.ours_seconds:,.0f}x (bar >= 1000x)"
            )


def score_one_by_one(table: dict[str, torch.Tensor], enroll: list[str], test: list[str]) -> Any:
    return [torch.cosine_similarity(table[a], table[b], dim=0) for a, b in zip(enroll, test)]  # noqa: B905


def multiply_one_by_one(table: dict[str, NDArray[Any]], enroll: list[str], test: list[str]) -> Any:
    return [table[a] @ table[b] for a, b in zip(enroll, test)]  # noqa: B905


def bench_scoring() -> None:
    embeddings = torch.randn(NUM_UTTERANCES, WIDTH)
    unit = F.normalize(embeddings, dim=1)
    keys = [
        f"id{row // 100:05d}/video{row % 37:03d}/{row:05d}.wav" for row in range(NUM_UTTERANCES)
    ]
    rows = np.random.default_rng(0).integers(NUM_UTTERANCES, size=(2, VOXCELEB1_O))
    enroll, test = ([keys[row] for row in side] for side in rows)
    ours = partial(score_trials, embeddings, keys, enroll=enroll, test=test)
    torch_loop = partial(score_one_by_one, dict(zip(keys, embeddings, strict=True)), enroll, test)
    product_loop = partial(
        multiply_one_by_one, dict(zip(keys, unit.numpy(), strict=True)), enroll, test
    )
    for loop, name, bar in (
        (torch_loop, "torch.cosine_similarity each", ">= 25x"),
        (product_loop, "numpy product each", "(no bar)"),
    ):
        np.testing.assert_allclose(ours().numpy(), np.array(loop(), np.float32), atol=1e-6)
        print_row(f"C6 score {VOXCELEB1_O:,} trials: {name}", bar, compare(ours, loop))


def full_matrix_statistics(unit: torch.Tensor, cohort: torch.Tensor) -> tuple[Any, Any]:
    nearest = (unit @ cohort.T).topk(NEAREST, dim=1).values
    return nearest.mean(dim=1), nearest.std(dim=1, correction=0)


def bench_score_normalisation() -> None:
    unit = F.normalize(torch.randn(NUM_UTTERANCES, WIDTH), dim=1)
    cohort = F.normalize(torch.randn(COHORT, WIDTH), dim=1)
    ours = partial(cohort_statistics, unit, cohort, num_nearest=NEAREST)
    peer = partial(full_matrix_statistics, unit, cohort)
    np.testing.assert_allclose(ours().means, peer()[0].numpy(), rtol=1e-5)
    np.testing.assert_allclose(ours().stds, peer()[1].numpy(), rtol=1e-3)
    print_row(f"C6 s-norm statistics, cohort {COHORT:,}: torch.topk", ">= 2x", compare(ours, peer))
    product = compare(partial(torch.mm, unit, cohort.T), peer)
    print(
        f"   {1e3 * product.ours_seconds:.0f} ms of the peer's time is the matrix product: "
        f"no way to select could be more than {product.ratio:.1f}x as fast"
    )


def main() -> None:
    print_versions("torch", "numpy", "scikit-learn", "speechbrain")
    print(f"{torch.get_num_threads()} threads")
    print_header()
    bench_error_rates()
    bench_scoring()
    bench_score_normalisation()


if __name__ == "__main__":
    main()
