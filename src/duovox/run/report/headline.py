"""The top of the page: which run this is, how good it is, and what the numbers mean."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from duovox.run.report.markup import Markup, element, join, table
from duovox.run.report.measures import (
    MEASURES,
    Measure,
    SetResult,
    count_text,
    measures_of,
    results_of,
)
from duovox.run.report.run_folder import RunResults


def header(results: RunResults) -> Markup:
    """Return the name of the run, when and how long it was trained, and why training ended."""
    project, experiment, run = results.folder.parts[-3:]
    return element(
        "header",
        element("p", project, class_="muted"),
        element("h1", experiment),
        element("p", " · ".join([f"run {run}", *_facts(results)]), class_="muted"),
        *(element("p", text, class_="notice") for text in _endings(results)),
    )


def _endings(results: RunResults) -> list[str]:
    """Return why training ended, and what failed last where that was something else."""
    reason: str = results.training.get("reason", "")
    failed_at, error = results.failure
    is_new = bool(error) and not " ".join(reason.split()).endswith(error)
    return [text for text in (reason, f"failed: {error} ({failed_at})" if is_new else "") if text]


def _facts(results: RunResults) -> list[str]:
    training = results.training
    last_step = max((curve.steps[-1] for curve in results.curves.values() if len(curve)), default=0)
    facts = [_date(results)]
    if seconds := training.get("seconds"):
        facts.append(f"trained for {duration_text(seconds)}")
    if steps := training.get("steps") or last_step:
        facts.append(f"{steps:,.0f} steps")
    if hours := training.get("audio_hours"):
        facts.append(f"{hours:,.1f} h of audio heard")
    return facts


def _date(results: RunResults) -> str:
    if started := results.environment.get("started"):
        return f"started {datetime.fromisoformat(started):%Y-%m-%d %H:%M %Z}".rstrip()
    names = ("metrics.json", "metrics.csv", "config.yaml")
    written = [path for name in names if (path := results.folder / name).is_file()]
    if not written:
        return "undated"
    return f"{datetime.fromtimestamp(written[0].stat().st_mtime):%Y-%m-%d %H:%M}"


def duration_text(seconds: float) -> str:
    """Return a duration in the two largest units that matter, such as "14 min 32 s"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def headline(metrics: dict[str, Any]) -> Markup:
    """Return a tile for every measure, of the first scored set that has it, and all sets below."""
    scored = list(results_of(metrics))
    if not scored:
        return element("p", "This run has not been scored yet.", class_="notice")
    tiles = []
    for measure in MEASURES:
        having = [row for row in scored if measure in measures_of(row[2])]
        if having:
            split, name, result = having[0]
            tiles.append(_tile(measure, f"{name} ({split})", result))
    note = (
        "Ranges are 95 % bootstrap intervals, drawn over utterances for WER and CER and over "
        "speakers for EER. minDCF is normalised."
    )
    return join(
        [
            element("div", *tiles, class_="tiles"),
            _all_sets(scored),
            element("p", note, class_="muted"),
        ]
    )


def _tile(measure: Measure, set_name: str, result: SetResult) -> Markup:
    interval = measure.interval_text(result)
    unit = " %" if measure.is_percent else ""
    return element(
        "section",
        element("h3", measure.name),
        element("p", measure.text(result) or "", class_="number"),
        element("p", f"{interval}{unit}" if interval else "no interval", class_="interval"),
        element("p", set_name, class_="muted"),
        element("p", measure.definition, class_="definition"),
        class_=f"tile {'speaker' if measure.key.startswith(('eer', 'min_dcf')) else 'speech'}",
    )


def _all_sets(scored: list[tuple[str, str, SetResult]]) -> Markup:
    measures = [m for m in MEASURES if any(m in measures_of(result) for _, _, result in scored)]
    rows = []
    for split, name, result in scored:
        cells = [_cell(measure, result) for measure in measures]
        where = element("span", name, element("br"), element("small", split))
        rows.append([where, *cells, _details(result), count_text(result)])
    names = [m.name + (" %" if m.is_percent else "") for m in measures]
    return table(["Set", *names, "Details", "Scored on"], rows, class_="results")


def _cell(measure: Measure, result: SetResult) -> Markup:
    value, interval = measure.text(result, unit=""), measure.interval_text(result)
    if value is None:
        return Markup()
    small = [element("br"), element("small", interval)] if interval else []
    return element("span", element("b", value), *small)


def _details(result: SetResult) -> str:
    kinds = ("substitutions", "deletions", "insertions")
    details = [f"{result[kind]:,} {kind}" for kind in kinds if kind in result]
    if "eer_threshold" in result:
        details.append(f"EER threshold {result['eer_threshold']:.3f}")
    if "code_perplexity" in result:
        in_use = " and ".join(f"{perplexity:.0f}" for perplexity in result["code_perplexity"])
        details.append(f"{in_use} of {result['num_entries']} entries in use (perplexity)")
    return ", ".join(details)
