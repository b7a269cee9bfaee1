"""The live source: what it makes of the answers, and what it says of when they could be known."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.adapters.open_meteo.answers import hours_of, parse
from core.adapters.open_meteo.budget import Budget
from core.adapters.open_meteo.contract import NAMES, Endpoint, Query
from core.domain.weather import Location
from core.errors import SourceRateLimited, SourceResponseInvalid
from tests.adapters.open_meteo_made import HOUR, NOW, Clock, Service, many, source
from tests.faults.source.server import good, made_values
from tests.weather_made import PLACES, REGION

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "open_meteo"


def test_hours_come_on_the_axis_asked_for_with_the_values_of_the_service() -> None:
    weather = source().hours(REGION, NOW - 30 * HOUR, NOW)
    assert (weather.source, len(weather.valid_at), weather.locations) == ("open-meteo", 31, PLACES)
    for row, place in enumerate(PLACES):
        for variable, (name, _) in NAMES.items():
            expected = made_values(name, place.latitude, place.longitude, weather.valid_at)
            assert weather.values[variable][row].tolist() == np.float32(expected).tolist()


def test_hours_after_the_clock_are_no_observations() -> None:
    weather = source().hours(REGION, NOW - 5 * HOUR, NOW + 20 * HOUR)
    assert weather.observed().sum(axis=1).tolist() == [6, 6, 6]
    assert weather.last_observed()[0] == NOW.replace(minute=0)
    assert not source().hours(REGION, NOW + HOUR, NOW + 5 * HOUR).observed().any()


def test_coming_hours_are_given_as_forecast_fields() -> None:
    fields = source().forecast_fields(REGION, NOW, NOW + 20 * HOUR)
    assert fields.observed().all()
    assert (fields.available_at == np.datetime64("2026-07-29T18", "s")).all()


def test_a_value_is_known_six_hours_after_its_hour_or_when_it_was_fetched() -> None:
    weather = source().hours(REGION, NOW - 30 * HOUR, NOW)
    assert weather.available_at is not None
    late = (weather.available_at[0] - weather.valid_at).astype("timedelta64[h]").astype(int)
    assert late.tolist() == [6] * 25 + [5, 4, 3, 2, 1, 0]
    assert weather.as_known(NOW).observed().all()
    assert not weather.as_known(NOW - 10 * HOUR).observed()[:, -15:].any()


def test_reanalysis_is_known_five_days_later_and_lacks_three_variables() -> None:
    start = datetime(2021, 7, 1, tzinfo=UTC)
    weather = source().hours(REGION, start, start + 5 * HOUR)
    assert weather.available_at is not None
    assert ((weather.available_at - weather.valid_at).astype("timedelta64[h]").astype(int) == 120).all()
    assert np.isnan(weather.values["cape_j_kg"]).all()
    assert np.isfinite(weather.values["precipitation_mm"]).all()


def test_a_previous_run_is_known_before_its_hours() -> None:
    service = Service()
    start = NOW - 50 * HOUR
    weather = source(service).previous_run(REGION, start, NOW, 2)
    assert "temperature_2m_previous_day2" in service.asked[0].params["hourly"]
    assert service.asked[0].host == "previous-runs-api.open-meteo.com"
    assert weather.available_at is not None
    assert (weather.available_at[0, 0] - weather.valid_at[0]).astype("timedelta64[h]").astype(int) == 6 - 48
    assert weather.observed().all()
    with pytest.raises(ValueError, match="days_before"):
        source().previous_run(REGION, start, NOW, 8)


def test_a_window_over_two_endpoints_is_put_together() -> None:
    service = Service()
    start = datetime(2021, 12, 31, 20, tzinfo=UTC)
    weather = source(service).hours(REGION, start, start + 9 * HOUR)
    assert [url.host.partition(".")[0] for url in service.asked] == ["archive-api", "historical-forecast-api"]
    assert np.isfinite(weather.values["temperature_c"]).all()
    assert np.isfinite(weather.values["cape_j_kg"]).sum(axis=1).tolist() == [6, 6, 6]


def test_a_region_of_many_places_is_put_together() -> None:
    service, region = Service(), many(130)
    weather = source(service, region=region).hours(region, NOW - 2 * HOUR, NOW)
    assert len(service.asked) == 3
    last = region.locations[-1]
    truth = made_values("temperature_2m", last.latitude, last.longitude, weather.valid_at)
    assert weather.values["temperature_c"][-1].tolist() == np.float32(truth).tolist()


def test_backfill_without_patience_says_when_to_come_back() -> None:
    clock = Clock()
    live = source(Service(), clock, budget=Budget(clock, {"day": (24 * HOUR, 1.0)}))
    with pytest.raises(SourceRateLimited) as caught:
        next(live.backfill(REGION, NOW - 900 * HOUR, NOW))
    assert caught.value.retry_after_s > 0


def test_a_null_is_missing_and_nothing_else() -> None:
    def holes(document: Any) -> Any:
        document[1]["hourly"]["precipitation"][40:] = [None] * len(document[1]["hourly"]["precipitation"][40:])
        document[2]["hourly"]["temperature_2m"] = [None] * len(document[2]["hourly"]["time"])
        return document

    weather = source(Service(holes)).hours(REGION, NOW - 5 * HOUR, NOW)
    assert np.isnan(weather.values["precipitation_mm"]).sum(axis=1).tolist() == [0, 6, 0]
    assert np.isnan(weather.values["temperature_c"]).sum(axis=1).tolist() == [0, 0, 6]


def test_a_variable_that_no_model_has_is_missing() -> None:
    def without(document: Any) -> Any:
        for place in document:
            place["hourly_units"]["cape"] = "undefined"
            place["hourly"]["cape"] = [None] * len(place["hourly"]["time"])
        return document

    assert np.isnan(source(Service(without)).hours(REGION, NOW, NOW).values["cape_j_kg"]).all()


@pytest.mark.parametrize(
    "names", [["temperature_2m"], ["precipitation"], ["surface_pressure", "pressure_msl"],
              ["relative_humidity_2m", "dew_point_2m"]])  # fmt: skip
def test_an_answer_without_any_value_of_the_necessary_is_refused(names: list[str]) -> None:
    def null(document: Any) -> Any:
        for place in document:
            place["hourly"].update({name: [None] * len(place["hourly"]["time"]) for name in names})
        return document

    with pytest.raises(SourceResponseInvalid, match="no value of"):
        source(Service(null)).hours(REGION, NOW, NOW)


def test_new_fields_are_counted_and_not_minded() -> None:
    def newer(document: Any) -> Any:
        document[0]["model_run"] = "2026-07-29T12:00"
        document[0]["hourly"]["snow_depth"] = ["deep"]
        return document

    live = source(Service(newer))
    live.hours(REGION, NOW, NOW)
    assert (live.stats["extra_fields"], live.stats["answers"], live.stats["calls"]) == (2, 1, 1)


def test_places_across_the_date_line_are_near_each_other() -> None:
    far = Location("d", "Date line", 10.0, 179.97)
    query = Query(Endpoint.FORECAST, (far,), NOW.date(), NOW.date())
    document = good(query.params)
    document["longitude"] = -179.95
    assert np.isfinite(parse(json.dumps(document).encode(), query).values["temperature_c"]).all()


# The day on which clocks change in Europe, in North America and nowhere in UTC; a leap day; the turn of a year.
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-03-08", "2024-02-29", "2025-12-31"])
def test_every_utc_day_has_24_hours(day: str) -> None:
    begin = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    weather = source(clock=Clock(begin + timedelta(days=400))).hours(REGION, begin, begin + 23 * HOUR)
    assert np.isfinite(weather.values["temperature_c"]).sum(axis=1).tolist() == [24, 24, 24]


@pytest.mark.data
@pytest.mark.parametrize("file", ["vinea/open_meteo_forecast.json", "vinea/open_meteo_archive.json"])
def test_a_recorded_answer_in_utc_is_taken_and_in_local_time_refused(file: str) -> None:
    if not (RECORDED / file).is_file():
        pytest.skip("no recorded answers beside the project")
    document = json.loads((RECORDED / file).read_text("utf-8"))
    place = Location("adelaide", "Adelaide", document["latitude"], document["longitude"])
    axis = hours_of(document["hourly"]["time"])
    days = axis[[0, -1]].astype("datetime64[D]").tolist()
    query = Query(Endpoint.ARCHIVE, (place,), *days)
    with pytest.raises(SourceResponseInvalid, match="not in UTC"):  # as recorded: utc_offset_seconds is 34200
        parse(json.dumps(document).encode(), query)
    document |= {"utc_offset_seconds": 0, "timezone": "GMT"}
    with pytest.raises(SourceResponseInvalid, match="lacks dew_point_2m"):
        parse(json.dumps(document).encode(), query)
    # What was not recorded is filled in by the nulls of a service that has no such model.
    for wanted in query.names.values():
        if wanted not in document["hourly"]:
            document["hourly"][wanted] = [None] * len(axis)
            document["hourly_units"][wanted] = "undefined"
    pressure = [1012.5] * len(axis)
    document["hourly"]["pressure_msl"], document["hourly_units"]["pressure_msl"] = pressure, "hPa"
    batch = parse(json.dumps(document).encode(), query)
    recorded = {
        "temperature_c": "temperature_2m",
        "precipitation_mm": "precipitation",
        "wind_speed_ms": "wind_speed_10m",
    }
    for variable, name in recorded.items():
        expected = np.array(document["hourly"][name], np.float32)
        assert np.array_equal(batch.values[variable][0], expected, equal_nan=True)


@pytest.mark.data
def test_a_recorded_answer_in_fahrenheit_and_inches_is_refused() -> None:
    path = RECORDED / "linecast" / "open_meteo_forecast.json"
    if not path.is_file():
        pytest.skip("no recorded answers beside the project")
    document = json.loads(path.read_text("utf-8")) | {"utc_offset_seconds": 0, "timezone": "GMT"}
    place = Location("toronto", "Toronto", 43.70, -79.40)
    days = hours_of(document["hourly"]["time"])[[0, -1]].astype("datetime64[D]").tolist()
    with pytest.raises(SourceResponseInvalid, match="temperature_2m in another unit"):
        parse(json.dumps(document).encode(), Query(Endpoint.FORECAST, (place,), *days))


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("linecast/open_meteo_forecast.json", "not in UTC"),
        ("php/forecast.json", "not in UTC"),
        ("php/historical.json", "not in UTC"),
        ("php/ensemble.json", "not in UTC"),
        ("php/elevation.json", "does not say for which place"),
    ],
)
def test_other_recorded_answers_are_refused_for_what_is_wrong_with_them(file: str, says: str) -> None:
    if not (RECORDED / file).is_file():
        pytest.skip("no recorded answers beside the project")
    body = (RECORDED / file).read_bytes()
    document = json.loads(body)
    place = Location("there", "There", document.get("latitude", 52.4), document.get("longitude", 4.9))
    with pytest.raises(SourceResponseInvalid, match=says):
        parse(body, Query(Endpoint.FORECAST, (place,), NOW.date(), NOW.date()))


# A server that answers in a zone with summer time gives 23 or 25 hours on the day of the change.
@pytest.mark.parametrize(("day", "change"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_the_day_of_a_clock_change_in_local_time_is_refused(day: str, change: int) -> None:
    def local(document: Any) -> Any:
        for place in document:
            for name, column in place["hourly"].items():
                at = 2 + place["hourly"]["time"].index(f"{day}T00:00") if name == "time" else 2
                if change == 25:
                    column.insert(at, column[at])
                else:
                    del column[at]
        return document

    begin = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    with pytest.raises(SourceResponseInvalid, match="hours"):
        source(Service(local), Clock(begin + timedelta(days=2))).hours(REGION, begin, begin + 23 * HOUR)
