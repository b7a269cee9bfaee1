"""Reports by plan: written whole to data/reports/ under names that sort, listed, read, removed when they are old."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from core.adapters import heap
from core.adapters.files import read_plain, unwritable
from core.bootstrap import exports
from core.domain.report import ENDINGS, FORMATS, REPORT_FORMATS, KeptReport, ReportKind, ReportRequest, file_name
from core.errors import CloudburstError, UnfitInput
from core.settings import listed

if TYPE_CHECKING:
    from core.bootstrap.house import Core

log = structlog.get_logger()
#: Of runs in the ledger, and how one ends.
RUN, WRITTEN, FAILED = "report", "written", "failed"
#: No report of ours is larger.
LARGEST = 200_000_000
_STAMP = "%Y%m%dT%H%MZ"
_FORM_OF = {ENDINGS.get(form, form): form for form in REPORT_FORMATS}
_NAME = re.compile(rf"([\w.-]+)_({'|'.join(ReportKind)})_(\d{{8}}T\d{{4}}Z)\.({'|'.join(_FORM_OF)})")


def folder(core: Core) -> Path:
    """Return where reports by plan lie."""
    return core.settings.home / "data" / "reports"


def keep(core: Core) -> None:
    """Write the reports of every region, and remove those that are too old.

    One that fails keeps no other from being written; it is written down in the ledger, and told at the end.

    Raises
    ------
    CloudburstError
        The first failure, when everything else is done.
    """
    at, failed = core.clock(), []
    for region in core.regions():
        for request, form in _planned(core, region.id):
            error = _kept(core, request, form, at)
            heap.give_back()  # each reads a month of cases
            if error is not None:
                failed.append(error)
    _prune(core, at - timedelta(days=core.settings.report_keep_days))
    if failed:
        raise failed[0]


def _planned(core: Core, region_id: str) -> Iterator[tuple[ReportRequest, str]]:
    """Yield what is to be written of a region: every kind in those of the wanted formats that it has."""
    wanted = listed(core.settings.report_formats)
    for kind in ReportKind:
        request = ReportRequest(region_id, kind, language=core.settings.report_language)
        yield from ((request, form) for form in FORMATS[kind] if form in wanted)


def _kept(core: Core, request: ReportRequest, form: str, at: datetime) -> CloudburstError | None:
    """Write one report; return what it failed with."""
    name, found = file_name(request.region_id, request.kind, form, at), None
    try:
        size = exports.write(core, request, (form, folder(core) / name))
        status, detail = WRITTEN, {"file": name, "bytes": size}
    except CloudburstError as error:
        found, status, detail = error, FAILED, {"file": name, "why": error.message}
    except OSError as error:
        found = unwritable(f"The report {name}", error)
        status, detail = FAILED, {"file": name, "why": found.message}
    try:
        core.lifecycle.ledger.record_run(RUN, status, detail | {"region": request.region_id}, at)
    except CloudburstError as error:  # the file is there, or the reason is told all the same
        found = found or error
    return found


def _prune(core: Core, before: datetime) -> None:
    """Remove reports of ours that were made before a moment; nothing else in the folder is touched."""
    for old in kept_reports(core):
        if old.made_at < before:
            try:
                (folder(core) / old.name).unlink(missing_ok=True)
            except OSError as error:  # tried again next time
                log.warning("old report not removed", file=old.name, why=error.strerror)


def kept_reports(core: Core) -> tuple[KeptReport, ...]:
    """Return the reports by plan that are there, the newest first; what is not named as ours is not among them."""
    found = []
    try:
        for path in folder(core).iterdir():
            named = _NAME.fullmatch(path.name)
            if named and path.is_file() and not path.is_symlink():
                region_id, kind, stamp, ending = named.groups()
                at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
                size = path.stat().st_size
                found.append(KeptReport(path.name, region_id, ReportKind(kind), _FORM_OF[ending], at, size))
    except (OSError, ValueError):  # no folder yet, one that cannot be read, or 31 February
        return tuple(found)
    return tuple(sorted(found, key=lambda one: (one.made_at, one.name), reverse=True))


def read_report(core: Core, name: str) -> bytes:
    """Return a report by plan.

    Raises
    ------
    UnfitInput
        If it is none of ours, or not there any more.
    """
    if not _NAME.fullmatch(name):
        raise UnfitInput("There is no such report.", hint="Choose one of those in the list.")
    try:
        return read_plain(folder(core), name, LARGEST)
    except OSError as error:
        raise UnfitInput(
            f"The report {name} cannot be read: {error.strerror}.",
            hint="It may be too old and removed; choose another.",
        ) from None


def last_kept(core: Core) -> datetime | None:
    """Return when reports were last written, None where none are."""
    return next((one.made_at for one in kept_reports(core)), None)
