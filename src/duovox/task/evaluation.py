"""Collect what the network says of one set of utterances, then score it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from duovox.batch import SpeakerBatch, SpeechBatch
from duovox.decoding.word_time import WordSpan, word_spans
from duovox.metric.cosine_score import rows_of, score_trials
from duovox.metric.eer import equal_error_rate
from duovox.metric.score_normalisation import cohort_statistics, normalise_scores
from duovox.metric.wer import word_error_rate
from duovox.task.speaker import SpeakerTask
from duovox.task.speech import SpeechTask
from duovox.task.ssl_evaluation import SslEvaluation

AS_NORM = ".as_norm"  # behind the name of a set: its trials once more, with normalised scores


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """One utterance as it was said and as it was heard."""

    key: str
    reference: str
    hypothesis: str
    num_samples: int
    words: tuple[WordSpan, ...] = ()  # of the hypothesis, where times were asked for


@dataclass(kw_only=True)
class SpeechEvaluation:
    """Hypotheses for one set of utterances, in the order they came."""

    name: str
    task: SpeechTask
    keeps_logits: bool = False  # to be decoded again, or stored
    with_times: bool = False  # of the words; too slow for validation in training
    hypotheses: list[Hypothesis] = field(default_factory=list)
    logits: list[Tensor] = field(default_factory=list)  # (T, V) of each utterance, if kept
    loss_sum: float = 0.0

    def start(self) -> None:
        """Forget the results of the last pass."""
        self.hypotheses, self.logits, self.loss_sum = [], [], 0.0

    def add(self, network: nn.Module, batch: SpeechBatch) -> None:
        """Transcribe one batch.

        Raises:
            ValueError: the network's logits are not finite, so they say nothing.
        """
        output, loss = self.task.forward(network, batch)
        assert output.token_logits is not None
        check_finite(batch.keys, output.token_logits, output.num_frames)
        self.loss_sum += loss.item() * len(batch)
        texts = self.task.transcribe(output)
        if self.keeps_logits:
            rows = output.token_logits.float().cpu()
            lengths = output.num_frames.tolist()
            self.logits += [row[:n].clone() for row, n in zip(rows, lengths, strict=True)]
        words = self.task.time_words(output, texts) if self.with_times else [()] * len(texts)
        for key, reference, text, num_samples, spans in zip(
            batch.keys, batch.transcripts, texts, batch.num_samples.tolist(), words, strict=True
        ):
            self.hypotheses.append(
                Hypothesis(
                    key=key,
                    reference=reference,
                    hypothesis=text,
                    num_samples=num_samples,
                    words=tuple(spans),
                )
            )

    def reword(self, texts: Sequence[str]) -> None:
        """Take the texts of another decoder, one per utterance; needs the logits."""
        self.hypotheses = [
            replace(item, hypothesis=text, words=self._spans(logits, text))
            for item, text, logits in zip(self.hypotheses, texts, self.logits, strict=True)
        ]

    def result(self) -> dict[str, float]:
        """Return `wer` (a fraction, over the whole set) and `loss` (mean over utterances)."""
        references = [item.reference for item in self.hypotheses]
        rate = word_error_rate(references, [item.hypothesis for item in self.hypotheses])
        return {"wer": rate.wer, "loss": self.loss_sum / max(1, len(self.hypotheses))}

    def _spans(self, logits: Tensor, text: str) -> tuple[WordSpan, ...]:
        return tuple(word_spans(logits, text, self.task.vocabulary)) if self.with_times else ()


@dataclass(frozen=True, kw_only=True)
class Trials:
    """Verification questions between utterances of one set."""

    name: str
    enroll_keys: Sequence[str]  # N utterance keys
    test_keys: Sequence[str]  # N utterance keys
    enroll_speakers: Sequence[str]  # N; intervals are drawn over speakers
    test_speakers: Sequence[str]  # N
    is_target: Sequence[bool]  # N; True = the same speaker
    known_as: str | None = None  # "VoxCeleb1-O, cleaned": the public list that this is


@dataclass(kw_only=True)
class SpeakerEvaluation:
    """Embeddings for one set of utterances and the trials asked about them."""

    name: str
    task: SpeakerTask
    trials: Trials
    embeddings: dict[str, Tensor] = field(default_factory=dict)  # key -> (E,)

    def start(self) -> None:
        """Forget the results of the last pass."""
        self.embeddings = {}

    def add(self, network: nn.Module, batch: SpeakerBatch) -> None:
        """Embed one batch."""
        output = network(batch.waves, batch.num_samples, task="speaker")
        rows = output.embedding.float().cpu()  # (B, E)
        self.embeddings.update(zip(batch.keys, rows, strict=True))

    def scores(self) -> Tensor:
        """Return (N,) cosine scores in [-1, 1], one per trial."""
        rows = torch.stack(list(self.embeddings.values()))  # (U, E)
        trials = self.trials
        keys = list(self.embeddings)
        return score_trials(rows, keys, enroll=trials.enroll_keys, test=trials.test_keys)

    def normalised_scores(self, cohort: Tensor, *, num_nearest: int) -> NDArray[np.float64]:
        """Return (N,) scores after AS-norm with a cohort (C, E) of unit length."""
        keys = list(self.embeddings)
        rows = F.normalize(torch.stack(list(self.embeddings.values())), dim=1)  # (U, E)
        return normalise_scores(
            self.scores().numpy(),
            enroll_rows=rows_of(self.trials.enroll_keys, keys),
            test_rows=rows_of(self.trials.test_keys, keys),
            statistics=cohort_statistics(rows, cohort, num_nearest=num_nearest),
        )

    def result(self) -> dict[str, float]:
        """Return `eer`, a fraction."""
        return {"eer": equal_error_rate(self.scores(), self.trials.is_target).eer}


def check_finite(keys: Sequence[str], logits: Iterable[Tensor], num_frames: Tensor) -> None:
    """Refuse logits (B, T, V) or B of (T, V) that a decoder would read as silence.

    Args:
        num_frames: (B,) true lengths T; what lies behind them is not looked at.

    Raises:
        ValueError: some are NaN or infinite.
    """
    lengths = num_frames.tolist()
    bad = [
        key
        for key, rows, length in zip(keys, logits, lengths, strict=True)
        if not torch.isfinite(rows[:length]).all()
    ]
    if bad:
        raise ValueError(
            f"the token logits of {len(bad)} of {len(keys)} utterances are not finite ("
            f"{', '.join(bad[:5])}{', ...' if len(bad) > 5 else ''}), so nothing can be read from "
            "them. The network's weights are damaged, or it overflows in half precision: take "
            "another checkpoint, or trainer.precision=32"
        )


Evaluation = SpeechEvaluation | SpeakerEvaluation | SslEvaluation
