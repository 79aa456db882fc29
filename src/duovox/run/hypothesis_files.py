"""What was heard, in the forms that scoring tools read: JSON lines, .trn and .ctm."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from duovox.metric.wer import word_error_rate
from duovox.task.evaluation import Hypothesis


def write_hypotheses(hypotheses: Sequence[Hypothesis], path: Path, *, frame_seconds: float) -> None:
    """Write `<path>.jsonl`, `<path>.trn` with `<path>.ref.trn` beside it, and `<path>.ctm`.

    The last three are those of NIST's sclite: `words (utterance)` and
    `utterance channel start duration word confidence`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, ".jsonl", map(_json_line, hypotheses))
    _write(path, ".trn", (_trn_line(item.hypothesis, item.key) for item in hypotheses))
    _write(path, ".ref.trn", (_trn_line(item.reference, item.key) for item in hypotheses))
    _write(path, ".ctm", (line for item in hypotheses for line in _ctm_lines(item, frame_seconds)))


def _write(path: Path, suffix: str, lines: Iterable[str]) -> None:
    with path.with_name(path.name + suffix).open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def _json_line(item: Hypothesis) -> str:
    record = {
        "key": item.key,
        "reference": item.reference,
        "hypothesis": item.hypothesis,
        "num_samples": item.num_samples,
        "wer": word_error_rate([item.reference], [item.hypothesis]).wer,
    }
    return json.dumps(record, ensure_ascii=False)


def _trn_line(text: str, key: str) -> str:
    return f"{text} ({_utterance(key)})".lstrip()


def _ctm_lines(item: Hypothesis, frame_seconds: float) -> Iterable[str]:
    for word in item.words:
        start = word.first_frame * frame_seconds
        duration = (word.stop_frame - word.first_frame) * frame_seconds
        yield (f"{_utterance(item.key)} 1 {start:.2f} {duration:.2f} {word.word} {word.score:.3f}")


def _utterance(key: str) -> str:
    """Return a key as LibriSpeech writes it, 1089-134686-0000: sclite finds the speaker in it."""
    return key.replace("/", "-")
