"""The report of a sweep: the runs below one folder side by side, and their mean and spread."""

from __future__ import annotations

from duovox.run.report.sweep.runs import read_sweep
from duovox.run.report.sweep.table import sweep_table
from duovox.run.report.sweep.write import write_sweep_report

__all__ = ["read_sweep", "sweep_table", "write_sweep_report"]
