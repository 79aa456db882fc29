from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.image import imread

from duovox.run.report.canvas import DARK, LIGHT, Ink, Plot, render

INKS = pytest.mark.parametrize("ink", [LIGHT, DARK], ids=["light", "dark"])


def luminance(colour: str) -> float:
    """Relative luminance, as the Web Content Accessibility Guidelines define it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@INKS
def test_text_and_lines_stand_out_from_the_paper(ink: Ink) -> None:
    assert contrast(ink.text, ink.paper) > 7
    assert min(contrast(c, ink.paper) for c in (ink.speech, ink.speaker, *ink.others)) > 3


@INKS
def test_a_plot_is_a_png_on_the_paper_of_its_ink(ink: Ink) -> None:
    plot = Plot(name="x", title="x", note="x", draw=lambda axes, ink: None, height=2.0)
    image = imread(BytesIO(render(plot, ink)), format="png")
    assert image.shape[:2] == (400, 1120)  # 2.0 x 5.6 inches at 200 dots per inch
    assert to_hex(image[0, 0, :3]) == ink.paper


def test_a_dollar_in_a_name_is_no_formula() -> None:
    def draw(axes, ink) -> None:
        axes.plot([0, 1], label="$^broken$")
        axes.legend()

    assert render(Plot(name="x", title="x", note="x", draw=draw), LIGHT)


def test_quantities_have_the_colour_of_their_task() -> None:
    assert LIGHT.of("train_speech_loss") == LIGHT.of("val_wer_digits") == LIGHT.speech
    assert LIGHT.of("train_speaker_loss") == LIGHT.of("val_eer") == LIGHT.speaker
    assert LIGHT.of("learning_rate") not in (LIGHT.speech, LIGHT.speaker)
