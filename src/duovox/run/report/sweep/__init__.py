"""The report of a sweep or a study: the runs below one folder side by side.

`runs` reads each run, with its `state`, and `naming` finds what to call it by. Runs that differ in
seeds alone are a `Group`, groups that differ in the learning rate alone a `Grid`; the rate that is
best in validation stands for its grid, in the tables and in the plots.

    runs = read_sweep(Path("logs/digits-commands"))
    page = write_sweep_report(Path("logs/digits-commands"), runs)
"""

from __future__ import annotations

from duovox.run.report.sweep.runs import read_sweep
from duovox.run.report.sweep.terminal import print_sweep
from duovox.run.report.sweep.write import write_sweep_report

__all__ = ["read_sweep", "print_sweep", "write_sweep_report"]
