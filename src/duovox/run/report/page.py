"""The page: every part that the run has something for, from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence

from duovox.run.report import appendix, error_section, headline, speaker_section, speech_section
from duovox.run.report.canvas import Plot
from duovox.run.report.code_plot import code_plot
from duovox.run.report.det_plot import det_plot
from duovox.run.report.document import document, gallery, section
from duovox.run.report.length_plot import length_plot
from duovox.run.report.markup import Markup, element
from duovox.run.report.mask_plot import mask_plot
from duovox.run.report.run_folder import RunResults
from duovox.run.report.score_plot import score_plot
from duovox.run.report.training_plots import training_plots


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
        *section("Learning curves", gallery(plots["training"], images)),
        *section("Speaker verification", *_speaker_parts(results, plots["speaker"], images)),
        *section("Speech recognition", *_speech_parts(results, plots["speech"], images)),
        *section("Pre-training", gallery(plots["pretraining"], images)),
        *section("Skipped in training", *_bad_parts(results)),
        *section("To repeat this run", *_appendix_parts(results)),
    ]
    return document(f"{results.folder.parent.name}: report", *sections)


def _speaker_parts(
    results: RunResults, plots: Sequence[Plot], images: dict[str, bytes]
) -> list[Markup]:
    if not results.trial_lists:
        return []
    return [gallery(plots, images), speaker_section.hardest_trials(results.trial_lists)]


def _speech_parts(
    results: RunResults, plots: Sequence[Plot], images: dict[str, bytes]
) -> list[Markup]:
    if not results.all_hypotheses:
        return []
    return [
        error_section.error_kinds(results.hypotheses),
        error_section.confusions(results.all_hypotheses),
        speech_section.worst_utterances(results.all_hypotheses),
        error_section.speakers(results.all_hypotheses),
        gallery(plots, images),
    ]


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
