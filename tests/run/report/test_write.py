from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from duovox.run.report import write_report

MakeRun = Callable[[dict[str, str]], Path]
VOID = ("img", "meta", "br")


class Page(HTMLParser):
    """The text of a page by class of the element around it; fails where tags do not match."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.pieces: list[tuple[str, str]] = []  # (class of the innermost element, text)
        self.classes: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attributes if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)
            self.classes.append(found.get("class") or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.classes.pop()

    def handle_data(self, data: str) -> None:
        if self.open and data.strip() and self.open[-1] != "style":
            self.pieces.append((self.classes[-1], data))

    def texts(self, class_: str) -> list[str]:
        return [text for found, text in self.pieces if found == class_]

    @property
    def text(self) -> str:
        return "\n".join(text for _, text in self.pieces)


REASON = "training ended after step 3 of 8 by an error: a.tar is damaged"


@pytest.mark.parametrize(
    ("files", "notices"),
    [
        ({"training.json": {"reason": REASON}}, [REASON]),
        ({"metrics.json": {"training": {"steps": 8, "reason": "old"}}}, ["old"]),
        ({"training.json": {"reason": REASON}, "error.txt": "2026\na.tar is\ndamaged\n"}, [REASON]),
        (
            {"training.json": {"reason": REASON}, "error.txt": "2026\nno data\n"},
            [REASON, "failed: no data (2026)"],
        ),
        ({"error.txt": "2026\nno data\n"}, ["failed: no data (2026)"]),
        ({"training.json": {"steps": 8}}, []),  # of an early version
    ],
)
def test_the_page_says_first_why_training_ended(
    make_run: MakeRun, files: dict[str, Any], notices: list[str]
) -> None:
    texts = {name: t if isinstance(t, str) else json.dumps(t) for name, t in files.items()}
    page = Page(write_report(make_run({"config.yaml": "seed: 1\n"} | texts)))
    assert page.texts("notice") == [*notices, "This run has not been scored yet."]


@pytest.fixture(scope="module")
def whole_page(whole_run: Path) -> Page:
    path = write_report(whole_run)
    assert path == whole_run / "report.html"
    return Page(path)


def test_a_whole_run_fills_every_section(whole_page: Page) -> None:
    for title in (
        "experiment",
        "Training losses",
        "Validation WER",
        "Validation EER",
        "Learning rate",
        "Gradient norm",
        "Loss weights",
        "Detection error trade-off",
        "Scores: commands",
        "Hardest trials",
        "Worst utterances",
        "WER by duration",
        "Skipped in training",
        "Configuration (config.yaml)",
    ):
        assert title in whole_page.text, title
    assert "started 2025-11-21 10:37 UTC · trained for 14 min 32 s · 400 steps" in whole_page.text


def test_every_plot_is_a_file_and_in_the_page_for_light_and_dark(
    whole_page: Page, whole_run: Path
) -> None:
    plots = sorted(path.stem for path in (whole_run / "plots").glob("*.png"))
    training = ["gradient_norm", "learning_rate", "loss_weights", "losses"]
    validation = ["validation_eer", "validation_wer"]
    assert plots == sorted([*training, *validation, "det", "scores_commands", "wer_by_length"])
    assert whole_page.tags.count("img") == 2 * len(plots)


def test_the_page_needs_no_network_and_no_script(whole_page: Page, whole_run: Path) -> None:
    assert all(source.startswith("data:image/png;base64,") for source in whole_page.sources)
    assert not {"script", "link", "iframe", "object"} & set(whole_page.tags)
    assert not re.search(r"https?:|url\(|@import", (whole_run / "report.html").read_text())


def test_the_tiles_say_what_metrics_json_says(whole_page: Page, whole_run: Path) -> None:
    test = json.loads((whole_run / "metrics.json").read_text())["test"]
    wer, cer, eer, dcf_01, dcf_05 = whole_page.texts("number")
    assert (wer, cer) == ("8.32 %", "4.25 %")
    assert float(eer.removesuffix(" %")) == pytest.approx(100 * test["commands"]["eer"], abs=0.005)
    assert float(dcf_01) == pytest.approx(test["commands"]["min_dcf_p01"], abs=0.0005)
    assert float(dcf_05) == pytest.approx(test["commands"]["min_dcf_p05"], abs=0.0005)
    none = "no interval"
    assert whole_page.texts("interval") == ["7.02–9.71 %", none, "6.19–8.89 %", none, none]


def test_the_table_of_sets_holds_counts_and_validation(whole_page: Page) -> None:
    text = whole_page.text
    assert "300 utterances, 1,864 words" in text
    assert "90 substitutions, 32 deletions, 33 insertions" in text
    assert "3,870 trials, 1,935 targets, 80 speakers" in text
    assert "EER threshold 0.388" in text
    assert "6.71" in text  # WER of the validation set


def scored(set_name: str, metrics: dict[str, Any]) -> str:
    """Return a metrics.json with the results of one set alone."""
    return json.dumps({"test": {set_name: metrics["test"][set_name]}})


def test_a_speech_run_has_no_speaker_parts(
    make_run: MakeRun, whole_run: Path, metrics: dict[str, Any]
) -> None:
    hypotheses = (whole_run / "hypotheses" / "digits.jsonl").read_text()
    files = {"metrics.json": scored("digits", metrics), "hypotheses/digits.jsonl": hypotheses}
    page = Page(write_report(make_run(files)))
    assert page.texts("number") == ["8.32 %", "4.25 %"]
    assert "Worst utterances" in page.text
    assert "Speaker verification" not in page.text


def test_a_speaker_run_has_no_speech_parts(
    make_run: MakeRun, whole_run: Path, metrics: dict[str, Any]
) -> None:
    scores = (whole_run / "scores" / "commands.txt").read_text()
    files = {"metrics.json": scored("commands", metrics), "scores/commands.txt": scores}
    page = Page(write_report(make_run(files)))
    assert page.texts("number") == ["7.49 %", "0.623", "0.412"]
    assert "Hardest trials" in page.text
    assert "Speech recognition" not in page.text


def test_an_unfinished_run_shows_its_curves(make_run: MakeRun) -> None:
    curves = "step,train_loss,val_wer\n100,3.5,\n200,2.5,\n200,,0.9\n300,1"  # killed while writing
    page = Page(write_report(make_run({"metrics.csv": curves})))
    assert page.texts("notice") == ["This run has not been scored yet."]
    assert "Training losses" in page.text
    assert "200 steps" in page.text
    assert "Skipped in training" not in page.text
    assert "To repeat this run" not in page.text


def test_a_run_that_logged_nothing_yet_still_gets_a_page(make_run: MakeRun) -> None:
    page = Page(write_report(make_run({"metrics.csv": "", "config.yaml": "seed: 1\n"})))
    assert "seed: 1" in page.text
    assert "img" not in page.tags


def test_a_second_report_replaces_the_first(make_run: MakeRun) -> None:
    write_report(make_run({"config.yaml": "max_steps: 100"}))
    page = Page(write_report(make_run({"config.yaml": "max_steps: 123456"})))
    assert page.text.count("max_steps") == page.text.count("123456") == 1


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no run folder: it has none of metrics\.csv"):
        write_report(tmp_path)


def test_damaged_metrics_are_named(make_run: MakeRun) -> None:
    with pytest.raises(ValueError, match=r"metrics\.json must be a JSON object"):
        write_report(make_run({"metrics.json": "{"}))


def test_what_the_data_says_is_text_and_never_markup(make_run: MakeRun) -> None:
    evil = "<script>alert('x')</script>&amp;"
    name = "$a^b$ <i>"  # of a set: also no formula in a plot
    spaceless = evil.replace(" ", "")
    hypothesis = {
        "key": evil,
        "reference": evil,
        "hypothesis": f"{evil} </span>",
        "wer": 1.0,
        "num_samples": 16000,
    }
    trials = [f"{spaceless} t{i} {i / 10} {'target' if i > 2 else 'nontarget'}" for i in range(6)]
    metrics = {"test": {name: {"wer": 0.5, "eer": 0.5}}}
    folder = make_run(
        {
            f"hypotheses/{name}.jsonl": json.dumps(hypothesis),
            f"scores/{name}.txt": "\n".join(trials),
            "bad_utterances.jsonl": json.dumps({"key": evil, "cause": evil, "detail": evil}),
            "metrics.json": json.dumps(metrics),
            "config.yaml": f"</pre>{evil}",
            "environment.json": json.dumps({evil: {"a": evil}}),
        }
    )
    page = Page(write_report(folder))
    assert not {"script", "i"} & set(page.tags)
    assert page.text.count(evil) >= 10
    assert f"</pre>{evil}" in page.text
    assert name in page.text
