from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from duovox.run.report import results_table


def text_of(metrics: dict[str, Any], *, width: int = 100) -> str:
    console = Console(file=StringIO(), width=width)
    console.print(results_table(metrics))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_table_holds_percentages_intervals_and_counts(metrics: dict[str, Any]) -> None:
    text = text_of(metrics)
    for shown in ("digits", "8.32", "7.02–9.71", "4.25", "300 utterances", "1,864"):
        assert shown in text, shown
    for shown in ("commands", "7.49", "6.19–8.89", "0.623", "0.412", "80 speakers"):
        assert shown in text, shown
    assert text.index("test set") < text.index("validation set")


@pytest.mark.parametrize("width", [80, 100])
def test_no_number_is_cut_in_a_narrow_terminal(metrics: dict[str, Any], width: int) -> None:
    text = text_of(metrics, width=width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


def test_measures_that_no_set_has_get_no_column(metrics: dict[str, Any]) -> None:
    text = text_of({"test": {"digits": metrics["test"]["digits"]}})
    assert "WER" in text
    assert "EER" not in text
    assert "minDCF" not in text


def test_names_of_sets_are_not_markup() -> None:
    assert "[red]x" in text_of({"test": {"[red]x": {"wer": 0.5}}})


def test_nothing_scored_is_said() -> None:
    assert "nothing was scored" in text_of({"training": {"seconds": 3}})


def test_a_table_of_both_tasks_keeps_the_names_of_sets_whole() -> None:
    speech = {"wer": 0.1, "wer_interval": [0.1, 0.2], "cer": 0.1, "cer_interval": [0.1, 0.2]}
    costs = {"min_dcf_p01": 0.7, "min_dcf_p01_interval": [0.611, 0.799], "min_dcf_p05": 0.5}
    speaker = {"eer": 0.1, "eer_interval": [0.1, 0.2]} | costs
    both = text_of({"test": {"demo": speech, "demo_voices": speaker}}, width=80)
    assert "demo_voices" in both
    assert "0.611" not in both
    assert "0.611" in text_of({"test": {"demo_voices": speaker}}, width=80)
