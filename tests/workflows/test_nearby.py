"""The gauges near a place and their newest rain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core import Core
from core.domain.quality import FlaggedWeather
from core.workflows.forecasting import Issue
from core.workflows.nearby import nearest_gauges
from tests.conftest import NOW


@pytest.fixture
def issue(open_house: Callable[..., Core], gauge_folder: Callable[..., Path]) -> Issue:
    """Return the issue of two stations: A1 at 30.1 N 78.2 E, A2 at 31 N 77 E."""
    house = open_house(source=f"gauges:{gauge_folder()}")
    return house.issue(house.default_region)


def test_the_place_itself_comes_first_then_the_nearest_with_direction(issue: Issue) -> None:
    own, other = nearest_gauges(issue, "A1")
    assert (own.place.id, own.distance_km, own.compass) == ("A1", 0, "")
    assert (other.place.id, other.compass) == ("A2", "NW")
    assert other.distance_km == pytest.approx(152, abs=2)


def test_the_newest_rain_is_the_last_that_came_and_did_not_fail(issue: Issue) -> None:
    weather = issue.checked.weather
    rain = weather.get("precipitation_mm").copy()
    rain[:, -2:] = np.nan
    rain[0, -3] = 3.5
    rain[1] = np.nan
    torn = replace(issue, checked=FlaggedWeather(weather.with_values(weather.values | {"precipitation_mm": rain}), ()))
    own, other = nearest_gauges(torn, "A1")
    assert (own.rain_mm, own.at) == (3.5, NOW.replace(minute=0) - timedelta(hours=2))
    assert np.isnan(other.rain_mm)
    assert other.at is None


@pytest.mark.parametrize("source", ["simulator", "open-meteo", "replay", "replay:simulator"])
def test_where_nobody_measures_there_is_no_gauge(issue: Issue, source: str) -> None:
    assert nearest_gauges(replace(issue, forecast=replace(issue.forecast, source=source)), "A1") == ()
