"""Audio files as the waves that the network wants to hear, whole or window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from duovox.audio.error import AudioError
from duovox.audio.load import count_samples, load_wave, readable_in_stretches
from duovox.audio.normalize import normalize
from duovox.batch import SAMPLE_RATE
from duovox.network.wav2vec2.architecture import Architecture
from duovox.run.recognition.window import Windowing


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowWave:
    """What is heard through one window of a recording, or why nothing is."""

    path: Path  # as it was given
    number: int  # of the recording among all
    seconds: float = 0.0  # of the whole recording
    wave: NDArray[np.float32] | None = None  # (S,)
    kept: slice = field(default_factory=lambda: slice(None))  # of its frames
    error: AudioError | None = None


@dataclass(frozen=True, kw_only=True)
class WaveReading:
    """Read audio of any format; `on_note` is told the path and what was done to the audio."""

    normalizes: bool  # each wave, window by window: zero mean and unit variance
    on_note: Callable[[Path, str], None]
    min_samples: int  # of which the network makes a frame

    def whole(self, path: Path) -> NDArray[np.float32]:
        """Return the wave of a file (S,).

        Raises:
            ValueError: it can't be used; the message names it.
        """
        try:
            return self._read(path, path, None, None)
        except AudioError as error:
            raise ValueError(fault(path, error)) from error

    def windows(
        self, paths: Iterable[Path], windowing: Windowing, architecture: Architecture
    ) -> Iterator[WindowWave]:
        """Yield the windows of one recording after the other; an error ends the one it is in."""
        for number, path in enumerate(paths):
            try:
                with readable_in_stretches(path) as source:
                    if source != path:
                        self.on_note(path, f"decoded {path.suffix.lstrip('.') or 'it'} with ffmpeg")
                    num_samples = count_samples(source)
                    for window in windowing.windows(num_samples, architecture):
                        yield WindowWave(
                            path=path,
                            number=number,
                            seconds=num_samples / SAMPLE_RATE,
                            wave=self._read(source, path, window.start, window.stop),
                            kept=window.kept,
                        )
            except AudioError as error:
                yield WindowWave(path=path, number=number, error=error)

    def _read(
        self, source: Path, path: Path, start: int | None, stop: int | None
    ) -> NDArray[np.float32]:
        loaded = load_wave(
            source,
            start_seconds=start and start / SAMPLE_RATE,
            stop_seconds=stop and stop / SAMPLE_RATE,
        )
        for note in loaded.notes if not start else ():
            self.on_note(path, note)
        if len(loaded.wave) < self.min_samples:
            seconds = len(loaded.wave) / SAMPLE_RATE
            raise AudioError(
                "wrong length",
                f"it lasts {seconds:.4f} s; the network needs at least {self.min_samples} samples "
                f"({self.min_samples / SAMPLE_RATE:.3f} s at 16 kHz)",
            )
        return normalize(loaded.wave) if self.normalizes else loaded.wave


def fault(path: Path, error: AudioError) -> str:
    """Return the sentence for a person."""
    return f"{path} can't be used: {error}"
