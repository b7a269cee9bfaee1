"""What is not fit to learn from is refused before anything is fitted, with counts."""

from __future__ import annotations

import numpy as np
import pytest

from core.domain.forecast import DEFAULT_WINDOW
from core.domain.quality import FlaggedWeather
from core.quality.checks import check
from core.workflows.fitness import INPUTS, Needs
from core.workflows.gathering import Gathered
from tests.weather_made import weather

NEEDS = Needs(events=50, quality=0.5)


def stored(**changes: float) -> FlaggedWeather:
    """Return two weeks of good weather in which some variables are another number throughout."""
    plain = weather(hours=24 * 14)
    shape = plain.get("precipitation_mm").shape
    values = dict(plain.values)
    rng = np.random.default_rng(3)
    for name in INPUTS:
        if name not in values:
            values[name] = rng.uniform(1, 5, shape).astype(np.float32)
    for name, value in changes.items():
        values[name] = np.full(shape, value, np.float32)
    return FlaggedWeather(plain.with_values(values), ())


def cases(hourly_mm: list[float]) -> Gathered:
    n = len(hourly_mm)
    truth = np.repeat(np.array(hourly_mm, np.float32)[:, None, None], 2, axis=2)
    return Gathered(
        np.zeros((n, 3), np.float32), np.arange(n), np.zeros(n, int), truth, (DEFAULT_WINDOW,), ("a", "b", "c"), ("x",)
    )


def test_good_weather_is_fit() -> None:
    found = NEEDS.of_weather(stored())
    assert found.reasons == ()
    assert found.counts["quality"] == 1.0


def test_an_empty_archive_is_refused() -> None:
    empty = FlaggedWeather(weather(hours=48).with_values({}), ())
    found = NEEDS.of_weather(empty)
    assert found.reasons[0].startswith("empty")
    assert found.counts["station_hours"] == 0


@pytest.mark.parametrize("name", INPUTS)
def test_a_variable_that_is_all_missing_is_refused_by_name(name: str) -> None:
    found = NEEDS.of_weather(stored(**{name: np.nan}))
    assert any(reason.startswith("all missing") and name in reason for reason in found.reasons)


@pytest.mark.parametrize("name", INPUTS)
def test_a_variable_that_never_changes_is_refused_by_name(name: str) -> None:
    found = NEEDS.of_weather(stored(**{name: 3.0}))
    assert any(reason.startswith("constant") and name in reason for reason in found.reasons)


def test_what_the_settings_call_optional_may_be_missing() -> None:
    needs = Needs(optional=frozenset({"wind_gust_ms"}))
    assert needs.of_weather(stored(wind_gust_ms=np.nan)).reasons == ()


def test_too_many_gaps_are_refused_with_their_share() -> None:
    good = stored()
    values = {name: array.copy() for name, array in good.weather.values.items()}
    for array in values.values():
        array[:, 24::4] = np.nan
        array[:, 25::4] = np.nan
        array[:, 26::4] = np.nan
    found = NEEDS.of_weather(FlaggedWeather(good.weather.with_values(values), ()))
    assert found.reasons[0].startswith("quality")
    assert 0.2 < found.counts["quality"] < 0.4


def test_values_that_failed_their_checks_are_not_good_ones() -> None:
    good = stored()
    values = {name: array.copy() for name, array in good.weather.values.items()}
    values["temperature_c"][:] = 400.0 + np.arange(values["temperature_c"].shape[1])
    found = NEEDS.of_weather(check(good.weather.with_values(values), True))
    assert any("temperature_c" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("hourly_mm", "reason"),
    [
        ([], "empty"),
        ([0.0] * 500, "one class: 0 events in 500"),
        ([20.0] * 500, "one class: 500 events in 500"),
        ([20.0] * 49 + [0.0] * 451, "too few events: 49 in 500"),
    ],
)
def test_cases_that_teach_nothing_are_refused_with_counts(hourly_mm: list[float], reason: str) -> None:
    found = NEEDS.of_cases(cases(hourly_mm))
    assert found.reasons[0].startswith(reason)
    assert found.counts["cases"] == len(hourly_mm)


def test_enough_events_are_fit() -> None:
    assert NEEDS.of_cases(cases([20.0] * 50 + [0.0] * 450)).reasons == ()
