"""An issue by district: the gravest first, and what nobody knows is not safe."""

from __future__ import annotations

import math

import pytest

from core.domain.districts import by_district, districts_of
from core.domain.forecast import DEFAULT_WINDOW, Exceedance, Forecast, Freshness, RegionForecast, RiskLevel
from core.domain.weather import Flag, Location, Outline, Region
from tests.issued_made import END, curve

SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
NORTH = tuple((x, y + 1) for x, y in SQUARE)
EAST = tuple((x + 1, y) for x, y in SQUARE)
PLACES = tuple(
    Location(f"p{i}", f"p{i}", y, x, 0.0)
    for i, (x, y) in enumerate(((0.2, 0.5), (0.8, 0.5), (1.5, 0.5), (0.5, 1.5), (3.0, 0.5)))
)
REGION = Region(
    "made",
    "made",
    "UTC",
    PLACES,
    (Outline("West", (SQUARE,)), Outline("East", (EAST,)), Outline("North", (NORTH,))),
    0.1,
)


def _issue(*said: tuple[RiskLevel, float]) -> RegionForecast:
    forecasts = []
    for place, (level, p) in zip(PLACES, said, strict=True):
        known = Exceedance.unknown() if math.isnan(p) else curve(DEFAULT_WINDOW, p)
        forecasts.append(Forecast(place.id, END, END, 6, known, level, "m", Flag.PASS, Freshness.FRESH, END))
    return RegionForecast(REGION, END, END, tuple(forecasts), "gauges", "m", "gauges", False, Freshness.FRESH, END)


def test_every_place_is_in_the_district_around_it_and_in_none_outside() -> None:
    assert districts_of(REGION) == ("West", "West", "East", "North", "")


def test_the_gravest_district_comes_first_and_what_is_unknown_before_green() -> None:
    nothing = (RiskLevel.UNKNOWN, math.nan)
    issue = _issue(
        (RiskLevel.GREEN, 0.01), (RiskLevel.RED, 0.5), nothing, (RiskLevel.GREEN, 0.02), (RiskLevel.GREEN, 0.03)
    )
    found = by_district(issue)
    assert [d.name for d in found] == ["West", "East", "", "North"]
    west, east = found[:2]
    assert (west.level, west.highest.id, west.places) == (RiskLevel.RED, "p1", 2)
    assert west.probability == pytest.approx(0.5)
    assert west.counts[RiskLevel.GREEN] == west.counts[RiskLevel.RED] == 1
    assert east.level is RiskLevel.UNKNOWN
    assert math.isnan(east.probability)


def test_one_known_place_speaks_for_a_district_whose_others_are_unknown() -> None:
    nothing = (RiskLevel.UNKNOWN, math.nan)
    issue = _issue(nothing, (RiskLevel.YELLOW, 0.2), nothing, nothing, nothing)
    west = by_district(issue)[0]
    assert (west.name, west.level, west.highest.id) == ("West", RiskLevel.YELLOW, "p1")
    assert west.counts[RiskLevel.UNKNOWN] == 1
