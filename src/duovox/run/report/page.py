"""The page: every part that the run has something for, from top to bottom."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from importlib import resources

from duovox.run.report import appendix, headline, speaker_section, speech_section
from duovox.run.report.canvas import DARK, Plot, render
from duovox.run.report.code_plot import code_plot
from duovox.run.report.det_plot import det_plot
from duovox.run.report.length_plot import length_plot
from duovox.run.report.markup import Markup, element, join
from duovox.run.report.mask_plot import mask_plot
from duovox.run.report.run_folder import RunResults
from duovox.run.report.score_plot import score_plot
from duovox.run.report.training_plots import training_plots

# Nothing in the page may run or be fetched, whatever a transcript or a key holds.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def plots_of(results: RunResults) -> dict[str, list[Plot]]:
    """Return the plots of each section of the page."""
    det, length = det_plot(results.trial_lists), length_plot(results.all_hypotheses)
    return {
        "training": training_plots(results.curves),
        "speaker": [*([det] if det else []), *map(score_plot, results.trial_lists)],
        "speech": [length] if length else [],
        "pretraining": [*map(mask_plot, results.masked), *map(code_plot, results.code_uses)],
    }


def page(results: RunResults, plots: dict[str, list[Plot]], images: dict[str, bytes]) -> str:
    """Return the whole document; `images` holds the light rendering of each plot by name."""
    sections = [
        headline.header(results),
        headline.headline(results.metrics),
        *_section("Learning curves", _gallery(plots["training"], images)),
        *_section("Speaker verification", *_speaker_parts(results, plots["speaker"], images)),
        *_section("Speech recognition", *_speech_parts(results, plots["speech"], images)),
        *_section("Pre-training", _gallery(plots["pretraining"], images)),
        *_section("Skipped in training", *_bad_parts(results)),
        *_section("To repeat this run", *_appendix_parts(results)),
    ]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("title", f"{results.folder.parent.name}: report"),
        element("style", Markup(_style())),
    )
    return "<!DOCTYPE html>\n" + element("html", head, element("body", join(sections)), lang="en")


def _style() -> str:
    return resources.files("duovox.run.report").joinpath("page.css").read_text(encoding="utf-8")


def _section(title: str, *parts: Markup) -> list[Markup]:
    content = [part for part in parts if part]
    return [element("section", element("h2", title), *content)] if content else []


def _speaker_parts(
    results: RunResults, plots: Sequence[Plot], images: dict[str, bytes]
) -> list[Markup]:
    if not results.trial_lists:
        return []
    return [_gallery(plots, images), speaker_section.hardest_trials(results.trial_lists)]


def _speech_parts(
    results: RunResults, plots: Sequence[Plot], images: dict[str, bytes]
) -> list[Markup]:
    if not results.all_hypotheses:
        return []
    return [speech_section.worst_utterances(results.all_hypotheses), _gallery(plots, images)]


def _bad_parts(results: RunResults) -> list[Markup]:
    return [appendix.bad_utterances(results.bad_utterances)] if results.bad_utterances else []


def _appendix_parts(results: RunResults) -> list[Markup]:
    parts = []
    if results.environment:
        parts.append(appendix.environment(results.environment))
    if results.config:
        pre = element("pre", results.config)
        parts.append(appendix.folded("Configuration (config.yaml)", pre))
    return parts


def _gallery(plots: Sequence[Plot], images: dict[str, bytes]) -> Markup:
    figures = [_figure(plot, images[plot.name]) for plot in plots]
    return element("div", *figures, class_="plots") if figures else Markup()


def _figure(plot: Plot, light: bytes) -> Markup:
    alt = f"{plot.title}. {plot.note}"
    return element(
        "figure",
        element("h3", plot.title),
        element("img", src=_data_address(light), alt=alt, class_="light"),  # also on paper
        element("img", src=_data_address(render(plot, DARK)), alt=alt, class_="dark"),
        element("figcaption", plot.note),
    )


def _data_address(image: bytes) -> str:
    return "data:image/png;base64," + b64encode(image).decode("ascii")
