"""Appraising: how good the observations of a region are, over time; what has fallen, and which sensors drift."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import fmean, median

import numpy as np

from core.domain.quality import FlaggedWeather, QualityMetrics, QualityReport
from core.domain.told import tell
from core.domain.units import as_utc, floor_hour, from_datetime64
from core.domain.weather import HourlyWeather, Region
from core.errors import CloudburstError, ConfigurationError
from core.ports import Clock, Ledger, QualityFiles
from core.quality.drift import drifts
from core.quality.metrics import Frame, measure, variables_of
from core.workflows.arrivals import Arrivals
from core.workflows.falls import FALLEN, KIND, RECOVERED, USUAL, Fall, detail, fallen, still_down
from core.workflows.forecasting import Forecasting
from core.workflows.observing import BY_MODEL

#: Metrics over time are those of the last day: every hour of the day is in it once, so night and day do not swing them.
APPRAISED = timedelta(hours=24)
#: A report without a period tells of the last week.
DEFAULT_PERIOD = timedelta(days=7)
#: More than a year is for several reports: all of it is held in memory at once.
LONGEST_PERIOD = timedelta(days=400)
#: Reports of longer periods are not kept in memory for the next who asks.
KEPT_PERIOD = timedelta(days=31)
#: A drift is looked for in the last thirty days of the period, also where the period is shorter: over a season places
#: part from their neighbours by their climate.
DRIFT_PERIOD = timedelta(days=30)
#: Falls and recoveries that are looked through for what is still down: regions times metrics, several times over.
RUNS = 200


@dataclass
class Appraising:
    """Measures the quality of observations, keeps the numbers and says what has fallen.

    Parameters
    ----------
    files
        Where metrics of regions and places are kept beside the ledger, None for nowhere.
    """

    forecasting: Forecasting
    ledger: Ledger
    clock: Clock
    files: QualityFiles | None = None
    _arrivals: Arrivals = field(default_factory=Arrivals, init=False)
    _ended: dict[str, datetime] = field(default_factory=dict, init=False)
    #: The last few reports, by everything that could change them.
    _kept: dict[tuple[object, ...], QualityReport] = field(default_factory=dict, init=False)
    _appraising: threading.Lock = field(default_factory=threading.Lock, init=False)

    def appraise(self, region_id: str) -> QualityMetrics | None:
        """Measure the last day of a region and keep it, once per hour; return None where this hour has been measured.

        Every call looks which hours have arrived since the last one: the more often, the better timeliness is known.
        The ledger keeps the numbers of the region, the files those of its places too.

        Raises
        ------
        CloudburstError
            If the region is not known, or the ledger or the files cannot be written.
        """
        issue, now = self.forecasting.current(region_id), self.clock()
        region, checked = issue.forecast.region, issue.checked
        end = from_datetime64(checked.weather.valid_at[-1])
        with self._appraising:
            self._arrivals.look(region_id, checked.weather, now)
            if self._ended.get(region_id) == end:
                return None
            metrics, places = self._measured(region, checked, end - APPRAISED + timedelta(hours=1), now)
            if self.ledger.record_quality((metrics,)):  # else another process was first, and has written down the rest
                self._watch(region, metrics)
            if self.files is not None:
                self.files.store((metrics, *places))
            # Ledger and files keep each row once: what failed before this line is tried again and doubles nothing.
            self._ended[region_id] = end
        return metrics

    def report(self, region_id: str, begin: datetime | None = None, end: datetime | None = None) -> QualityReport:
        """Return the quality of a region's observations in a period, the last seven days where none is named.

        Stored hours and, for the newest, live ones are checked with hindsight. A region without any gives an empty
        report. Where no arrivals of the period are known, timeliness is that of the metrics kept in it.

        Parameters
        ----------
        begin, end
            First and last hour (UTC), both included; a later end than now is now.

        Raises
        ------
        ConfigurationError
            If the region is not known, the period ends before it begins, or is longer than 400 days.
        """
        issue, now = self.forecasting.current(region_id), self.clock()
        first, last = _period(begin, end, now)
        key = (region_id, first, last, floor_hour(now), issue.forecast.version)
        report = self._kept.get(key)
        if report is None:
            report = self._report(issue.forecast.region, (first, last), issue.checked.weather, now)
            if last - first <= KEPT_PERIOD:
                self._kept = {**dict(list(self._kept.items())[-3:]), key: report}
        return replace(report, alerts=self.alerts(region_id))

    def _report(
        self, region: Region, period: tuple[datetime, datetime], live: HourlyWeather, now: datetime
    ) -> QualityReport:
        """Return the report of a period, without alerts."""
        first, last = period
        weather = self._weather(region, min(first, last - DRIFT_PERIOD), last, live)
        whole = self.forecasting.observing.check(weather, True)
        metrics, places = self._measured(region, whole, max(first, self._known_since(region, weather, first)), now)
        history = tuple(m for m in self._history(region.id, first) if m.source == live.source and m.end <= last)
        return QualityReport(
            region=region,
            begin=first,
            end=last,
            checked=whole.since(first),
            metrics=_with_timeliness(metrics, history),
            places=places,
            history=history,
            alerts=(),
            drifts=drifts(whole.since(last - DRIFT_PERIOD).usable()),
        )

    def kept(self, region_id: str, past: timedelta) -> tuple[QualityMetrics, ...]:
        """Return the metrics of a region that were kept in the time until now, from its present source, oldest first.

        Raises
        ------
        ConfigurationError
            If the ledger does not answer.
        """
        source = self.forecasting.observing.source.name
        return tuple(m for m in self.ledger.quality(region_id, self.clock() - past) if m.source == source)

    def alerts(self, region_id: str | None = None) -> tuple[str, ...]:
        """Return in words what has fallen and not come back, of one region or of all.

        A ledger that fails is said, not raised.
        """
        try:
            down = self._still_down()
        except CloudburstError as error:
            return (tell("Whether the quality of the data has fallen is not known: {error}", error=error.told),)
        source = self.forecasting.observing.source.name
        return tuple(f.text for f in down if f.source == source and region_id in (None, f.region_id))

    def _measured(
        self, region: Region, checked: FlaggedWeather, begin: datetime, now: datetime
    ) -> tuple[QualityMetrics, tuple[QualityMetrics, ...]]:
        """Return the metrics from `begin` on, with the arrivals that were measured here."""
        weather = checked.weather
        if weather.source in BY_MODEL:  # so many hours after the end of the hour is no observation
            weather = replace(weather, available_at=None)
        told = replace(checked, weather=self._arrivals.told(region.id, weather))
        soft_limit = self.forecasting.limits.of(region).amber
        return measure(told, Frame(weather.source, region.id, begin, now, soft_limit, variables_of(weather)))

    def _watch(self, region: Region, metrics: QualityMetrics) -> None:
        """Write down what has fallen or come back; each is written once."""
        earlier = self.ledger.quality(region.id, metrics.end - USUAL)
        ours = [f for f in self._still_down() if (f.source, f.region_id) == (metrics.source, region.id)]
        over = [f for f in ours if f.is_over(float(getattr(metrics, f.metric)))]
        new = fallen(metrics, earlier, region.name, [f.metric for f in ours])
        for fall in over:
            back = replace(fall, value=float(getattr(metrics, fall.metric)))
            self.ledger.record_run(KIND, RECOVERED, detail(back), self.clock())
        for fall in new:
            self.ledger.record_run(KIND, FALLEN, detail(fall), self.clock())

    def _history(self, region_id: str, since: datetime) -> tuple[QualityMetrics, ...]:
        """Return the metrics kept; none where the ledger fails, which `alerts` says."""
        try:
            return self.ledger.quality(region_id, since)
        except CloudburstError:
            return ()

    def _still_down(self) -> tuple[Fall, ...]:
        """Return what is down by the ledger: in a house of several programs it is another one that writes it down."""
        return still_down(self.ledger.runs(RUNS, KIND))

    def _weather(self, region: Region, begin: datetime, end: datetime, live: HourlyWeather) -> HourlyWeather:
        """Return what is stored and, where there is, what is live."""
        stored = self.forecasting.observing.archive.read(region, begin, end, live.source)
        return _joined(stored, live)

    def _known_since(self, region: Region, weather: HourlyWeather, begin: datetime) -> datetime:
        """Return since when hours can be expected: the begin, or the very first hour where it lies in the period."""
        seen = np.flatnonzero(weather.observed().any(axis=0))
        if not len(seen):
            return begin
        months = [
            str(part["month"])
            for part in self.forecasting.observing.archive.extent()
            if (part["source"], part["region"]) == (weather.source, region.id)
        ]
        if months and min(months) < f"{begin:%Y-%m}":
            return begin
        return max(begin, from_datetime64(weather.valid_at[seen[0]]))


def _joined(stored: HourlyWeather, live: HourlyWeather) -> HourlyWeather:
    """Return the hours of `stored`, with the values of `live` where it has any."""
    here, there = np.isin(stored.valid_at, live.valid_at), np.isin(live.valid_at, stored.valid_at)
    values = {name: stored.get(name).copy() for name in (*stored.values, *live.values)}
    for name, array in live.values.items():
        values[name][:, here] = np.where(np.isfinite(array[:, there]), array[:, there], values[name][:, here])
    shape = (len(stored.locations), len(stored.valid_at))
    available = np.full(shape, np.datetime64("NaT"), "datetime64[s]")
    if stored.available_at is not None:
        available[:] = stored.available_at
    if live.available_at is not None:
        known = live.observed()[:, there]
        available[:, here] = np.where(known, live.available_at[:, there], available[:, here])
    return replace(stored, values=values, available_at=available, season_day=live.season_day)


def _with_timeliness(metrics: QualityMetrics, history: Sequence[QualityMetrics]) -> QualityMetrics:
    """Return the metrics with the timeliness kept in the period, where they have none of their own."""
    kept = [m for m in history if not math.isnan(m.timeliness)]
    if not math.isnan(metrics.timeliness) or not kept:
        return metrics
    timeliness, delay_min = fmean(m.timeliness for m in kept), median(m.delay_min for m in kept)
    return replace(metrics, timeliness=timeliness, delay_min=delay_min, overall=metrics.overall * timeliness)


def _period(begin: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    last = floor_hour(now if end is None else min(as_utc(end), now))
    first = last - DEFAULT_PERIOD if begin is None else floor_hour(begin)
    if first > last:
        raise ConfigurationError(
            tell(
                "The period ends ({last:%Y-%m-%d %H:%M} UTC) before it begins ({first:%Y-%m-%d %H:%M} UTC).",
                last=last,
                first=first,
            ),
            hint="Give a beginning before the end, and not after the present hour.",
        )
    if last - first > LONGEST_PERIOD:
        raise ConfigurationError(
            tell("The period is longer than {days} days.", days=LONGEST_PERIOD.days),
            hint="Ask for a shorter one, or for several.",
        )
    return first, last
