"""The report of a run: one self-contained page and its plots, made from the run folder.

Reading (`run_folder`, `curve`, `hypotheses`, `scores`), drawing (`training_plots`,
`verification_plots`, `length_plot` on `canvas`) and the page (`page` and its parts on `markup`)
know nothing of each other's insides: what is read is a record, what is drawn is a `Plot`.

    page = write_report(Path("logs/digits/brave-otter-3/5f1c"))  # also writes plots/*.png
    rich.print(results_table(json.loads(Path("metrics.json").read_text())))

Every file of a run folder may be absent: a single-task run has no scores or no hypotheses, an
unfinished one little more than metrics.csv. The page then leaves those parts out.
"""

from __future__ import annotations

from duovox.run.report.table import print_results, results_table
from duovox.run.report.write import report_of, write_report

__all__ = ["write_report", "report_of", "results_table", "print_results"]
