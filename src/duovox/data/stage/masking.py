"""What pre-training hides of an utterance, and what each hidden frame is to be told from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from duovox.data.stage.negatives import MIN_MASKED, Places, draw_negatives
from duovox.data.stage.span_mask import Convention, draw_span_mask


class UnmaskableError(ValueError):
    """An utterance of which the draw hides too little, or all: there is nothing to learn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """How much is masked, and how many negatives each masked frame meets; see `draw_span_mask`."""

    probability: float
    length: int = 10  # frames of a span
    convention: Convention = "fairseq"
    min_spans: int = 2
    num_negatives: int = 100

    @property
    def min_frames(self) -> int:
        """Frames of an utterance that two spans fit into, and one frame to guess them from."""
        return 2 * self.length + 1

    def draw(
        self, num_frames: int, generator: np.random.Generator
    ) -> tuple[NDArray[np.bool_], Places]:
        """Return the mask (T,) of an utterance of T frames, and the negatives (M, N).

        Raises:
            UnmaskableError: fewer than two frames are masked, or no frame is left to guess from.
        """
        mask = draw_span_mask(
            num_frames,
            probability=self.probability,
            length=self.length,
            generator=generator,
            convention=self.convention,
            min_spans=self.min_spans,
        )
        num_masked = int(mask.sum())
        if not MIN_MASKED <= num_masked < num_frames:
            raise UnmaskableError(
                f"{num_masked} of its {num_frames} frames are masked, and pre-training needs at "
                f"least {MIN_MASKED} that are and one that is not"
            )
        return mask, draw_negatives(num_masked, self.num_negatives, generator=generator)
