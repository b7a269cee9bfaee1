"""The feature table: nothing looks ahead, nothing missing becomes a zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from core.domain.units import hour_axis
from core.domain.weather import VARIABLES, HourlyWeather, Location
from core.features import surroundings, table

START = datetime(2023, 6, 1, tzinfo=UTC)
PLACES = (
    Location("n", "North", 30.1, 78.2, 500.0),
    Location("s", "South", -30.1, 78.2, 500.0),
    Location("e", "Elsewhere", 12.9, -45.0),
)
USED = (
    "temperature_c",
    "dew_point_c",
    "relative_humidity_pct",
    "surface_pressure_hpa",
    "wind_speed_ms",
    "wind_direction_deg",
    "wind_gust_ms",
    "precipitation_mm",
)
CENTRE = {"temperature_c": 22, "dew_point_c": 15, "surface_pressure_hpa": 950, "precipitation_mm": 3}


def _weather(hours: int = 420, start: datetime = START, missing: float = 0.1, seed: int = 4) -> HourlyWeather:
    rng = np.random.default_rng(seed)
    values = {}
    for name in USED:
        array = CENTRE.get(name, 40) + rng.normal(0, 2, (len(PLACES), hours))
        if name == "precipitation_mm":
            array = np.where(rng.random(array.shape) < 0.7, 0.0, np.abs(array))
        array[rng.random(array.shape) < missing] = np.nan
        values[name] = array.astype(np.float32)
    return HourlyWeather(PLACES, hour_axis(start, start + timedelta(hours=hours - 1)), values, "made up")


def _column(built: table.FeatureTable, name: str) -> np.ndarray:
    return built.values[..., built.names.index(name)]


@pytest.mark.parametrize("hour", [0, 1, 5, 23, 24, 100, 250, 380, 418])
@pytest.mark.parametrize("how", ["other values", "missing"])
def test_features_never_look_ahead(hour: int, how: str) -> None:
    weather = _weather()
    other = _weather(seed=99, missing=0.5)
    changed = {}
    for name, array in weather.values.items():
        changed[name] = array.copy()
        changed[name][:, hour + 1 :] = other.values[name][:, hour + 1 :] if how == "other values" else np.nan
    before, after = table.build(weather).values, table.build(weather.with_values(changed)).values
    np.testing.assert_array_equal(before[:, : hour + 1], after[:, : hour + 1])
    assert not np.array_equal(before[:, hour + 1 :], after[:, hour + 1 :], equal_nan=True)


def test_the_place_of_a_row_does_not_matter() -> None:
    weather = _weather()
    alone = table.build(weather.select([1])).values[0]
    np.testing.assert_array_equal(table.build(weather).values[1], alone)


def test_lookback_is_the_farthest_look_back() -> None:
    weather = _weather(hours=800)
    last = 799
    other = _weather(hours=800, seed=98)
    changed = {n: a.copy() for n, a in weather.values.items()}
    for name, array in changed.items():
        array[:, : last - table.LOOKBACK_H] = other.values[name][:, : last - table.LOOKBACK_H]
    before = table.build(weather).values[:, last]
    np.testing.assert_allclose(table.build(weather.with_values(changed)).values[:, last], before, rtol=1e-4, atol=1e-4)


def test_weather_cut_to_the_lookback_serves_the_features_of_the_whole_archive() -> None:
    weather = _weather(hours=800)
    end = START + timedelta(hours=799)
    served = table.build(weather.window(end - timedelta(hours=table.LOOKBACK_H), end)).values[:, -1]
    np.testing.assert_allclose(served, table.build(weather).values[:, -1], rtol=1e-4, atol=1e-4)


def test_lookback_is_no_longer_than_it_must_be() -> None:
    weather = _weather(hours=800, missing=0.0)
    changed = {n: a.copy() for n, a in weather.values.items()}
    changed["surface_pressure_hpa"][:, 799 - table.LOOKBACK_H + 1] += 400
    before, after = table.build(weather), table.build(weather.with_values(changed))
    found = _column(after, "pressure_anomaly_hpa")[:, -1] - _column(before, "pressure_anomaly_hpa")[:, -1]
    np.testing.assert_allclose(found, -400 / table.LOOKBACK_H, rtol=1e-3)


@pytest.mark.parametrize("hours", [slice(400, 401), slice(-6, None), slice(0, 3)])
def test_the_features_of_some_hours_are_those_of_all_hours(hours: slice) -> None:
    weather = _weather()
    some, every = table.build(weather, hours=hours), table.build(weather)
    assert some.names == every.names
    np.testing.assert_array_equal(some.values, every.values[:, hours])
    assert some.values.nbytes < every.values.nbytes / 50


def test_names_are_unique_and_every_feature_has_one() -> None:
    weather = _weather(hours=30)
    built = table.build(weather)
    assert len(set(built.names)) == len(built.names) == built.values.shape[-1]
    own = sum(len(group(weather)) for group in table.GROUPS)
    assert own + len(surroundings.build(weather)) == len(built.names)
    assert built.values.dtype == np.float32
    assert built.values.shape[:2] == (3, 30)


def test_names_do_not_depend_on_what_the_source_has() -> None:
    weather = _weather(hours=30)
    assert table.build(weather.with_values({})).names == table.build(weather).names


@pytest.mark.parametrize("absent", USED)
def test_a_variable_that_is_missing_gives_nan_columns_and_never_zeros(absent: str) -> None:
    weather = _weather(missing=0.0)
    full = table.build(weather)
    without = table.build(weather.with_values({n: a for n, a in weather.values.items() if n != absent}))
    touched = [
        name for name in full.names if not np.array_equal(_column(full, name), _column(without, name), equal_nan=True)
    ]
    assert touched
    for name in touched:
        assert np.isnan(_column(without, name)).all(), name


def test_without_any_weather_only_place_and_time_are_known() -> None:
    built = table.build(_weather(hours=30).with_values({}))
    known = {name for name in built.names if np.isfinite(_column(built, name)[0]).all()}
    place = {"elevation_m", "latitude_abs_deg", "latitude_deg", "longitude_deg", "nearest_neighbour_km"}
    assert known == place | {"solar_hour_sin", "solar_hour_cos", "season_sin", "season_cos"}
    assert np.isnan(_column(built, "elevation_m")[2]).all()


def test_variables_without_a_feature_change_nothing() -> None:
    weather = _weather(hours=30)
    unused = {n: np.ones((3, 30), np.float32) for n in VARIABLES if n not in USED}
    np.testing.assert_array_equal(
        table.build(weather.with_values({**weather.values, **unused})).values, table.build(weather).values
    )


def test_the_season_turns_by_half_a_year_south_of_the_equator() -> None:
    built = table.build(_weather(hours=30))
    for name in ("season_sin", "season_cos"):
        north, south, tropics = _column(built, name)
        np.testing.assert_allclose(south, -north, atol=1e-6)
        np.testing.assert_allclose(tropics, north, atol=1e-6)
    assert _column(built, "latitude_abs_deg")[0, 0] == _column(built, "latitude_abs_deg")[1, 0]


def test_the_season_goes_round_in_a_year() -> None:
    winter, half = (table.build(_weather(hours=1, start=datetime(2023, m, d, tzinfo=UTC))) for m, d in ((1, 1), (7, 2)))
    assert _column(winter, "season_cos")[0, 0] == pytest.approx(1.0, abs=1e-4)
    assert _column(half, "season_cos")[0, 0] == pytest.approx(-1.0, abs=1e-3)


def test_the_season_of_the_simulator_stands_still() -> None:
    summer, winter = (
        table.build(replace(_weather(hours=30, start=datetime(2023, month, 1, tzinfo=UTC)), season_day=210))
        for month in (7, 1)
    )
    for name in ("season_sin", "season_cos"):
        assert np.unique(_column(summer, name)[0]).size == 1
        np.testing.assert_array_equal(_column(summer, name), _column(winter, name))


def test_the_simulators_29th_of_july_is_the_calendars() -> None:
    calendar = _weather(hours=1, start=datetime(2023, 7, 29, tzinfo=UTC))
    simulated = replace(calendar, season_day=210)  # RegionForecast.source_text reads it as 29 July
    np.testing.assert_array_equal(
        _column(table.build(simulated), "season_sin"), _column(table.build(calendar), "season_sin")
    )


def test_the_solar_hour_follows_the_longitude() -> None:
    built = table.build(_weather(hours=24, start=datetime(2023, 3, 1, tzinfo=UTC)))
    noon = [int(np.argmin(row)) for row in _column(built, "solar_hour_cos")]
    # 78.2° east is 5 h 13 min before Greenwich: solar noon at 6:47 UTC; 45° west is three hours after it.
    assert noon == [7, 7, 15]


def test_rows_come_in_the_order_of_the_mask() -> None:
    built = table.build(_weather(hours=30))
    where = np.zeros((3, 30), bool)
    where[1, 3] = where[0, 9] = where[2, 29] = True
    np.testing.assert_array_equal(built.rows(where), built.values[[0, 1, 2], [9, 3, 29]])
