"""Values of the field: weather on its axes, exceedance curves, and forecasts as plain JSON."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from core.domain.forecast import (
    EVENTS,
    HOURLY_EVENTS,
    MINI_CLOUDBURST,
    TARGET,
    EventDefinition,
    Exceedance,
    Forecast,
    Freshness,
    RegionForecast,
    RiskLevel,
)
from core.domain.units import as_utc, floor_hour, from_datetime64, hour_axis, to_hour64, to_second64
from core.domain.weather import Flag, HourlyWeather, Location, Region

START = datetime(2026, 7, 29, 0, tzinfo=UTC)
PLACES = (Location("a", "A", 30.0, 78.0, 500.0), Location("b", "B", 31.0, 77.0))
IST = timezone(timedelta(hours=5, minutes=30))


def hour(h: float) -> datetime:
    return START + timedelta(hours=h)


def weather(**changes: Any) -> HourlyWeather:
    values = {
        "temperature_c": np.array([[1, 2, 3, 4], [5, 6, np.nan, np.nan]], np.float32),
        "precipitation_mm": np.array([[0, 0, 9, np.nan], [np.nan] * 4], np.float32),
    }
    return HourlyWeather(
        **{"locations": PLACES, "valid_at": hour_axis(START, hour(3)), "values": values, "source": "made up", **changes}
    )


# ---------------------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize("use", [as_utc, floor_hour, to_hour64, to_second64])
def test_a_time_without_a_zone_is_refused(use: Any) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        use(datetime(2026, 7, 29, 12))  # noqa: DTZ001 - this is what must be refused


def test_times_are_turned_to_utc() -> None:
    local = datetime(2026, 7, 29, 23, 50, 7, tzinfo=IST)
    assert as_utc(local).isoformat() == "2026-07-29T18:20:07+00:00"
    assert floor_hour(local).isoformat() == "2026-07-29T18:00:00+00:00"
    assert to_hour64(local) == np.datetime64("2026-07-29T18", "h")
    assert from_datetime64(to_second64(local)) == local
    assert hour_axis(local, local + timedelta(hours=2)).astype(str).tolist() == [
        "2026-07-29T18",
        "2026-07-29T19",
        "2026-07-29T20",
    ]


# -------------------------------------------------------------------------------------------------------- weather


def test_an_unknown_variable_is_refused() -> None:
    with pytest.raises(ValueError, match="'rain' is no variable"):
        weather(values={"rain": np.zeros((2, 4), np.float32)})


@pytest.mark.parametrize("shape", [(2, 3), (1, 4), (4, 2), (8,)])
def test_an_array_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="temperature_c has shape"):
        weather(values={"temperature_c": np.zeros(shape, np.float32)})


def test_available_at_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        weather(available_at=np.zeros((2, 3), "datetime64[s]"))


@pytest.mark.parametrize("hours", [[0, 1, 3, 4], [3, 2, 1, 0], [0, 0, 1, 2]])
def test_hours_with_a_gap_are_refused(hours: list[int]) -> None:
    with pytest.raises(ValueError, match="consecutive"):
        weather(valid_at=to_hour64(START) + np.array(hours))


def test_a_variable_that_the_source_lacks_is_nan_everywhere() -> None:
    found = weather().get("cape_j_kg")
    assert (found.shape, found.dtype) == ((2, 4), np.float32)
    assert np.isnan(found).all()


def test_a_window_holds_both_ends_where_they_exist() -> None:
    known = weather(available_at=np.full((2, 4), np.datetime64("2026-07-29T05", "s")))
    part = known.window(hour(1), hour(2))
    assert part.valid_at.tolist() == hour_axis(hour(1), hour(2)).tolist()
    np.testing.assert_array_equal(part.get("temperature_c"), [[2, 3], [6, np.nan]])
    assert part.available_at is not None
    assert part.available_at.shape == (2, 2)
    assert known.window(hour(-5), hour(50)).valid_at.size == 4
    assert known.window(hour(10), hour(20)).valid_at.size == 0


def test_select_takes_places_in_the_order_asked_for() -> None:
    known = weather(available_at=np.arange(8).reshape(2, 4).astype("datetime64[s]"))
    some = known.select([1, 0, 1])
    assert [p.id for p in some.locations] == ["b", "a", "b"]
    np.testing.assert_array_equal(some.get("temperature_c")[:, 0], [5, 1, 5])
    assert some.available_at is not None
    assert some.available_at.astype(int)[:, 0].tolist() == [4, 0, 4]
    assert known.select([]).get("temperature_c").shape == (0, 4)


def test_as_known_hides_hours_that_have_not_ended() -> None:
    known = weather().as_known(hour(1.5))
    np.testing.assert_array_equal(known.get("temperature_c"), [[1, 2, np.nan, np.nan], [5, 6, np.nan, np.nan]])
    np.testing.assert_array_equal(weather().as_known(hour(2)).get("precipitation_mm")[0], [0, 0, 9, np.nan])


def test_as_known_hides_values_that_came_later_than_their_hour() -> None:
    late = to_second64(START) + np.array([[0, 9000, 7200, 10800]] * 2).astype("timedelta64[s]")
    late[1, 0] = np.datetime64("NaT")  # never known
    known = weather(available_at=late).as_known(hour(2))
    np.testing.assert_array_equal(known.get("temperature_c"), [[1, np.nan, 3, np.nan], [np.nan] * 4])


def test_as_known_leaves_the_original_alone() -> None:
    whole = weather()
    whole.as_known(START)
    np.testing.assert_array_equal(whole.get("temperature_c"), weather().get("temperature_c"))


def test_last_observed_is_the_last_hour_with_any_value() -> None:
    assert weather().last_observed() == (hour(3), hour(1))
    nothing = weather(values={"temperature_c": np.full((2, 4), np.nan, np.float32)})
    assert nothing.last_observed() == (None, None)
    assert weather(values={}).last_observed() == (None, None)
    assert weather().window(hour(9), hour(9)).last_observed() == (None, None)


# ------------------------------------------------------------------------------------------------------- forecasts


@pytest.mark.parametrize(
    ("event", "key", "text"),
    [
        (TARGET, "p_15", "≥ 15 mm/h"),
        (HOURLY_EVENTS[3], "p_100", "≥ 100 mm/h"),
        (MINI_CLOUDBURST, "p_50_2h", "≥ 50 mm in 2 h"),
        (EventDefinition(7.5), "p_7.5", "≥ 7.5 mm/h"),
    ],
)
def test_an_event_has_a_key_and_words(event: EventDefinition, key: str, text: str) -> None:
    assert (event.key, event.text) == (key, text)


def test_keys_of_events_are_unique() -> None:
    assert len({e.key for e in EVENTS}) == len(EVENTS) == 5


def test_the_unknown_curve_knows_nothing() -> None:
    curve = Exceedance.unknown()
    assert curve.events == EVENTS
    assert all(math.isnan(curve.of(event)) for event in EVENTS)
    assert all(math.isnan(x) for x in (*curve.low, *curve.high))


def _forecast(place: str, p15: float, level: RiskLevel) -> Forecast:
    p = tuple(p15 / n for n in range(1, 6))
    curve = Exceedance(EVENTS, p, tuple(x / 2 for x in p), tuple(x * 1.5 for x in p), frozenset({HOURLY_EVENTS[3]}))
    known = Exceedance.unknown() if math.isnan(p15) else curve
    return Forecast(place, hour(18.3), hour(18), 6, known, level, "v", Flag.PASS, Freshness.FRESH, hour(18), ("why",))


def issue(**changes: Any) -> RegionForecast:
    forecasts = (
        _forecast("a", math.nan, RiskLevel.UNKNOWN),
        _forecast("b", 0.1, RiskLevel.YELLOW),
        _forecast("c", 0.5, RiskLevel.RED),
    )
    given = {"region": Region("r", "R", "UTC", PLACES), "issued_at": hour(18.3), "valid_from": hour(18)}
    data: dict[str, Any] = {
        "source": "simulator",
        "model_version": "v",
        "model_source": "gauges",
        "freshness": Freshness.FRESH,
    }
    data["model_is_seed"] = False
    return RegionForecast(**{**given, **data, "forecasts": forecasts, "data_at": hour(18), **changes})


def test_a_forecast_is_strict_json_and_unknown_numbers_are_null() -> None:
    told = json.loads(json.dumps(issue().as_dict(hour(19)), allow_nan=False))
    unknown, known, _ = told["forecasts"]
    assert {unknown["exceedance"][e.key][n] for e in EVENTS for n in ("probability", "low", "high")} == {None}
    assert known["exceedance"]["p_15"] == {
        "event": "≥ 15 mm/h",
        "window": "0 to 6 h",
        "probability": 0.1,
        "low": 0.05,
        "high": pytest.approx(0.15),
        "extrapolated": False,
        "no_skill_beyond_climatology": False,
        "base_rate": None,
    }
    assert known["exceedance"]["p_100"]["extrapolated"] is True
    assert (told["data_age_s"], told["data_at"]) == (3600, "2026-07-29T18:00:00+00:00")
    assert (known["level"], known["freshness"], known["worst_flag"]) == ("yellow", "fresh", "PASS")


def test_a_forecast_without_data_is_strict_json_too() -> None:
    bare = replace(issue().forecasts[0], data_at=None, model_version=None, freshness=Freshness.NO_DATA)
    told = issue(data_at=None, model_version=None, freshness=Freshness.NO_DATA, forecasts=(bare,)).as_dict(hour(19))
    assert (told["data_at"], told["data_age_s"], told["model_version"]) == (None, None, None)
    assert json.loads(json.dumps(told, allow_nan=False))["forecasts"][0]["data_at"] is None


@pytest.mark.parametrize(
    ("source", "season_day", "text"),
    [("simulator", 210, "Simulated: 29 July"), ("simulator", None, "Simulated"), ("gauges", None, "gauges")],
)
def test_the_source_says_what_it_plays(source: str, season_day: int | None, text: str) -> None:
    told = issue(source=source, season_day=season_day)
    assert told.source_text == told.as_dict(hour(19))["source_text"] == text
    assert told.simulated is (source == "simulator")


def test_a_region_is_asked_for_its_places() -> None:
    region = issue()
    assert [f.location_id for f in region.ranked()] == ["c", "b", "a"]  # what is not known comes last
    assert region.of("b") is region.forecasts[1]
    assert region.of("nowhere") is None
    np.testing.assert_array_equal(region.probabilities(TARGET), [np.nan, 0.1, 0.5])
    counts = {RiskLevel.GREEN: 0, RiskLevel.YELLOW: 1, RiskLevel.ORANGE: 0, RiskLevel.RED: 1, RiskLevel.UNKNOWN: 1}
    assert region.counts() == counts
    assert region.version != replace(region, freshness=Freshness.STALE).version
