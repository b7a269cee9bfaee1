"""The current issue as a file for others: a CAP draft, GeoJSON or CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.adapters import cap, cap_rules, map_files
from core.adapters.files import write_whole
from core.bootstrap.house import Core
from core.domain.forecast import RegionForecast
from core.errors import ConfigurationError, UnfitInput
from core.ports import Progress, silent

FORMATS = ("cap", "geojson", "csv")
#: Sender of drafts where nobody names one; .invalid is no domain of anybody (RFC 2606).
SENDER = "cloudburst-watch.invalid"


@dataclass(frozen=True)
class CapOptions:
    """Who sends a CAP draft, whether as an exercise, and the file of the message that it updates or cancels."""

    sender: str = SENDER
    exercise: bool = False
    updates: Path | None = None
    cancels: Path | None = None


def bulletin(
    core: Core, region_id: str, file: tuple[str, Path], options: CapOptions | None = None, told: Progress = silent
) -> RegionForecast:
    """Write the current issue of a region as a file, (one of `FORMATS`, path), whole or not at all; return it.

    Raises
    ------
    ConfigurationError
        If the options do not go with the format, or would break a rule of CAP.
    UnfitInput
        If the earlier message cannot be read or is no CAP 1.2.
    """
    form, out = file
    if options is not None and form != "cap":
        raise ConfigurationError(f"Only a CAP draft has a sender and an earlier message, not {form}.")
    issue = core.require_issue(region_id, told)
    now = core.clock()
    if form == "cap":
        data = _draft(issue, now, options or CapOptions())
    else:
        data = {"geojson": map_files.geojson, "csv": map_files.table}[form](issue, now)
    write_whole(out, lambda temporary: temporary.write_bytes(data))
    return issue


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
