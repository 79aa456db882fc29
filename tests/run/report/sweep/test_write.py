"""What the command prints, and the files it leaves: a page for people, tables for all."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from duovox.cli import app
from duovox.run.report.sweep import read_sweep, write_sweep_report


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def written(study: Path, write_run) -> Path:
    """Return a study with a failed run, reported."""
    write_run(study / "both" / "x", seed=3)
    (study / "both" / "x" / "error.txt").write_text("2026-11-22T03:00:00+00:00\nno|audio\n")
    write_sweep_report(study, read_sweep(study, circumstances=["tag"]))
    return study


def test_the_command_prints_the_tables_and_leaves_labels_out(sweep: Path, write_run) -> None:
    write_run(sweep / "f", sample_seed=4, wer=0.5, tag="b")
    result = CliRunner(env={"COLUMNS": "160"}).invoke(app, ["report", str(sweep)])
    assert result.exit_code == 0, result.output
    assert "45.50 ± 4.43 (44.50–47.50)" in result.output
    assert "the same command begins" in result.output
    assert "5 runs: 1 stopped, 4 done" in result.output
    assert "tag" not in result.output
    assert result.output.splitlines()[-1].endswith("report.html")


def test_why_each_run_ended_stands_in_all_tables(sweep: Path) -> None:
    reason = "training stopped after step 90 of 400 by SIGHUP; the same command resumes"
    stopped = {"steps": 90, "ended": "signal", "reason": reason, "complete": False}
    (sweep / "d" / "training.json").write_text(json.dumps(stopped))
    early = {"steps": 300, "ended": "early_stopping", "reason": "val_wer", "complete": True}
    (sweep / "c8" / "training.json").write_text(json.dumps(early))
    result = CliRunner(env={"COLUMNS": "250"}).invoke(app, ["report", str(sweep)])
    assert reason in result.output
    page = (sweep / "report.html").read_text()
    assert f"<td>{reason}</td>" in page
    assert "<td>300 of 400</td><td>early stopping</td>" in page
    runs = {Path(run["folder"]).name: run for run in rows_of(sweep / "runs.csv")}
    assert (runs["d"]["ended"], runs["d"]["reason"]) == ("signal", reason)
    assert (runs["c8"]["ended"], runs["c8"]["reason"]) == ("early_stopping", "val_wer")
    summary = json.loads((sweep / "summary.json").read_text())
    assert {run["ended"] for run in summary["runs"]} == {"", "signal", "early_stopping"}


def test_the_page_holds_tables_and_plots_for_light_and_dark(written: Path) -> None:
    page = (written / "report.html").read_text()
    assert page.count("<img") == 2 * 4  # pareto, words, voices, rates
    assert "9 runs: 1 failed, 8 done" in page
    assert "no|audio (2026-11-22T03:00:00+00:00)" in page
    assert "<td><b>10.00</b></td>" in page
    assert "words-alone: algo.lr=0.01" in page  # in the list of all runs


def test_the_markdown_reads_as_a_page_with_its_pictures_beside(written: Path) -> None:
    text = (written / "summary.md").read_text()
    assert text.startswith("# study\n\n9 runs: 1 failed, 8 done.")
    row = "| 2 ◆ | both: loss.scale_method=min |  | 2 | 28.00 | "
    cells = "12.00 ± 0.00 (11.00–14.00) | 16.00 ± 1.41 (15.00–18.00) |"
    assert row.replace("|  |", "| 0.0001 |") + cells in text
    assert "| 4 | words-alone | 0.001 | 1 | 10.00 | 10.00 (9.00–12.00) |  |" in text
    assert "| 4 | words-alone | 30.00 | **10.00** | 20.00 |" in text
    assert "no\\|audio" in text
    for place in ("pareto", "wer_words", "eer_voices", "rate_wer"):
        assert f"(plots/{place}.png)" in text
        assert (written / "plots" / f"{place}.png").stat().st_size > 1000


def test_a_sheet_has_a_line_for_each_run_with_unrounded_numbers(written: Path) -> None:
    runs = rows_of(written / "runs.csv")
    assert len(runs) == 9
    (failed,) = [run for run in runs if run["status"] == "failed"]
    assert (failed["row"], failed["error"], failed["max_steps"]) == ("", "no|audio", "400")
    best = next(run for run in runs if run["lr"] == "0.001")
    assert (best["row"], best["test/words/wer"], best["objective"]) == ("4", "0.1", "0.1")
    assert float(best["validation/words/wer_interval_low"]) == pytest.approx(0.09)


def test_a_sheet_of_groups_marks_the_best_rates(written: Path) -> None:
    groups = rows_of(written / "groups.csv")
    assert [group["lr"] for group in groups if group["row"] == "4"] == ["0.0001", "0.001", "0.01"]
    assert [g["lr"] for g in groups if g["row"] == "4" and g["is_best"] == "True"] == ["0.001"]
    both = next(group for group in groups if group["optim.loss.scale_method"] == "min")
    assert float(both["test/voices/eer_deviation"]) == pytest.approx(0.02 / 2**0.5)


def test_the_summary_is_plain_data(written: Path) -> None:
    summary = json.loads((written / "summary.json").read_text())
    assert len(summary["runs"]) == 9
    assert [group["num_runs"] for group in summary["groups"]] == [2, 2, 1, 1, 1, 1]
