"""What pre-training hides: a spectrogram with its masked spans."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from duovox.batch import SAMPLE_RATE
from duovox.run.report.canvas import Ink, Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WINDOW, TOP_KHZ = 400, 8.0  # samples of each spectrum; of what is shown
FRAME_SECONDS = 0.02  # of the published networks, and of files that do not say it
DYNAMIC_RANGE = 70.0  # dB below the loudest that are told apart
MOST_FRAMES = 400  # 8 s of the published networks


@dataclass(frozen=True, kw_only=True)
class MaskedUtterance:
    """The beginning of an utterance, and which of its frames were hidden."""

    key: str
    spectrum: NDArray[np.float32]  # (T, F) dB, from 0 to 8 kHz
    mask: NDArray[np.bool_]  # (T,)
    frame_seconds: float = FRAME_SECONDS  # from one frame to the next


def masked_utterance(
    key: str, wave: NDArray[np.float32], mask: NDArray[np.bool_], *, hop: int
) -> MaskedUtterance:
    """Return what is drawn of a wave (S,) and its mask (T,): a spectrum per frame.

    Args:
        hop: samples from one frame to the next, of which each has at least a window.
    """
    mask = mask[:MOST_FRAMES]
    starts = hop * np.arange(len(mask))[:, None]
    frames = wave[starts + np.arange(WINDOW)] * np.hanning(WINDOW)  # (T, WINDOW)
    power = np.abs(np.fft.rfft(frames)) ** 2  # (T, F)
    decibels = 10 * np.log10(np.maximum(power, 1e-10))
    return MaskedUtterance(
        key=key,
        spectrum=decibels.astype(np.float32),
        mask=mask,
        frame_seconds=hop / SAMPLE_RATE,
    )


def write_masked(utterance: MaskedUtterance, path: Path) -> None:
    """Write an utterance as `masked/<set>.npz`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    spectrum = utterance.spectrum.astype(np.float16)
    np.savez_compressed(
        path,
        key=utterance.key,
        spectrum=spectrum,
        mask=utterance.mask,
        frame_seconds=utterance.frame_seconds,
    )


def read_masked(path: Path) -> MaskedUtterance:
    """Return the utterance in a `masked/<set>.npz`.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        with path.open("rb") as file, np.load(file) as content:
            return MaskedUtterance(
                key=str(content["key"]),
                spectrum=content["spectrum"].astype(np.float32),
                mask=content["mask"],
                frame_seconds=float(content.get("frame_seconds", FRAME_SECONDS)),
            )
    except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path} must hold a masked utterance: {error}") from error


def mask_plot(utterance: MaskedUtterance) -> Plot:
    """Return the spectrogram, with its masked spans shaded."""
    return Plot(
        name="masked_spans",
        title="What is hidden",
        note=f"Spectrogram of {utterance.key}; the {utterance.mask.mean():.0%} of its frames under "
        "the shade are masked, and guessed from the rest.",
        draw=partial(_draw, utterance=utterance),
    )


def _draw(axes: Axes, ink: Ink, *, utterance: MaskedUtterance) -> None:
    seconds = len(utterance.mask) * utterance.frame_seconds
    loudest = float(utterance.spectrum.max())
    axes.imshow(
        utterance.spectrum.T,
        origin="lower",
        aspect="auto",
        extent=(0, seconds, 0, TOP_KHZ),
        cmap="Greys",
        vmin=loudest - DYNAMIC_RANGE,
        vmax=loudest,
    )
    for start, stop in _spans(utterance.mask):
        axes.axvspan(
            start * utterance.frame_seconds,
            stop * utterance.frame_seconds,
            color=ink.speaker,
            alpha=0.4,
            linewidth=0,
        )
    axes.grid(visible=False)
    axes.set_xlabel("Time (s)")
    axes.set_ylabel("Frequency (kHz)")


def _spans(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the (first, past the last) frames of each masked stretch."""
    borders = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in borders.reshape(-1, 2)]
