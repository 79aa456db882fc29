"""Turn scores into log-likelihood ratios: what `duovox calibrate` and `duovox fuse` do.

Scale and offset, or a weight per system, are fitted on scores of a development list and applied to
those of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from duovox.data.listing import listing
from duovox.data.trial.score_list import ScoreList, read_score_list
from duovox.metric.fusion import LogisticFusion, fit_fusion
from duovox.run.verification.matching import side_by_side, spelled
from duovox.run.verification.scoring import measure


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """What was learnt on the development scores, and what it made of the others."""

    fusion: LogisticFusion
    llrs: ScoreList  # of the test trials
    results: dict[
        str, dict[str, Any]
    ]  # of each system before and of all after; none without labels


def calibrate(dev: Sequence[Path], test: Sequence[Path], *, p_target: float) -> Calibrated:
    """Fit on the development scores of one system or several, and apply to their test scores.

    Args:
        dev: A labelled score file per system; trials are matched by their utterances.
        test: Their test scores, in the same order; labels are needed to measure them only.
        p_target: Share of targets where decisions will be taken.

    Raises:
        ValueError: a file can't be read, the systems have other trials or labels than each other,
            development scores have no labels, or development and test share trials.
    """
    if len(dev) != len(test) or not dev:
        raise ValueError(
            f"each system needs development and test scores, got {len(dev)} and {len(test)} files"
        )
    fitted, applied = ([read_score_list(path) for path in paths] for paths in (dev, test))
    applied[0].by_key()  # what is written names its trials
    _refuse_shared_trials(fitted[0], applied[0])
    labels = _labels(fitted)
    if labels is None:
        raise ValueError(
            f"{dev[0]} has no labels to learn from: duovox score {dev[0]} --trials LIST --out "
            "FILE writes it with those of a trial list"
        )
    fusion = fit_fusion(side_by_side(fitted), labels, p_target=p_target)
    llrs = replace(
        applied[0],
        name="calibrated" if len(dev) == 1 else "fused",
        scores=fusion.llrs(side_by_side(applied)),
        is_target=_labels(applied),
    )
    return Calibrated(fusion=fusion, llrs=llrs, results=_results(applied, test, llrs))


def _labels(systems: Sequence[ScoreList]) -> Any:
    """Return the labels in the order of the first system: its own, or those of another."""
    first = systems[0]
    for system in systems:
        if system.is_target is not None:
            if system is first or system.keys == first.keys:
                return system.is_target
            places = system.by_key()
            return system.is_target[[places[key] for key in first.keys or ()]]
    return None


def _results(
    systems: Sequence[ScoreList], paths: Sequence[Path], llrs: ScoreList
) -> dict[str, dict[str, Any]]:
    if llrs.is_target is None:
        return {}
    raw = {
        str(path): measure(replace(llrs, scores=column), are_llrs=True)
        for path, column in zip(paths, side_by_side(systems).T, strict=True)
    }
    return raw | {llrs.name: measure(llrs, are_llrs=True)}


def _refuse_shared_trials(dev: ScoreList, test: ScoreList) -> None:
    """Raise where a trial is in both, whichever of its utterances comes first."""
    known = {frozenset(spelled(key)) for key in dev.keys or ()}
    shared = sorted({key for key in test.keys or () if frozenset(spelled(key)) in known})
    if shared:
        raise ValueError(
            f"{len(shared)} trials are in both the development and the test scores, so the result "
            f"would be too good:{listing([' '.join(key) for key in shared])}"
        )
