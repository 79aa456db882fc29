"""Speech recognition: what is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from duovox.batch import NetworkOutput, SpeechBatch
from duovox.decoding import greedy
from duovox.metric.wer import word_error_rate


@dataclass(frozen=True, kw_only=True)
class SpeechTask:
    """Align characters with frames by connectionist temporal classification (CTC).

    Source: Graves et al. 2006, Connectionist Temporal Classification; Vaessen & van Leeuwen 2023.
    """

    ctc: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
    vocabulary: Sequence[str]

    def forward(self, network: nn.Module, batch: SpeechBatch) -> tuple[NetworkOutput, Tensor]:
        """Return what the network hears in the batch, and the CTC loss (mean over utterances)."""
        output = network(batch.waves, batch.num_samples, task="speech")
        loss = self.ctc(output.token_logits, output.num_frames, batch.tokens, batch.num_tokens)
        return output, loss

    def transcribe(self, output: NetworkOutput) -> list[str]:
        """Return the text of each utterance: the best character of each frame, collapsed."""
        assert output.token_logits is not None
        return greedy.decode(output.token_logits, output.num_frames, self.vocabulary)

    def glance(self, batch: SpeechBatch, output: NetworkOutput) -> dict[str, float]:
        """Return the word error rate of one training batch, for the curves."""
        rate = word_error_rate(list(batch.transcripts), self.transcribe(output))
        return {"train_wer": rate.wer}
