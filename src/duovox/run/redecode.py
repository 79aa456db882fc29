"""Decode stored logits without the network: what `duovox decode` does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from duovox.data.atomic import write_whole
from duovox.decoding.parallel import decode_all
from duovox.decoding.word_time import word_spans
from duovox.run.decoder import build_decoder
from duovox.run.earlier_results import METRICS_FILE, check_earlier_results
from duovox.run.hypothesis_files import write_hypotheses
from duovox.run.logits import StoredLogits
from duovox.run.scores import speech_scores
from duovox.run.settings import Option


def decode_stored(
    stored: StoredLogits,
    decoder: Option | None,
    folder: Path,
    *,
    source: Path,
    num_processes: int | None = None,
    on_text: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Write hypotheses and metrics.json into `folder`; return the metrics.

    Args:
        decoder: None is greedy.
        source: Where the logits are stored; its name is that of the set.

    Raises:
        ValueError: the folder has results of other logits or another decoder, or the decoder can't
            be made.
    """
    name, origin = source.stem, {"logits": str(source.resolve()), "decoder": decoder}
    check_earlier_results(folder, origin, change="give these another folder (--out)")
    decode = build_decoder(decoder, stored.vocabulary)
    texts = decode_all(decode, stored.logits, num_processes=num_processes, on_text=on_text)
    heard = [
        replace(one, hypothesis=text, words=tuple(word_spans(logits, text, stored.vocabulary)))
        for one, text, logits in zip(stored.utterances, texts, stored.logits, strict=True)
    ]
    write_hypotheses(heard, folder / "hypotheses" / name, frame_seconds=stored.frame_seconds)
    metrics = {"test": {name: speech_scores(heard)}} | origin
    write_whole(folder / METRICS_FILE, json.dumps(metrics, indent=2) + "\n")
    return metrics
