"""Set some utterances aside for validation: by recordings of all speakers, or by whole speakers.

Which are chosen depends on the seed and on the ids alone, never on the order of files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from zlib import crc32

import numpy as np

from duovox.data.utterance import Utterance

Halves = tuple[list[Utterance], list[Utterance]]  # training, validation
_NUM_CANDIDATES = 3  # recordings that are drawn, of which the one with the fewest utterances goes


def hold_out_recordings(
    utterances: Sequence[Utterance], *, share: float, min_recordings: int, seed: int
) -> Halves:
    """Move whole recordings of each speaker to validation; all speakers stay in training.

    Three recordings are drawn and the one with the fewest utterances moves, again and again, until
    more than `share` of the speaker's utterances and at least `min_recordings` have moved. One
    recording stays. This is the split "equal" of the multi-task paper (arXiv:2302.12773), in which
    mostly a single recording moves; target trials across recordings need two.
    """
    held: set[tuple[str, str]] = set()
    for speaker, sizes in _recordings(utterances).items():
        generator = np.random.default_rng([seed, crc32(speaker.encode())])
        left, num_held = sorted(sizes), 0
        enough, fewest = share * sum(sizes.values()), max(1, len(left) - min_recordings)
        while len(left) > 1 and (num_held <= enough or len(left) > fewest):
            drawn = generator.permutation(left)[:_NUM_CANDIDATES].tolist()
            moved = min(drawn, key=sizes.__getitem__)  # of equal ones, the first drawn
            left.remove(moved)
            held.add((speaker, moved))
            num_held += sizes[moved]
    is_held = [(one.speaker_id, one.session_id) in held for one in utterances]
    return _halves(utterances, is_held)


def hold_out_speakers(utterances: Sequence[Utterance], *, number: int, seed: int) -> Halves:
    """Move whole speakers to validation, as many women as men while there are both.

    Raises:
        ValueError: no speaker would be left for training.
    """
    genders = {one.speaker_id: one.gender for one in utterances}
    if not 0 < number < len(genders):
        raise ValueError(
            f"the number of validation speakers must lie between 1 and {len(genders) - 1}, as "
            f"there are {len(genders)} speakers; got {number}"
        )
    drawn = np.random.default_rng(seed).permutation(sorted(genders)).tolist()
    turns: dict[str, int] = defaultdict(int)
    places = {}
    for speaker in drawn:  # the first woman and the first man, then the second ones, ...
        places[speaker] = turns[genders[speaker]]
        turns[genders[speaker]] += 1
    held = set(sorted(drawn, key=places.__getitem__)[:number])
    return _halves(utterances, [one.speaker_id in held for one in utterances])


def _recordings(utterances: Sequence[Utterance]) -> dict[str, dict[str, int]]:
    """Return the number of utterances by speaker and recording."""
    sizes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for utterance in utterances:
        sizes[utterance.speaker_id][utterance.session_id] += 1
    return sizes


def _halves(utterances: Sequence[Utterance], is_held: Sequence[bool]) -> Halves:
    pairs = list(zip(utterances, is_held, strict=True))
    return [one for one, held in pairs if not held], [one for one, held in pairs if held]
