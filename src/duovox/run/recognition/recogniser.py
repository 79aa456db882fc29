"""Transcribe recordings of any length, one after the other, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice
from pathlib import Path

import torch
from torch import Tensor, nn

from duovox.audio.error import AudioError
from duovox.batch import SAMPLE_RATE
from duovox.decoding.word_time import word_spans
from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.run.recognition.reading import WaveReading, WindowWave, fault
from duovox.run.recognition.stretch import Stretch, stretches
from duovox.run.recognition.transcript import TimedWord, Transcript, timed
from duovox.run.recognition.window import Windowing

_BATCHES_AHEAD = 4  # windows are read so many batches ahead and sorted by length, to pad less

_Heard = tuple[WindowWave, Tensor | None]  # logits (T, V) of the frames that the window keeps


@dataclass(frozen=True, kw_only=True)
class Recogniser:
    """Turn audio files into transcripts, window by window.

    Only the windows of a few batches are held at once, and of a recording no more than the logits
    behind the last border between words.
    """

    network: SpeechSpeakerNetwork
    decode: Callable[[Tensor, Tensor], list[str]]  # logits (B, T, V), num_frames (B,)
    vocabulary: Sequence[str]
    reading: WaveReading
    windowing: Windowing
    batch_size: int
    device: torch.device

    def transcripts(self, paths: Iterable[Path], *, with_times: bool) -> Iterator[Transcript]:
        """Yield what is said in each file, in their order; one that can't be used says why."""
        waves = self.reading.windows(paths, self.windowing, self.network.backbone.architecture)
        for _, heard in groupby(self._heard(waves), key=lambda pair: pair[0].number):
            yield self._transcript(heard, with_times=with_times)

    def _heard(self, waves: Iterator[WindowWave]) -> Iterator[_Heard]:
        while block := list(islice(waves, _BATCHES_AHEAD * self.batch_size)):
            logits = self._logits(block)
            yield from ((one, logits.get(place)) for place, one in enumerate(block))

    @torch.inference_mode()
    def _logits(self, block: Sequence[WindowWave]) -> dict[int, Tensor]:
        """Return the logits of the kept frames, by place in the block."""
        usable = {place: one.wave for place, one in enumerate(block) if one.wave is not None}
        order = sorted(usable, key=lambda place: len(usable[place]))
        logits = {}
        for start in range(0, len(order), self.batch_size):
            places = order[start : start + self.batch_size]
            waves = [torch.from_numpy(usable[place]) for place in places]
            num_samples = torch.tensor([len(wave) for wave in waves], device=self.device)
            padded = nn.utils.rnn.pad_sequence(waves, batch_first=True).to(self.device)  # (B, S)
            output = self.network(padded, num_samples, task="speech")
            assert output.token_logits is not None
            for place, row, num_frames in zip(
                places, output.token_logits.float().cpu(), output.num_frames.tolist(), strict=True
            ):
                logits[place] = row[:num_frames][block[place].kept]
        return logits

    def _transcript(self, heard: Iterator[_Heard], *, with_times: bool) -> Transcript:
        first, logits = next(heard)
        texts: list[str] = []
        words: list[TimedWord] = []
        try:
            for stretch in stretches(_pieces(chain([(first, logits)], heard)), self.vocabulary):
                num_frames = torch.tensor([len(stretch.logits)])
                texts += self.decode(stretch.logits[None], num_frames)
                words += self._words(stretch, texts[-1]) if with_times else ()
        except AudioError as error:
            return Transcript(path=first.path, fault=fault(first.path, error))
        text = " ".join(filter(None, texts))
        return Transcript(path=first.path, text=text, words=tuple(words), seconds=first.seconds)

    def _words(self, stretch: Stretch, text: str) -> Iterator[TimedWord]:
        frame_seconds = self.network.backbone.architecture.hop / SAMPLE_RATE
        for span in word_spans(stretch.logits, text, self.vocabulary):
            yield timed(span, first_frame=stretch.first_frame, frame_seconds=frame_seconds)


def _pieces(heard: Iterable[_Heard]) -> Iterator[Tensor]:
    for one, logits in heard:
        if one.error is not None:
            raise one.error
        assert logits is not None
        yield logits
