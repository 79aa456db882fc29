"""A trained model for use: transcribe, embed, verify."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from duovox.audio.error import AudioError
from duovox.audio.load import load_wave
from duovox.audio.normalize import normalize
from duovox.batch import SAMPLE_RATE, NetworkOutput
from duovox.network.assemble import SpeechSpeakerNetwork, Task
from duovox.run.decoder import build_decoder
from duovox.run.device import device_of
from duovox.run.settings import Option
from duovox.run.weights import ModelCard, load_network

MIN_SAMPLES = 400  # the receptive field of one frame


def load(run_folder: str | Path, *, device: str = "cpu", decoder: Option | None = None) -> Model:
    """Return the model of a run folder, with the weights of its best checkpoint.

    Args:
        decoder: In place of the run's; `duovox.run.decoder.chosen_decoder` makes one.

    Raises:
        ValueError: the folder is no run folder, its checkpoint is damaged, or there is no such
            device.
    """
    place = device_of(device)
    network, card = load_network(Path(run_folder).expanduser())
    card = replace(card, decoder=decoder or card.decoder)
    return Model(network=network.to(place), card=card, device=place)


@dataclass(frozen=True, kw_only=True)
class Model:
    """A network with what it needs to take audio files and to give text and speakers.

    Audio may have any format, rate and number of channels; `on_note` is told the path and what was
    done to it ("resampled from 44100 Hz"). The methods take files, in batches of `batch_size`.
    """

    network: SpeechSpeakerNetwork
    card: ModelCard
    device: torch.device
    batch_size: int = 8
    on_note: Callable[[Path, str], None] = lambda path, note: None

    def transcribe(self, audio: Sequence[str | Path]) -> list[str]:
        """Return what is said in each file.

        Raises:
            ValueError: the model has no speech head, or a file can't be used.
        """
        if self.card.vocabulary is None:
            raise ValueError("this run has learnt speakers only, so it can't transcribe")
        decode = build_decoder(self.card.decoder, self.card.vocabulary)
        texts: list[str] = []
        for output in self._outputs(audio, task="speech"):
            assert output.token_logits is not None
            texts += decode(output.token_logits, output.num_frames)
        return texts

    def embed(self, audio: Sequence[str | Path]) -> Tensor:
        """Return (B, E) embeddings of unit length, one per file.

        Raises:
            ValueError: the model has no speaker head, or a file can't be used.
        """
        if self.card.speakers is None:
            raise ValueError("this run has learnt words only, so it can't tell speakers apart")
        assert self.network.pooling is not None
        none = torch.zeros(0, self.network.pooling.out_dim, device=self.device)
        rows = [output.embedding.float() for output in self._outputs(audio, task="speaker")]  # type: ignore[union-attr]
        return nn.functional.normalize(torch.cat([none, *rows]), dim=-1).cpu()

    def verify(self, first: str | Path, second: str | Path) -> float:
        """Return the cosine score in [-1, 1] of two files: the higher, the likelier one voice."""
        embeddings = self.embed([first, second])
        return float((embeddings[0] * embeddings[1]).sum().clamp(-1, 1))

    @torch.inference_mode()
    def _outputs(self, audio: Sequence[str | Path], *, task: Task) -> Iterator[NetworkOutput]:
        if isinstance(audio, str | Path):
            raise ValueError(f"give a list of audio files, such as [{str(audio)!r}]")
        for start in range(0, len(audio), self.batch_size):
            waves = [
                self._wave(Path(path), task) for path in audio[start : start + self.batch_size]
            ]
            num_samples = torch.tensor([len(wave) for wave in waves])
            padded = nn.utils.rnn.pad_sequence(
                [torch.from_numpy(wave) for wave in waves], batch_first=True
            )
            yield self.network(padded.to(self.device), num_samples.to(self.device), task=task)

    def _wave(self, path: Path, task: str) -> NDArray[np.float32]:
        try:
            loaded = load_wave(path)
        except AudioError as error:
            raise ValueError(f"{path} can't be used: {error}") from error
        for note in loaded.notes:
            self.on_note(path, note)
        if len(loaded.wave) < MIN_SAMPLES:
            seconds = len(loaded.wave) / SAMPLE_RATE
            raise ValueError(
                f"{path} lasts {seconds:.4f} s; the network needs at least {MIN_SAMPLES} samples "
                f"({MIN_SAMPLES / SAMPLE_RATE:.3f} s at 16 kHz)"
            )
        return normalize(loaded.wave) if self.card.normalizes[task] else loaded.wave
