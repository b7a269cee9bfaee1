"""A made-up quality report for tests: three stations, one fault of every kind, hours of silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from core.domain.quality import Finding, FlaggedWeather, QualityMetrics, QualityReport
from core.domain.weather import Flag
from tests.weather_made import END, REGION, weather

#: Hours of the report: four days and an hour, both ends included.
HOURS = 97
NAN = float("nan")


def metrics(location_id: str | None = None, hours_ago: int = 0, **known: float) -> QualityMetrics:
    """Return metrics of which only `known` are known."""
    end = END - timedelta(hours=hours_ago)
    numbers = dict.fromkeys(
        ("completeness", "validity", "consistency", "timeliness", "delay_min", "anomaly_rate", "overall"), NAN
    )
    return QualityMetrics("gauges", REGION.id, location_id, end - timedelta(hours=HOURS - 1), end, **(numbers | known))


def at(place: int, *hours: int) -> np.ndarray:
    """Return a mask that is true in some hours of one place."""
    where = np.zeros((3, HOURS), bool)
    where[place, list(hours)] = True
    return where


def report() -> QualityReport:
    """Return the report.

    Alpha fails four times and is confirmed once, Beta is suspect twice and silent in its last ten hours, Gamma has one
    flag that begins like a formula; in the first 24 hours nothing is stored of anybody.
    """
    raw = weather(HOURS)
    values = {name: array.copy() for name, array in raw.values.items()}
    for array in values.values():
        array[:, :24] = np.nan
        array[1, -10:] = np.nan
    values["temperature_c"][0, 30:34] = 99.0
    found = (
        Finding("range", "temperature_c", Flag.FAIL, "outside -50..60 °C", at(0, 30, 31, 32, 33)),
        Finding("step", "temperature_c", Flag.SUSPECT, "a jump", at(0, 30)),
        Finding("extreme rain", "precipitation_mm", Flag.PASS, "confirmed: humid, neighbour wet", at(0, 50)),
        Finding("step", "wind_speed_ms", Flag.SUSPECT, "a jump", at(1, 40, 60)),
        Finding("=cmd()", "dew_point_c", Flag.SUSPECT, "+1 too high", at(2, 70)),
        Finding("gap", "wind_speed_ms", Flag.MISSING, "silent for 6 h", at(1, *range(87, 97))),
    )
    checked = FlaggedWeather(replace(raw, values=values), found)
    region_metrics = metrics(completeness=0.9999, validity=0.95, anomaly_rate=0.0, overall=0.5)
    places = (
        metrics("a", overall=0.7, completeness=0.75), metrics("b", overall=0.2, completeness=0.6), metrics("c"),
    )  # fmt: skip
    return QualityReport(REGION, region_metrics.begin, END, checked, region_metrics, places, (), (), ())
