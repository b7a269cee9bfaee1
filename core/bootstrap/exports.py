"""The one way out: a report of any kind in any of its formats, as bytes or as a file that is whole or not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from core.adapters import cap, cap_rules, map_files
from core.adapters.files import write_whole
from core.domain.document import Document
from core.domain.forecast import RegionForecast
from core.domain.report import FORMATS, ReportRequest
from core.errors import ConfigurationError, UnfitInput
from core.ports import Progress, silent
from core.workflows.reporting import Reporting

if TYPE_CHECKING:
    from core.bootstrap.house import Core

#: Media type (IANA) by format.
MEDIA_TYPES: Mapping[str, str] = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "cap": "application/cap+xml",
    "geojson": "application/geo+json",
    "csv": "text/csv",
}
#: Sender of drafts where nobody names one; .invalid is no domain of anybody (RFC 2606).
SENDER = "cloudburst-watch.invalid"


@dataclass(frozen=True)
class CapOptions:
    """Who sends a CAP draft, whether as an exercise, and the file of the message that it updates or cancels."""

    sender: str = SENDER
    exercise: bool = False
    updates: Path | None = None
    cancels: Path | None = None


def document(core: Core, request: ReportRequest, told: Progress = silent) -> Document:
    """Return a report as a document, as it is printed and as the page shows it.

    Raises
    ------
    ConfigurationError, SourceError, DataError
        If the region is not known or cannot be read, or the period cannot be.
    """
    reporting = Reporting(core.forecasting, core.scoring, core.quality, core.store, core.clock)
    return reporting.document(request, told)


def export(
    core: Core, request: ReportRequest, form: str, told: Progress = silent, options: CapOptions | None = None
) -> bytes:
    """Return a report in one of the formats of its kind.

    Raises
    ------
    ConfigurationError
        If the kind has no such format, the options do not go with it, or would break a rule of CAP.
    ModelError, SourceError, DataError
        If nothing can be told of the region.
    UnfitInput
        If an earlier CAP message cannot be read or is no CAP 1.2.
    """
    if form not in FORMATS[request.kind]:
        known = ", ".join(FORMATS[request.kind])
        raise ConfigurationError(f"There is no {request.kind} as {form}.", hint=f"Choose one of {known}.")
    if options is not None and form != "cap":
        raise ConfigurationError(f"Only a CAP draft has a sender and an earlier message, not {form}.")
    if form == "pdf":
        from core.adapters.pdf import printed  # half a second that only a print needs

        return printed(document(core, request, told))
    if form == "xlsx":
        return _workbook(core, request, told)
    issue, now = core.require_issue(request.region_id, told), core.clock()
    if form == "cap":
        return _draft(issue, now, options or CapOptions())
    return {"geojson": map_files.geojson, "csv": map_files.table}[form](issue, now)


def write(
    core: Core,
    request: ReportRequest,
    file: tuple[str, Path],
    options: CapOptions | None = None,
    told: Progress = silent,
) -> int:
    """Write a report as a file, (format, path), whole or not at all; return its size in bytes.

    Raises
    ------
    CloudburstError
        As `export`; then there is no file.
    """
    form, out = file
    data = export(core, request, form, told, options)
    write_whole(out, lambda temporary: temporary.write_bytes(data))
    return len(data)


def _workbook(core: Core, request: ReportRequest, told: Progress) -> bytes:
    from core.adapters import excel
    from core.bootstrap.workbooks import workbook

    book = workbook(core, request, told)
    with TemporaryDirectory(prefix="cloudburst-") as folder:
        path = Path(folder) / "report.xlsx"
        excel.write(book, path)
        return path.read_bytes()


def _draft(issue: RegionForecast, now: datetime, options: CapOptions) -> bytes:
    earlier = options.updates or options.cancels
    kind = "Update" if options.updates else "Cancel" if options.cancels else "Alert"
    references = _reference(earlier) if earlier else ""
    data = cap.alert(issue, cap.Message(options.sender, now, options.exercise, kind, references))
    wrong = cap_rules.broken(data)
    if wrong:
        raise ConfigurationError(
            f"This would be no CAP 1.2: {wrong[0]}.", hint="Look at the sender and at the names of the places."
        )
    return data


def _reference(earlier: Path) -> str:
    try:
        data = earlier.read_bytes()
    except OSError as error:
        raise UnfitInput(
            f"{earlier.name} cannot be read: {error.strerror}.", hint="Name the earlier message."
        ) from None
    wrong = cap_rules.broken(data)
    if wrong:
        raise UnfitInput(f"{earlier.name} is no CAP 1.2: {wrong[0]}.", hint="Name a message that was exported here.")
    return cap_rules.reference(data)
