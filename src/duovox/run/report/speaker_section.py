"""The trials that were answered worst."""

from __future__ import annotations

from collections.abc import Sequence

from duovox.run.report.markup import Markup, element, join, table
from duovox.run.report.scores import ScoredTrial, ScoredTrials, hardest

COUNT = 5  # trials shown of each kind


def hardest_trials(lists: Sequence[ScoredTrials]) -> Markup:
    """Return the non-targets with the highest scores and the targets with the lowest."""
    cosines = [one for one in lists if one.are_cosines]  # the same trials, on one scale
    trials = [
        *hardest(cosines, count=COUNT, is_target=False),
        *hardest(cosines, count=COUNT, is_target=True),
    ]
    header = ["Truth", "Score", "Enrolled", "Tested", "Trial list"]
    return join(
        [
            element("h3", "Hardest trials"),
            table(header, [_row(trial) for trial in trials], class_="trials"),
        ]
    )


def _row(trial: ScoredTrial) -> list[str]:
    return [
        "same speaker" if trial.is_target else "different speakers",
        f"{trial.score:.3f}",
        element("code", trial.enroll_key),
        element("code", trial.test_key),
        trial.list_name,
    ]
