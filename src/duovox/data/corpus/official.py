"""The published counts of the public corpora, to hold prepared data sets against.

Each number has its source beside it; what no source is sure about is None.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from duovox.data.dataset.summary import DatasetSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialCounts:
    """What a corpus holds according to those who published it; None: not known for sure."""

    num_utterances: int | None = None
    num_speakers: int | None = None
    hours: float | None = None
    num_words: int | None = None


# LibriSpeech. Speakers and hours: rows and minutes per subset in its own SPEAKERS.TXT, summed (the
# paper's table, Panayotov et al. 2015, swaps the hours of dev-other and test-other). Utterances:
# lines of the archives' .trans.txt files. Words of test-clean: the same lines.
_LIBRISPEECH = {
    "train-clean-100": OfficialCounts(num_utterances=28_539, num_speakers=251, hours=100.59),
    "train-clean-360": OfficialCounts(num_utterances=104_014, num_speakers=921, hours=363.61),
    "train-other-500": OfficialCounts(num_utterances=148_688, num_speakers=1_166, hours=496.86),
    "dev-clean": OfficialCounts(num_utterances=2_703, num_speakers=40, hours=5.39),
    "dev-other": OfficialCounts(num_utterances=2_864, num_speakers=33, hours=5.12),
    "test-clean": OfficialCounts(
        num_utterances=2_620, num_speakers=40, hours=5.40, num_words=52_576
    ),
    "test-other": OfficialCounts(num_utterances=2_939, num_speakers=33, hours=5.34),
}

# Libri-light's limited training sets. Speakers and hours: Kahn et al. 2020 (arXiv:1912.07875),
# table of the training sets (24 speakers; 4 in each 10-minute set). Hours there are rounded, and
# the one-hour set is part of the ten-hour set. Utterances: lines of the transcripts in
# librispeech_finetuning.tgz, as wav2vec 2.0's published label files (libri_labels) count them.
_LIBRILIGHT = {
    "librilight-10m": OfficialCounts(num_utterances=48, num_speakers=4, hours=10 / 60),
    "librilight-1h": OfficialCounts(num_utterances=286, num_speakers=24, hours=1.0),
    "librilight-10h": OfficialCounts(num_utterances=2_763, num_speakers=24, hours=10.0),
}

# VoxCeleb. Utterances and speakers: tables on robots.ox.ac.uk/~vgg/data/voxceleb, in Nagrani et al.
# 2017 and Chung et al. 2018. Hours: sums of the files' lengths that published recipes print; 1 has
# 352 in all by its paper (340.4 + 11.2), 2 has 2,442 (2360.2 + 79.9, 0.1 % less).
_VOXCELEB = {
    "voxceleb1-dev": OfficialCounts(num_utterances=148_642, num_speakers=1_211, hours=340.4),
    "voxceleb1-test": OfficialCounts(num_utterances=4_874, num_speakers=40, hours=11.2),
    "voxceleb2-dev": OfficialCounts(num_utterances=1_092_009, num_speakers=5_994, hours=2_360.2),
    "voxceleb2-test": OfficialCounts(num_utterances=36_237, num_speakers=118, hours=79.9),
    # The files and speakers that VoxCeleb1's lists name. O: counted in veri_test.txt (MD5 29fc7cc1)
    # and veri_test2.txt (MD5 b7311073). E and H, cleaned, and the hours of O: counted by those who
    # published results on them; a list's speakers are also in Chung et al. 2018.
    "voxceleb1-o": OfficialCounts(num_utterances=4_715, num_speakers=40),
    "voxceleb1-o-cleaned": OfficialCounts(num_utterances=4_708, num_speakers=40, hours=10.8),
    "voxceleb1-e": OfficialCounts(num_speakers=1_251),
    "voxceleb1-e-cleaned": OfficialCounts(num_utterances=145_160, num_speakers=1_251),
    "voxceleb1-h": OfficialCounts(num_speakers=1_190),
    "voxceleb1-h-cleaned": OfficialCounts(num_utterances=137_924, num_speakers=1_190),
}

OFFICIAL: dict[str, OfficialCounts] = _LIBRISPEECH | _LIBRILIGHT | _VOXCELEB

# Trials of VoxCeleb1's lists: O counted in the files named above, E and H from the corpus's page.
OFFICIAL_TRIALS: dict[str, int] = {
    "voxceleb1-o": 37_720,
    "voxceleb1-o-cleaned": 37_611,
    "voxceleb1-e": 581_480,
    "voxceleb1-e-cleaned": 579_818,
    "voxceleb1-h": 552_536,
    "voxceleb1-h-cleaned": 550_894,
}

# Sources round hours, and the rows of SPEAKERS.TXT are rounded to 0.01 minutes.
_HOURS_TOLERANCE = 0.005  # of the published hours
_ROUGH_HOURS_TOLERANCE = 0.05  # of Libri-light's, which its paper gives as 10 min, 1 h, 10 h


def is_known(name: str) -> bool:
    """Tell whether official counts exist under this name; `_` and `-` are the same."""
    return _plain(name) in OFFICIAL


def compare(summary: DatasetSummary, name: str, *, num_words: int | None = None) -> list[str]:
    """Say in words how a data set differs from the official counts; nothing when it agrees.

    Args:
        name: Of the official set: "train-clean-100", "librilight-10m", "voxceleb2-dev", ...
        num_words: Of all transcripts, where the caller counted them.

    Raises:
        ValueError: no official set has this name.
    """
    found = OfficialCounts(
        num_utterances=summary.num_utterances,
        num_speakers=summary.num_speakers,
        hours=summary.hours,
        num_words=num_words,
    )
    return compare_counts(found, name)


def compare_counts(found: OfficialCounts, name: str) -> list[str]:
    """Say how counts differ from the official ones; what either does not know is not compared.

    Raises:
        ValueError: no official set has this name.
    """
    plain = _plain(name)
    if plain not in OFFICIAL:
        raise ValueError(
            f"no official counts are known for {name!r}; known: {', '.join(sorted(OFFICIAL))}"
        )
    return list(_differences(found, plain))


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _differences(counts: OfficialCounts, name: str) -> Iterator[str]:
    official = OFFICIAL[name]
    pairs = (
        ("utterances", counts.num_utterances, official.num_utterances),
        ("speakers", counts.num_speakers, official.num_speakers),
        ("words", counts.num_words, official.num_words),
    )
    for noun, found, expected in pairs:
        if found is not None and expected is not None and found != expected:
            much = f"{abs(found - expected)} {'fewer' if found < expected else 'more'}"
            yield f"{name} has {found} {noun}, {much} than the official {expected}"
    if counts.hours is None or official.hours is None:
        return
    rough = name.startswith("librilight")
    tolerance = _ROUGH_HOURS_TOLERANCE if rough else _HOURS_TOLERANCE
    if abs(counts.hours - official.hours) > tolerance * official.hours + 0.005:
        yield f"{name} has {counts.hours:.2f} hours, the official count is {official.hours:.2f}"
