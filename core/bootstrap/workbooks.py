"""Workbooks of the house: composed from what it knows, written as Excel files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.adapters import excel
from core.bootstrap.house import Core
from core.domain.report import ReportRequest
from core.domain.workbook import Workbook
from core.ports import Progress, silent
from core.workflows.tabulating import Tabulating


def tabulating(core: Core) -> Tabulating:
    """Return what composes the workbooks of a house."""
    return Tabulating(
        forecasting=core.forecasting,
        scoring=core.scoring,
        quality=core.quality,
        experiments=core.experiments,
        ledger=core.lifecycle.ledger,
        clock=core.clock,
    )


def workbook(core: Core, request: ReportRequest, told: Progress = silent) -> Workbook:
    """Return the workbook of a report.

    Raises
    ------
    ConfigurationError, SourceError, DataError
        If the region is not known, the period makes no sense, or the ledger does not answer.
    """
    return tabulating(core).workbook(request, told)


def write_workbook(core: Core, request: ReportRequest, path: Path, told: Progress = silent) -> Mapping[str, int]:
    """Write the workbook of a report, whole or not at all; return its rows by sheet.

    Raises
    ------
    ConfigurationError, SourceError, DataError
        As `workbook`, or if the file cannot be written.
    """
    return excel.write(workbook(core, request, told), path)
