"""What is asked of a report: which kind, of which region, of when, with which parts, in which language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReportKind(StrEnum):
    """A bulletin of the current issue; how its forecasts did; how good its data were."""

    BULLETIN = "bulletin"
    VERIFICATION = "verification"
    QUALITY = "quality"


class Section(StrEnum):
    """Parts of a report that may be left out; each kind has some of them."""

    MAP = "map"
    DISTRICTS = "districts"
    PLACES = "places"
    DRIVERS = "drivers"
    SKILL = "skill"
    QUALITY = "quality"
    MEANT = "meant"
    SCORES = "scores"
    DIAGRAMS = "diagrams"
    GROUPS = "groups"
    METRICS = "metrics"
    VARIABLES = "variables"
    STATIONS = "stations"
    TESTS = "tests"
    LIMITS = "limits"


#: The sections of every kind, in the order in which they stand.
SECTIONS: Mapping[ReportKind, tuple[Section, ...]] = {
    ReportKind.BULLETIN: (
        Section.MAP, Section.DISTRICTS, Section.PLACES, Section.DRIVERS, Section.SKILL, Section.QUALITY, Section.LIMITS,
    ),
    ReportKind.VERIFICATION: (
        Section.MEANT, Section.SCORES, Section.DIAGRAMS, Section.GROUPS, Section.LIMITS,
    ),
    ReportKind.QUALITY: (
        Section.METRICS, Section.VARIABLES, Section.STATIONS, Section.TESTS, Section.LIMITS,
    ),
}  # fmt: skip


#: Formats of every kind; what a map or a warning can say, only a bulletin can.
FORMATS: Mapping[ReportKind, tuple[str, ...]] = {
    ReportKind.BULLETIN: ("pdf", "xlsx", "cap", "geojson", "csv"),
    ReportKind.VERIFICATION: ("pdf", "xlsx"),
    ReportKind.QUALITY: ("pdf", "xlsx"),
}
REPORT_FORMATS = FORMATS[ReportKind.BULLETIN]
#: Endings of files that are not called as their format.
ENDINGS: Mapping[str, str] = {"cap": "xml"}


@dataclass(frozen=True)
class ReportRequest:
    """A report that is asked for.

    `period` is begin and end (UTC) of what verification and quality look at, None: the last thirty days; a bulletin is
    of now. `sections` are those wanted, None: all.
    """

    region_id: str
    kind: ReportKind = ReportKind.BULLETIN
    period: tuple[datetime, datetime] | None = None
    language: str = "en"
    sections: frozenset[Section] | None = None

    def wants(self, section: Section) -> bool:
        """Say whether a section is wanted."""
        return self.sections is None or section in self.sections


@dataclass(frozen=True)
class KeptReport:
    """A report that was written by plan: the name of its file, what it is of, and when (UTC) it was made."""

    name: str
    region_id: str
    kind: ReportKind
    form: str
    made_at: datetime
    size_bytes: int


def file_name(region_id: str, kind: ReportKind, form: str, at: datetime) -> str:
    """Return the name of a report's file; names of one region and kind sort by time.

    >>> from datetime import UTC
    >>> file_name("sikkim", ReportKind.BULLETIN, "cap", datetime(2026, 7, 29, 18, tzinfo=UTC))
    'sikkim_bulletin_20260729T1800Z.xml'
    """
    return f"{region_id}_{kind}_{at:%Y%m%dT%H%MZ}.{ENDINGS.get(form, form)}"
