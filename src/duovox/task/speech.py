"""Speech recognition: what is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from duovox.batch import NetworkOutput, SpeechBatch
from duovox.decoding import greedy
from duovox.decoding.word_time import WordSpan, word_spans
from duovox.metric.wer import word_error_rate


@dataclass(frozen=True, kw_only=True)
class SpeechTask:
    """Align characters with frames by connectionist temporal classification (CTC).

    Source: Graves et al. 2006, Connectionist Temporal Classification; Vaessen & van Leeuwen 2023.
    """

    ctc: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
    decode: Callable[[Tensor, Tensor], list[str]]  # token logits (B, T, V), num_frames (B,)
    vocabulary: Sequence[str]

    def forward(self, network: nn.Module, batch: SpeechBatch) -> tuple[NetworkOutput, Tensor]:
        """Return what the network hears in the batch, and the CTC loss (mean over utterances)."""
        output = network(batch.waves, batch.num_samples, task="speech")
        return output, self.loss(output, batch)

    def loss(self, output: NetworkOutput, batch: SpeechBatch) -> Tensor:
        """Return the CTC loss of what the network heard in the batch."""
        assert output.token_logits is not None
        return self.ctc(output.token_logits, output.num_frames, batch.tokens, batch.num_tokens)

    def transcribe(self, output: NetworkOutput) -> list[str]:
        """Return the text of each utterance."""
        assert output.token_logits is not None
        return self.decode(output.token_logits, output.num_frames)

    def time_words(self, output: NetworkOutput, texts: Sequence[str]) -> list[list[WordSpan]]:
        """Return the frames of the words of each decoded text."""
        assert output.token_logits is not None
        rows = zip(output.token_logits, output.num_frames.tolist(), texts, strict=True)
        return [
            word_spans(logits[:num_frames], text, self.vocabulary)
            for logits, num_frames, text in rows
        ]

    def glance(self, batch: SpeechBatch, output: NetworkOutput) -> dict[str, float]:
        """Return the word error rate of one training batch, decoded greedily, for the curves."""
        assert output.token_logits is not None
        texts = greedy.decode(output.token_logits, output.num_frames, self.vocabulary)
        rate = word_error_rate(list(batch.transcripts), texts)
        return {"train_wer": rate.wer}
