"""The subcommands around scores of verification, of any system: score, calibrate, fuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from duovox.cli_terminal import say

if TYPE_CHECKING:
    from duovox.run.verification.calibration import Calibrated

_TABLE_WIDTH = 120  # eight columns and a name; narrower terminals would lose the name
Out = Annotated[Path, typer.Option(help="A score file to write; .json and .png go beside it.")]
Prior = Annotated[float, typer.Option(help="Share of targets where decisions will be taken.")]


def score(
    source: Annotated[
        Path,
        typer.Argument(help="Embeddings (.npz, .ark, .scp) or a score file.", show_default=False),
    ],
    trials: Annotated[
        Path | None, typer.Option(help="A trial list, VoxCeleb's or Kaldi's form.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A score file to write; .json goes beside it.")
    ] = None,
    cohort: Annotated[Path | None, typer.Option(help="Embeddings of strangers: AS-norm.")] = None,
    top_n: Annotated[int, typer.Option(min=2, help="Of the cohort's scores that count.")] = 300,
    utt2spk: Annotated[
        Path | None, typer.Option(help="`utterance speaker` lines: for intervals, and the cohort.")
    ] = None,
    eer_style: Annotated[
        Literal["interpolated", "voxceleb_trainer", "nist"],
        typer.Option(help="Reads the EER once more, as other toolkits do."),
    ] = "interpolated",
    llrs: Annotated[
        bool, typer.Option("--llrs", help="The scores are calibrated: Cllr, actual costs.")
    ] = False,
) -> None:
    """Score a trial list on embeddings of any system, or measure a score file of any system."""
    from duovox.data.trial.score_list import write_score_list
    from duovox.run.verification import scoring
    from duovox.run.verification.speakers import read_utt2spk

    _check_out(out, source, trials, cohort, utt2spk)
    speakers = read_utt2spk(utt2spk) if utt2spk else None
    strangers = scoring.Cohort(path=cohort, top_n=top_n, utt2spk=speakers) if cohort else None
    scores = scoring.score(source, trials=trials, cohort=strangers)
    result = scoring.measure(scores, utt2spk=speakers, eer_style=eer_style, are_llrs=llrs)
    _show({scores.name: result})
    if eer_style != "interpolated":
        say(f"EER as {eer_style} reads it: {100 * result[f'eer_{eer_style}']:.2f} %")
    if result["eer_interval"] is None:
        way = "the names don't tell whose voices these are; --utt2spk would"
        say(f"no intervals: {way if scores.keys else 'these scores name no utterances'}")
    if out is not None:
        write_score_list(scores, out)
        origin = {"source": source, "trials": trials}
        used = {"cohort": cohort, "top_n": top_n} if cohort else {}
        _write_beside(out, origin | used | {"results": {scores.name: result}})


def calibrate(
    dev: Annotated[Path, typer.Argument(help="Labelled scores to learn from.", show_default=False)],
    test: Annotated[Path, typer.Argument(help="Scores to calibrate.", show_default=False)],
    out: Out,
    p_target: Prior = 0.01,
) -> None:
    """Turn a system's scores into log-likelihood ratios: scale and offset, fitted on others."""
    _calibrate([dev], [test], out, p_target)


def fuse(
    dev: Annotated[list[Path], typer.Option(help="Labelled scores of a system; repeat for each.")],
    test: Annotated[list[Path], typer.Option(help="Its scores to fuse, in the same order.")],
    out: Out,
    p_target: Prior = 0.01,
) -> None:
    """Fuse the scores of several systems into log-likelihood ratios: a weight for each."""
    _calibrate(dev, test, out, p_target)


def _calibrate(dev: list[Path], test: list[Path], out: Path, p_target: float) -> None:
    from duovox.data.trial.score_list import write_score_list
    from duovox.run.verification.calibration import calibrate

    _check_out(out, *dev, *test)
    found = calibrate(dev, test, p_target=p_target)
    if found.results:
        _show(found.results)
    pairs = zip(found.fusion.weights, test, strict=True)
    terms = " + ".join(f"{weight:.4f} x {path}" for weight, path in pairs)
    say(f"log-likelihood ratio = {terms} {found.fusion.offset:+.4f}")
    if len(test) == 1 and found.fusion.weights[0] < 0:
        say("warning: these scores are higher for different speakers; they were turned round")
    write_score_list(found.llrs, out)
    if found.results:
        _plot(found, out.with_name(f"{out.name}.png"))
    origin = {
        "dev": dev,
        "test": test,
        "p_target": p_target,
        "weights": found.fusion.weights,
        "offset": found.fusion.offset,
    }
    _write_beside(out, origin | {"results": found.results})


def _check_out(out: Path | None, *read: Path | None) -> None:
    """Refuse, before any work is done, to write over what is read."""
    if out is None:
        return
    if out.is_dir():
        raise ValueError(f"--out {out} is a folder: give the name of a score file to write")
    beside = (out.with_name(f"{out.name}{suffix}") for suffix in (".json", ".png"))
    written = [path for path in (out, *beside) if path.exists()]
    for source in filter(None, read):
        if source.exists() and any(path.samefile(source) for path in written):
            raise ValueError(f"--out {out} would overwrite {source}, which is read: give another")


def _plot(found: Calibrated, path: Path) -> None:
    from duovox.run.report.canvas import LIGHT, render
    from duovox.run.verification.bayes_error_plot import bayes_error_plot

    path.write_bytes(render(bayes_error_plot({found.llrs.name: found.llrs}), LIGHT))
    say(f"wrote {path}")


def _show(results: dict[str, dict[str, Any]]) -> None:
    from duovox.run.report import results_table

    console = Console(soft_wrap=True)
    console.width = max(console.width, _TABLE_WIDTH)
    console.print(results_table({"test": results}))


def _write_beside(out: Path, content: dict[str, Any]) -> None:
    """Write how a score file was made, and how good it is."""
    from duovox.data.atomic import write_whole

    path = out.with_name(f"{out.name}.json")
    write_whole(path, json.dumps(content, indent=2, default=str) + "\n")
    say(f"wrote {out} and {path}")
