"""Members of an ensemble from the ensemble API: checked like every answer, thinned, kept, and within the budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.adapters.maps import load_region
from core.adapters.open_meteo.budget import Budget
from core.adapters.open_meteo.client import OpenMeteoClient
from core.adapters.open_meteo.contract import IN_ENSEMBLES, Endpoint, Query
from core.adapters.open_meteo.ensembles import ENSEMBLES, KEPT, MOST_PLACES, EnsembleForecasts, thinned
from core.domain.weather import Location
from core.errors import SourceRateLimited, SourceResponseInvalid, SourceUnavailable
from core.features import fields as model_fields
from core.ports import EnsembleSource
from tests.adapters.open_meteo_made import HOUR, NOW, Clock, Service
from tests.faults.source.server import failure, made_values, places_of, serving
from tests.weather_made import PLACES, REGION

ROOT = Path(__file__).resolve().parents[2]
#: Two of the three places lie in squares of their own.
APART = replace(REGION, locations=(PLACES[0], PLACES[1], Location("d", "Delta", 31.4, 79.4, 900.0)))
MODEL = "gem_global"
SIZE = ENSEMBLES[MODEL]


def ensemble(service: Any = None, clock: Clock | None = None, model: str = MODEL, **how: Any) -> EnsembleForecasts:
    clock = clock or Clock()
    client = OpenMeteoClient(clock, transport=service or Service(), wait=lambda _: None, **how)
    return EnsembleForecasts(client, clock, model)


def test_every_member_of_every_place_has_its_own_hours() -> None:
    source = ensemble()
    assert isinstance(source, EnsembleSource)
    found = source.members(APART, NOW - 3 * HOUR, NOW + 20 * HOUR)
    assert found.locations == APART.locations * SIZE
    assert set(found.values) == set(IN_ENSEMBLES)
    speakers, spoken_by = thinned(APART.locations)
    for member, name in (
        (0, "precipitation"),
        (1, "precipitation_member01"),
        (SIZE - 1, f"precipitation_member{SIZE - 1}"),
    ):
        for i in range(len(APART.locations)):
            place = APART.locations[speakers[spoken_by[i]]]
            said = made_values(name, round(place.latitude, 4), round(place.longitude, 4), found.valid_at)
            row = found.get("precipitation_mm")[member * len(APART.locations) + i]
            np.testing.assert_allclose(row, said, atol=1e-6)
    assert found.available_at is not None
    assert (found.available_at == np.datetime64("2026-07-29T18:00")).all()  # NOW is 18:20


def test_fields_are_the_mean_of_the_members() -> None:
    source = ensemble()
    members = source.members(APART, NOW, NOW + 20 * HOUR).get("cape_j_kg").reshape(SIZE, 3, -1)
    found = source.fields(APART, NOW, NOW + 20 * HOUR)
    assert found.locations == APART.locations
    np.testing.assert_allclose(found.get("cape_j_kg"), members.mean(axis=0), rtol=1e-6)


def test_a_mean_leaves_out_what_is_missing_and_is_missing_where_all_is() -> None:
    found = ensemble().members(APART, NOW, NOW + 2 * HOUR)
    rain = found.values["precipitation_mm"]
    rain[3:, 1] = np.nan
    rain[0, 1] = 7.0
    rain[1::3, 0] = np.nan
    mean = found.mean_of_members(SIZE).get("precipitation_mm")
    assert mean[0, 1] == 7.0 and np.isnan(mean[1, 0]) and np.isfinite(mean[0, 0])


def test_one_place_of_a_square_is_asked_and_speaks_for_all() -> None:
    region = load_region(ROOT / "data/regions/uttarakhand-himachal.toml", ROOT / "data/maps", 0.25)
    speakers, spoken_by = thinned(region.locations)
    assert len(set(speakers.tolist())) == len(speakers) < len(region.locations) / 2
    for i, place in enumerate(region.locations):
        other = region.locations[speakers[spoken_by[i]]]
        assert abs(place.latitude - other.latitude) <= 0.5 and abs(place.longitude - other.longitude) <= 0.5
    assert [spoken_by[s] for s in speakers.tolist()] == list(range(len(speakers)))
    service = Service()
    ensemble(service).members(region, NOW, NOW + HOUR)
    asked = [len(url.params["latitude"].split(",")) for url in service.asked]
    assert sum(asked) == len(speakers) and max(asked) <= MOST_PLACES


def test_a_request_names_the_ensemble_and_weighs_its_members() -> None:
    service = Service()
    source = ensemble(service)
    source.members(APART, NOW, NOW + HOUR)
    (url,) = service.asked
    assert (url.host, url.path, url.params["models"]) == ("ensemble-api.open-meteo.com", "/v1/ensemble", MODEL)
    assert url.params["hourly"].split(",") == ["cape", "precipitation", "freezing_level_height"]
    query = Query(Endpoint.ENSEMBLE, PLACES, date(2026, 7, 28), date(2026, 7, 31), None, "ecmwf_ifs025", 51)
    assert query.weight == pytest.approx(3 * 3 * 51 / 10)


def test_an_answer_is_kept_for_some_hours() -> None:
    service, clock = Service(), Clock()
    source = ensemble(service, clock)
    for later in (timedelta(0), KEPT / 2, KEPT - timedelta(minutes=1)):
        clock.now = NOW + later
        source.members(APART, clock.now, clock.now + 24 * HOUR)
    assert len(service.asked) == 1
    source.members(REGION, clock.now, clock.now + HOUR)  # other places
    assert len(service.asked) == 2
    clock.now = NOW + 2 * KEPT
    found = source.members(REGION, clock.now - HOUR, clock.now + model_fields.REACH_H * HOUR)
    assert len(service.asked) == 3
    assert all(np.isfinite(array).all() for array in found.values.values())


def changed(name: str, value: Any) -> Callable[[Any], Any]:
    def change(document: Any) -> Any:
        for place in places_of(document):
            if value is None:
                place["hourly"].pop(name)
            else:
                place["hourly"][name] = [value] * len(place["hourly"]["time"])
        return document

    return change


def test_a_member_that_is_missing_or_nonsense_spoils_the_answer() -> None:
    for value in (None, "much"):
        with pytest.raises(SourceResponseInvalid, match="precipitation_member07"):
            ensemble(Service(changed("precipitation_member07", value))).members(APART, NOW, NOW + HOUR)


def test_a_variable_that_an_ensemble_lacks_is_missing_and_no_more() -> None:
    def lacking(document: Any) -> Any:
        for place in places_of(document):
            for name in [name for name in place["hourly"] if name.startswith("freezing_level")]:
                place["hourly"][name] = [None] * len(place["hourly"]["time"])
                place["hourly_units"][name] = "undefined"
        return document

    found = ensemble(Service(lacking)).members(APART, NOW, NOW + HOUR)
    assert np.isnan(found.get("freezing_level_m")).all() and np.isfinite(found.get("precipitation_mm")).all()


def test_without_rain_it_is_no_answer() -> None:
    def dry(document: Any) -> Any:
        for place in places_of(document):
            for name in [name for name in place["hourly"] if name.startswith("precipitation")]:
                place["hourly"][name] = [None] * len(place["hourly"]["time"])
        return document

    with pytest.raises(SourceResponseInvalid, match="precipitation_mm"):
        ensemble(Service(dry)).members(APART, NOW, NOW + HOUR)


def test_it_keeps_to_the_budget_and_a_failure_is_no_weather() -> None:
    clock = Clock()
    budget = Budget(clock, {"day": (24 * HOUR, 5.0)})
    with pytest.raises(SourceRateLimited):
        ensemble(clock=clock, budget=budget).members(APART, NOW, NOW + HOUR)
    with serving(failure(503)) as server, pytest.raises(SourceUnavailable):
        ensemble_at = OpenMeteoClient(clock, base_url=server.url, wait=lambda _: None)
        EnsembleForecasts(ensemble_at, clock, MODEL).members(APART, NOW, NOW + HOUR)


def test_ensembles_and_their_members_belong_together() -> None:
    day = date(2026, 7, 29)
    for endpoint, model, members in (
        (Endpoint.FORECAST, MODEL, SIZE),
        (Endpoint.ENSEMBLE, "", 1),
        (Endpoint.ENSEMBLE, MODEL, 1),
        (Endpoint.FORECAST, "", 2),
    ):
        with pytest.raises(ValueError, match="members"):
            Query(endpoint, PLACES, day, day, None, model, members)
