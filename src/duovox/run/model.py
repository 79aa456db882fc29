"""A trained model for use: transcribe, embed, verify."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.run.decoder import build_decoder
from duovox.run.device import device_of
from duovox.run.recognition.reading import WaveReading
from duovox.run.recognition.recogniser import Recogniser
from duovox.run.recognition.transcript import TimedWord, Transcript
from duovox.run.recognition.window import Windowing
from duovox.run.settings import Option
from duovox.run.weights import ModelCard, load_network


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
    done to it ("resampled from 44100 Hz"), and `on_embedding` is called after each file that is
    embedded, for progress bars. The methods take files, in batches of `batch_size`.
    What is longer than a window is transcribed in overlapping ones, at the cost of their contexts.
    """

    network: SpeechSpeakerNetwork
    card: ModelCard
    device: torch.device
    batch_size: int = 8
    windowing: Windowing = field(default_factory=Windowing)
    on_note: Callable[[Path, str], None] = lambda path, note: None
    on_embedding: Callable[[], object] = lambda: None

    def transcribe(self, audio: Sequence[str | Path]) -> list[str]:
        """Return what is said in each file, however long.

        Raises:
            ValueError: the model has no speech head, or a file can't be used.
        """
        return [one.text for one in _usable(self.transcripts(audio))]

    def words(self, audio: Sequence[str | Path]) -> list[tuple[TimedWord, ...]]:
        """Return the words of each file with the times at which they are said.

        Raises:
            ValueError: as `transcribe`.
        """
        return [one.words for one in _usable(self.transcripts(audio, with_times=True))]

    def transcripts(
        self, audio: Sequence[str | Path], *, with_times: bool = False
    ) -> Iterator[Transcript]:
        """Yield what is said in each file as soon as it is known; a bad file says what is wrong.

        Raises:
            ValueError: the model has no speech head.
        """
        if self.card.vocabulary is None:
            raise ValueError("this run has learnt speakers only, so it can't transcribe")
        recogniser = Recogniser(
            network=self.network,
            decode=build_decoder(self.card.decoder, self.card.vocabulary),
            vocabulary=self.card.vocabulary,
            reading=self._reading("speech"),
            windowing=self.windowing,
            batch_size=self.batch_size,
            device=self.device,
        )
        return recogniser.transcripts(_paths(audio), with_times=with_times)

    def embed(self, audio: Sequence[str | Path]) -> Tensor:
        """Return (B, E) embeddings of unit length, one per file.

        Raises:
            ValueError: the model has no speaker head, or a file can't be used.
        """
        if self.card.speakers is None:
            raise ValueError("this run has learnt words only, so it can't tell speakers apart")
        assert self.network.pooling is not None
        none = torch.zeros(0, self.network.pooling.out_dim, device=self.device)
        return nn.functional.normalize(torch.cat([none, *self._embeddings(audio)]), dim=-1).cpu()

    def verify(self, first: str | Path, second: str | Path) -> float:
        """Return the cosine score in [-1, 1] of two files: the higher, the likelier one voice."""
        embeddings = self.embed([first, second])
        return float((embeddings[0] * embeddings[1]).sum().clamp(-1, 1))

    def _reading(self, task: str) -> WaveReading:
        return WaveReading(
            normalizes=self.card.normalizes[task],
            on_note=self.on_note,
            min_samples=self.network.backbone.architecture.receptive_field,
        )

    @torch.inference_mode()
    def _embeddings(self, audio: Sequence[str | Path]) -> list[Tensor]:
        """Return what the network makes of the voices, (B, E) per batch."""
        reading = self._reading("speaker")
        paths, embeddings = _paths(audio), []
        for start in range(0, len(paths), self.batch_size):
            batch = paths[start : start + self.batch_size]
            waves = [torch.from_numpy(reading.whole(path)) for path in batch]
            num_samples = torch.tensor([len(wave) for wave in waves], device=self.device)
            padded = nn.utils.rnn.pad_sequence(waves, batch_first=True).to(self.device)
            output = self.network(padded, num_samples, task="speaker")
            assert output.embedding is not None
            embeddings.append(output.embedding.float())
            for _ in batch:
                self.on_embedding()
        return embeddings


def _paths(audio: Sequence[str | Path]) -> list[Path]:
    if isinstance(audio, str | Path):
        raise ValueError(f"give a list of audio files, such as [{str(audio)!r}]")
    return [Path(path) for path in audio]


def _usable(transcripts: Iterator[Transcript]) -> Iterator[Transcript]:
    for one in transcripts:
        if one.fault is not None:
            raise ValueError(one.fault)
        yield one
