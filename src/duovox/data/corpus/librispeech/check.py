"""Put data sets together to the official sets whose counts are published."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from duovox.data.corpus.librispeech.labelling import VALIDATION_SUFFIX
from duovox.data.corpus.librispeech.place import SUBSETS
from duovox.data.dataset.index import Index
from duovox.data.dataset.summary import DATASET_FILE, DatasetSummary

# Official set -> the data sets that it is made of here; those for validation may be absent.
_PARTS = {
    **{subset: (subset, subset + VALIDATION_SUFFIX) for subset in SUBSETS},
    "librilight-10m": ("librilight-10m",),
    "librilight-1h": ("librilight-10m", "librilight-50m"),
    "librilight-10h": ("librilight-10m", "librilight-50m", "librilight-9h"),
}


def official_sets(out: Path, names: Collection[str]) -> Iterator[tuple[str, DatasetSummary, int]]:
    """Yield each official set that lies in `out`: its name, its counts, its number of words.

    Args:
        out: Folder of the data sets; several of them may make up one official set.
        names: Of the data sets that were prepared just now; sets without any of them are not meant.
    """
    for official, parts in _PARTS.items():
        found = [out / part for part in parts if (out / part / DATASET_FILE).is_file()]
        is_whole = len(found) == len(parts) or official in SUBSETS
        if found and is_whole and set(parts) & set(names):
            index = Index.load(found)
            num_words = sum(len(transcript.split()) for transcript in index.transcript)
            yield official, _summary(index, official), num_words


def _summary(index: Index, name: str) -> DatasetSummary:
    return DatasetSummary(
        name=name,
        num_utterances=len(index),
        hours=float((index.num_samples / index.sample_rate).sum()) / 3600,
        num_speakers=len(index.speaker_id.codes()[1]),
        vocabulary=tuple(sorted({letter for text in index.transcript for letter in text})),
        shards=(),
    )
