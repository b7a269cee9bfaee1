"""Quality metrics: what came, what holds, what agrees and how late it was, for a region and for every place of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from core.domain.quality import FlaggedWeather, Mask, QualityMetrics
from core.domain.units import from_datetime64, to_hour64, to_second64
from core.domain.weather import Flag, HourlyWeather

#: Tests that hold a value against other values of its hour, place or neighbourhood: their names begin so.
CONSISTENCY_TESTS = ("consistency", "pressure at height", "buddy")


@dataclass(frozen=True)
class Frame:
    """What the metrics are measured against.

    Parameters
    ----------
    source, region_id
        Whose weather it is.
    begin
        First hour expected (the end of an hour, UTC); the last is the last of the weather.
    as_of
        The moment of the measurement.
    soft_limit
        Age at which an hour is late: one that is younger and has not come yet is not expected yet.
    variables
        The variables that the source has.
    """

    source: str
    region_id: str
    begin: datetime
    as_of: datetime
    soft_limit: timedelta
    variables: tuple[str, ...]


@dataclass(frozen=True)
class _Counts:
    """Counts per place, each of shape (places,), and the delays in minutes, (places, hours), NaN where not told."""

    expected: NDArray[np.int64]
    present: NDArray[np.int64]
    failed: NDArray[np.int64]
    inconsistent: NDArray[np.int64]
    suspect: NDArray[np.int64]
    good: NDArray[np.int64]
    delay_min: NDArray[np.float64]


def variables_of(weather: HourlyWeather) -> tuple[str, ...]:
    """Return the variables that a source has: those with a value anywhere; all it names where there is none at all.

    A source that fell silent altogether still owes what it names.
    """
    seen = tuple(name for name, values in weather.values.items() if bool(np.isfinite(values).any()))
    return seen or tuple(weather.values)


def measure(checked: FlaggedWeather, frame: Frame) -> tuple[QualityMetrics, tuple[QualityMetrics, ...]]:
    r"""Return the metrics of the region and of every place.

    With n the number of values expected (places x hours x variables), p present, f failed (FAIL), c with a finding of a
    consistency test, s suspect (SUSPECT at worst) and g present with neither a FAIL nor a consistency finding:

    .. math::

        completeness = p / n, \quad validity = 1 - f / p, \quad consistency = 1 - c / p, \quad anomaly\ rate = s / p

        timeliness = |\{h : d_h \le L\}| / |\{h\}|, \quad overall = g / n \cdot timeliness

    where h are the place-hours that came with a told moment of arrival, d their delay after the end of the hour and L
    the soft age limit. What did not come counts in completeness alone. `delay_min` is the median of d, minutes.

    *Overall* is a share that can be said in words: of all that was expected, what came, holds and agrees, and that in
    time. A plain product of the four shares would punish a value twice that fails a consistency test. The anomaly rate
    is not in it: a suspect value is often the extreme that this house looks for. An unknown timeliness is left out.

    Findings that say PASS are remarks and count as nothing. An hour younger than the soft limit that has not come is
    not expected yet. A moment of arrival equal to the end of the hour is what sources say that know nothing of it
    (nothing is measured, sent and read in no time): it counts as not told.

    Parameters
    ----------
    checked
        Flagged weather; hours before `frame.begin` are left out.
    frame
        What to measure against.

    Returns
    -------
    tuple
        The metrics of the region, and those of its places in their order. What cannot be measured is NaN.
    """
    cut = checked.since(frame.begin)
    counts = _count(cut, frame)
    hours = cut.weather.valid_at
    period = (frame.begin, from_datetime64(hours[-1]) if len(hours) else frame.begin)
    places = tuple(_metrics(counts, [i], place.id, period, frame) for i, place in enumerate(cut.weather.locations))
    return _metrics(counts, range(len(places)), None, period, frame), places


def delays_min(weather: HourlyWeather) -> NDArray[np.float64]:
    """Return the minutes from the end of every observed hour to its arrival, (places, hours); NaN where not told.

    What was known before its hour ended, such as a forecast, has no delay: 0.
    """
    delay = np.full((len(weather.locations), len(weather.valid_at)), np.nan)
    if weather.available_at is None:
        return delay
    late = weather.available_at - weather.valid_at.astype("datetime64[s]")
    told = weather.observed() & ~np.isnat(late) & (late != np.timedelta64(0, "s"))
    delay[told] = np.maximum(late[told] / np.timedelta64(60, "s"), 0.0)
    return delay


def _count(checked: FlaggedWeather, frame: Frame) -> _Counts:
    weather = checked.weather
    shape = (len(weather.locations), len(weather.valid_at))
    due = weather.valid_at <= to_second64(frame.as_of - frame.soft_limit)
    past = weather.valid_at <= to_hour64(frame.as_of)
    hours = past & due | weather.observed()
    counts = {name: np.zeros(shape, np.int16) for name in ("present", "failed", "inconsistent", "suspect", "good")}
    for variable in frame.variables:
        present = np.isfinite(weather.get(variable))
        flags = checked.flags(variable)
        inconsistent = _inconsistent(checked, variable) & present
        failed = present & (flags == Flag.FAIL)
        counts["present"] += present
        counts["failed"] += failed
        counts["inconsistent"] += inconsistent
        counts["suspect"] += present & (flags == Flag.SUSPECT)
        counts["good"] += present & ~failed & ~inconsistent
    sums = {name: array.sum(axis=1, dtype=np.int64) for name, array in counts.items()}
    return _Counts(hours.sum(axis=1, dtype=np.int64) * len(frame.variables), **sums, delay_min=delays_min(weather))


def _inconsistent(checked: FlaggedWeather, variable: str) -> Mask:
    where = np.zeros((len(checked.weather.locations), len(checked.weather.valid_at)), bool)
    for finding in checked.findings:
        if finding.variable == variable and finding.flag >= Flag.SUSPECT and finding.test.startswith(CONSISTENCY_TESTS):
            where |= finding.where
    return where


def _metrics(
    counts: _Counts, rows: Sequence[int], location_id: str | None, period: tuple[datetime, datetime], frame: Frame
) -> QualityMetrics:
    """Return the metrics of some places together."""
    chosen = list(rows)
    expected, present = int(counts.expected[chosen].sum()), int(counts.present[chosen].sum())
    delay = counts.delay_min[chosen]
    told = np.isfinite(delay)
    limit_min = frame.soft_limit.total_seconds() / 60
    timeliness = _share(int((delay[told] <= limit_min).sum()), int(told.sum()))
    good = _share(int(counts.good[chosen].sum()), expected)
    return QualityMetrics(
        source=frame.source,
        region_id=frame.region_id,
        location_id=location_id,
        begin=period[0],
        end=period[1],
        completeness=_share(present, expected),
        validity=1 - _share(int(counts.failed[chosen].sum()), present),
        consistency=1 - _share(int(counts.inconsistent[chosen].sum()), present),
        timeliness=timeliness,
        delay_min=float(np.median(delay[told])) if told.any() else float("nan"),
        anomaly_rate=_share(int(counts.suspect[chosen].sum()), present),
        overall=good if np.isnan(timeliness) else good * timeliness,
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
