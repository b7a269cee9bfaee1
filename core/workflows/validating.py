"""Validating weather data that somebody hands in: a record, a list of records or a frame, by schema and checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.domain.quality import Finding
from core.domain.weather import Flag
from core.errors import SchemaMismatch
from core.ports import Clock
from core.quality import schema
from core.quality.baseline import Baseline
from core.quality.columns import Columns, from_frame, from_readings
from core.quality.instant import instant
from core.quality.marks import FlagTable, Tally, mark, tally, text
from core.quality.moments import untimely
from core.quality.series import Past, along_time, off_hour, twins

#: Descriptions given in full; the total stands beside them.
MOST_DESCRIPTIONS = 50


class QualityMetricsResult(TypedDict):
    """Shares in [0, 1]; NaN where there is nothing to measure. The definitions are those of `core.quality.metrics`."""

    overall_quality: float
    completeness: float
    validity: float
    consistency: float
    anomaly_rate: float
    #: Fields that are no part of the schema: of a frame its columns, of records the most that one of them has.
    extra_fields: int


class Anomalies(TypedDict):
    """What was found: values flagged SUSPECT or FAIL, in words, and hits by test."""

    count: int
    descriptions: list[str]
    #: Different descriptions, those left out of the list included.
    total: int
    by_test: dict[str, int]


class Validation(TypedDict):
    """What a record and a table have in common."""

    #: Every record fits the schema and no value failed.
    passed: bool
    records: int
    failed_records: int
    quality_metrics: QualityMetricsResult
    anomalies: Anomalies
    #: What could not be looked at, and why.
    not_evaluated: list[str]


class RecordValidation(Validation):
    """One record: flag number (`Flag`) by variable, and the reasons."""

    flags: dict[str, int]
    reasons: list[str]


class TableValidation(Validation):
    """Several records: their flags as a table."""

    flags: FlagTable


class DataQualityMiddleware:
    """Validates weather data that somebody hands in.

    Parameters
    ----------
    baseline
        Past of some places, against which values are rare (z-score).
    places
        Their ids, in the order of the baseline; without ids it has one place, and every record is taken as of that.
    clock
        Says what time it is (UTC). With it hours of the future fail, and values known before their time are suspect;
        without it the result depends on the records alone.

    Raises
    ------
    ValueError
        If there are not as many ids as places.

    Examples
    --------
    >>> record = {"temperature_2m": 24.0, "relative_humidity_2m": 90, "surface_pressure": 905.0, "wind_speed_10m": 3.0,
    ...     "wind_direction_10m": 200, "cloud_cover": 100, "precipitation": 610.0, "latitude": 30.3, "longitude": 78.0}
    >>> result = DataQualityMiddleware().process_and_validate(record)
    >>> result["passed"], result["flags"]["precipitation_mm"]
    (False, 4)
    """

    def __init__(
        self, baseline: Baseline | None = None, places: Sequence[str] = (), *, clock: Clock | None = None
    ) -> None:
        self._past = None if baseline is None else Past.of(baseline, places)
        self._clock = clock

    @overload
    def process_and_validate(self, weather_data: Mapping[Any, Any]) -> RecordValidation: ...
    @overload
    def process_and_validate(self, weather_data: Sequence[Mapping[Any, Any]] | pd.DataFrame) -> TableValidation: ...
    def process_and_validate(
        self, weather_data: Mapping[Any, Any] | Sequence[Mapping[Any, Any]] | pd.DataFrame
    ) -> RecordValidation | TableValidation:
        """Validate one record (a mapping), a list of records, or a frame; names are those of the house or Open-Meteo's.

        What is handed in is not changed. Wrong values are ordinary news and stand in the result. Step, spike and flat
        line, and hours given twice, are looked at where records say `location_id` and `valid_at`; hours handed in
        together are judged in hindsight, with those after them.

        Raises
        ------
        SchemaMismatch
            If it is neither a record, nor a list of records, nor a frame.
        """
        if isinstance(weather_data, pd.DataFrame):
            return self._table(from_frame(weather_data))
        readings = self.read(weather_data)
        if isinstance(weather_data, Mapping):
            return self.judge_one(readings[0])
        return self.judge(readings)

    def read(self, weather_data: Mapping[Any, Any] | Sequence[Mapping[Any, Any]]) -> tuple[schema.Reading, ...]:
        """Return one record or a list of them as read by the schema.

        Raises
        ------
        SchemaMismatch
            If it is neither.
        """
        if isinstance(weather_data, Mapping):
            return (schema.read(weather_data),)
        if not isinstance(weather_data, list | tuple) or not all(isinstance(r, Mapping) for r in weather_data):
            raise SchemaMismatch(
                "This is no weather record.", hint="Hand in one record as a mapping, a list of such, or a frame."
            )
        return tuple(schema.read(record) for record in weather_data)

    def judge_one(self, reading: schema.Reading) -> RecordValidation:
        """Validate one record that has been read."""
        table = self._table(from_readings((reading,)))
        flags = table["flags"]
        return {**_common(table), "flags": flags.of(0), "reasons": list(flags.reasons(0))}

    def judge(self, readings: Sequence[schema.Reading]) -> TableValidation:
        """Validate records that have been read."""
        return self._table(from_readings(readings))

    def _table(self, columns: Columns) -> TableValidation:
        with np.errstate(all="ignore"):  # values beyond all reason overflow on their way to being flagged
            along, untold = along_time(columns, self._past)
            # Along time a rare value is held against its neighbouring hours: better than by itself.
            past = self._past if untold else None
            single = instant(columns.values, _heights(columns), *((past.baseline, past.rows(columns)) if past else ()))
            found = [f for f in single if f.where.any()]
        said = {(f.test, f.variable, f.reason) for f in found}
        double, repeats = twins(columns)
        findings = [*columns.misfits, *found, *(f for f in along if (f.test, f.variable, f.reason) not in said)]
        findings += [*double, *self._untimely(columns)]
        table = mark(columns, findings)
        counts = tally(table)
        return {
            "passed": columns.records > 0 and counts.failed_records == 0,
            "records": columns.records,
            "failed_records": counts.failed_records,
            "quality_metrics": _metrics(counts, columns.extra),
            "anomalies": _anomalies(counts, findings, columns.records),
            "not_evaluated": _not_evaluated(columns, untold, repeats),
            "flags": table,
        }

    def _untimely(self, columns: Columns) -> list[Finding]:
        """Return what the clock says of the records; it is not asked where none has a time."""
        if self._clock is None or np.isnat(columns.valid_at).all():
            return []
        return list(untimely(columns, self._clock()))


def _common(table: TableValidation) -> Validation:
    return {
        "passed": table["passed"],
        "records": table["records"],
        "failed_records": table["failed_records"],
        "quality_metrics": table["quality_metrics"],
        "anomalies": table["anomalies"],
        "not_evaluated": table["not_evaluated"],
    }


def _not_evaluated(columns: Columns, untold: str | None, repeats: int) -> list[str]:
    """Return what was not looked at along time, and why."""
    told = [untold] if untold else []
    odd = off_hour(columns)
    if odd:
        told.append(f"{_records(odd)} not on a full hour {'was' if odd == 1 else 'were'} not looked at along time.")
    if repeats:
        told.append(f"{_records(repeats)} of an hour that is given again: only the last one was looked at along time.")
    return told


def _records(number: int) -> str:
    return f"{number:,} record{'' if number == 1 else 's'}"


def _heights(columns: Columns) -> NDArray[np.float64] | float:
    height = columns.position["elevation_m"]
    return height if bool(np.isfinite(height).any()) else float("nan")


def _metrics(counts: Tally, extra: int) -> QualityMetricsResult:
    def share(part: int, whole: int) -> float:
        return part / whole if whole else float("nan")

    return {
        "overall_quality": share(counts.good, counts.expected),
        "completeness": share(counts.present, counts.expected),
        "validity": 1 - share(counts.failed, counts.present),
        "consistency": 1 - share(counts.inconsistent, counts.present),
        "anomaly_rate": share(counts.suspect, counts.present),
        "extra_fields": extra,
    }


def _anomalies(counts: Tally, findings: Sequence[Finding], records: int) -> Anomalies:
    hits = [(int(np.count_nonzero(f.where)), f) for f in findings if f.flag is not Flag.PASS]
    by_test: dict[str, int] = {}
    for number, finding in hits:
        by_test[finding.test] = by_test.get(finding.test, 0) + number
    worst_first = sorted(hits, key=lambda hit: (-hit[1].flag, -hit[0]))
    said = [text(f) if records == 1 else f"{text(f)} ({n:,} of {records:,} records)" for n, f in worst_first]
    return {
        "count": counts.suspect + counts.failed,
        "descriptions": said[:MOST_DESCRIPTIONS],
        "total": len(said),
        "by_test": by_test,
    }
