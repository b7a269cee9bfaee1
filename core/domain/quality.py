"""Quality flags of hourly weather: what each check found, with the raw values kept."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.domain.told import tell
from core.domain.units import from_datetime64, to_hour64
from core.domain.weather import Flag, HourlyWeather, Region

Mask = NDArray[np.bool_]
#: The measures of `QualityMetrics` that are shares: attribute, name and what it means, keys of the catalogue.
SHARES: tuple[tuple[str, str, str], ...] = (
    ("completeness", "Completeness", "Values that came, of those that should have."),
    ("validity", "Validity", "Values that no check failed, of those that came."),
    ("consistency", "Consistency", "Values that agree with the other variables and with the neighbours."),
    ("timeliness", "Timeliness", "Hours known before they count as stale."),
    ("anomaly_rate", "Anomaly rate", "Suspect values, of those that came."),
    ("overall", "Overall", "Expected values that came, passed and agree, times timeliness."),
)
#: Flags that a check can give, worst first, with their names; PASS is a remark of one that looked and confirmed.
FLAG_NAMES = {Flag.FAIL: "fail", Flag.SUSPECT: "suspect", Flag.MISSING: "missing", Flag.PASS: "confirmed"}


@dataclass(frozen=True)
class Finding:
    """What one check says of one variable: `flag`, for `reason`, at the true places of `where` (places, hours).

    A finding that says PASS is a remark: an extreme value that was looked at and confirmed.
    """

    test: str
    variable: str
    flag: Flag
    reason: str
    where: Mask = field(repr=False)


@dataclass(frozen=True)
class FlaggedWeather:
    """Hourly weather with the findings of the checks. The raw values stay as they came."""

    weather: HourlyWeather
    findings: tuple[Finding, ...]

    def flags(self, variable: str) -> NDArray[np.uint8]:
        """Return the worst flag of every value of one variable, shape (places, hours)."""
        values = self.weather.get(variable)
        flags = np.where(np.isfinite(values), np.uint8(Flag.PASS), np.uint8(Flag.MISSING))
        for finding in self.findings:
            if finding.variable == variable:
                worse = finding.where & (flags < finding.flag)
                flags[worse] = finding.flag
        return flags

    def usable(self) -> HourlyWeather:
        """Return the weather that a model may see: values that failed are NaN."""
        failed: dict[str, Mask] = {}
        for finding in self.findings:
            if finding.flag is Flag.FAIL:
                failed[finding.variable] = failed.get(finding.variable, np.False_) | finding.where
        values = {
            name: np.where(failed[name], np.float32(np.nan), array) if name in failed else array
            for name, array in self.weather.values.items()
        }
        return self.weather.with_values(values)

    def since(self, start: datetime) -> FlaggedWeather:
        """Return the hours from `start` on with their findings."""
        return self.between(start, from_datetime64(self.weather.valid_at[-1]) if len(self.weather.valid_at) else start)

    def between(self, start: datetime, end: datetime) -> FlaggedWeather:
        """Return the hours from that of `start` to that of `end` with their findings."""
        first = int((self.weather.valid_at < to_hour64(start)).sum())
        last = int((self.weather.valid_at <= to_hour64(end)).sum())
        cut = tuple(replace(f, where=f.where[:, first:last]) for f in self.findings)
        return FlaggedWeather(self.weather.window(start, end), cut)

    def worst(self, place: int, hour: int) -> Flag:
        """Return the worst flag of one place in one hour; MISSING where a variable of the source has no value."""
        found = [f.flag for f in self.findings if f.where[place, hour]]
        return Flag.MISSING if self._missing(place, hour) else max(found, default=Flag.PASS)

    def reasons(self, place: int, hour: int) -> tuple[str, ...]:
        """Return the reasons of all flags of one place in one hour."""
        flagged = tuple(
            tell("{variable}: {reason}", variable=tell(f.variable), reason=tell(f.reason))
            for f in self.findings
            if f.where[place, hour]
        )
        return flagged + tuple(tell("{variable}: missing", variable=tell(name)) for name in self._missing(place, hour))

    def _missing(self, place: int, hour: int) -> list[str]:
        return [name for name, array in self.weather.values.items() if not np.isfinite(array[place, hour])]

    def count(self) -> int:
        """Return the number of flags that say a value is suspect or has failed."""
        return int(sum(int(f.where.sum()) for f in self.findings if f.flag in (Flag.SUSPECT, Flag.FAIL)))


@dataclass(frozen=True)
class QualityMetrics:
    """Quality of the hourly values of a region, or of one place of it, in a period.

    Shares lie in [0, 1]; NaN is not known. `delay_min` is the median time from the end of an hour to the moment when
    its values could be known; `timeliness` the share of hours known within the soft age limit.
    """

    source: str
    region_id: str
    #: None: the whole region.
    location_id: str | None
    begin: datetime
    end: datetime
    completeness: float
    validity: float
    consistency: float
    timeliness: float
    delay_min: float
    anomaly_rate: float
    overall: float


@dataclass(frozen=True)
class Drift:
    """A sensor that wanders away from its neighbours: `shift` in the variable's unit over the period looked at."""

    location_id: str
    variable: str
    shift: float
    reason: str


@dataclass(frozen=True)
class QualityReport:
    """Quality of the observations of a region in a period, as the page, the API and the exports tell it."""

    region: Region
    begin: datetime
    end: datetime
    checked: FlaggedWeather
    metrics: QualityMetrics
    places: tuple[QualityMetrics, ...]
    #: Earlier metrics of the region from the ledger, oldest first.
    history: tuple[QualityMetrics, ...]
    #: What has fallen, in words.
    alerts: tuple[str, ...]
    drifts: tuple[Drift, ...]
