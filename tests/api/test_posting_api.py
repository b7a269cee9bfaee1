"""POST /predict and POST /observations: what is handed in is checked, forecast from, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.app import api
from core import open_core
from core.domain.units import floor_hour
from core.workflows.posting import POSTED
from tests.weather_posted import record as posted

TOKEN = "a token of this test"  # noqa: S105 - it opens nothing
BEARER = {"Authorization": f"Bearer {TOKEN}"}
DRY = {"temperature_c": 20.0, "relative_humidity_pct": 40.0, "precipitation_mm": 0.0}
WET = {"temperature_c": 22.0, "relative_humidity_pct": 99.0, "precipitation_mm": 14.0}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("CLOUDBURST_ADMIN_TOKEN", TOKEN)
    monkeypatch.setenv("CLOUDBURST_GRID_SPACING_DEG", "1.0")
    yield TestClient(api, raise_server_exceptions=False)


def hour(before: int = 0) -> datetime:
    return floor_hour(open_core().clock()) - timedelta(hours=before)


def point() -> dict[str, float]:
    place = open_core().regions()[0].locations[5]
    return {"latitude": place.latitude, "longitude": place.longitude}


def record(at: datetime, **other: Any) -> dict[str, Any]:
    """Return an ordinary hour of the monsoon, changed in some values."""
    return posted(dew_point_c=..., latitude=..., longitude=..., elevation_m=..., valid_at=at.isoformat(), **other)


def series(hours: int, newest: int = 0, **other: Any) -> list[dict[str, Any]]:
    """Return so many hours whose values waver as weather does, the newest so many hours ago."""
    chance = np.random.default_rng(3).normal(size=hours)
    warm = other.pop("temperature_c", DRY["temperature_c"])
    return [
        record(hour(i + newest), temperature_c=warm + round(0.4 * float(chance[i]), 2), **other) for i in range(hours)
    ]


def predict(client: TestClient, **asked: Any) -> Any:
    return client.post("/predict", json={**point(), **asked})


# From a series


def test_a_wet_series_is_more_dangerous_than_a_dry_one_and_both_say_what_they_are_of(client: TestClient) -> None:
    dry, wet = (predict(client, observations=series(72, **kind)).json() for kind in (DRY, WET))
    assert wet["probability"] > 2 * dry["probability"] > 0
    for said in (dry, wet):
        assert (said["freshness"], said["source"], said["simulated"]) == ("fresh", POSTED, False)
        assert said["data_at"] == hour().isoformat().replace("+00:00", "Z")
        assert 0 <= said["data_age_s"] < 3600
        assert said["model_version"] == open_core().store.seed
        assert said["variant"] is None
        assert said["exceedance"]["p_15"]["probability"] == said["probability"]


def test_what_the_checks_refuse_is_not_forecast_from(client: TestClient) -> None:
    hours = series(72)
    hours[0] = record(hour(), precipitation_mm=900.0)
    said = predict(client, observations=hours).json()
    assert said["data_at"] == hour(1).isoformat().replace("+00:00", "Z")  # the newest hour of use is the one before
    everything = predict(client, observations=series(72, precipitation_mm=900.0)).json()
    assert (everything["probability"], everything["risk_level"]) == (None, "unknown")


def test_a_number_beyond_all_reason_fails_and_does_not_vanish(client: TestClient) -> None:
    client.post("/observations", json={**record(hour(), temperature_c=1e300), **point()}, headers=BEARER)
    assert stored().get("temperature_c")[5, -1] == np.float32(1e30)
    said = predict(client, observations=[record(hour(), temperature_c=1e300)]).json()
    assert any("temperature_c" in reason for reason in said["reasons"])


def test_an_old_series_gives_no_level(client: TestClient) -> None:
    said = predict(client, observations=series(24, newest=8)).json()
    assert (said["risk_level"], said["freshness"], said["probability"]) == ("unknown", "no data", None)
    assert any("too old" in problem for problem in said["problems"])


def test_hours_that_a_forecast_does_not_look_back_on_are_named(client: TestClient) -> None:
    far = record(hour(24 * 20))
    said = predict(client, observations=[*series(48), far]).json()
    assert any(problem.startswith("1 hours lie before") for problem in said["problems"])
    assert said["probability"] == pytest.approx(predict(client, observations=series(48)).json()["probability"])


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"valid_at": None}, "no valid_at"),
        ({"valid_at": "2026-07-01T10:30Z"}, "not of a full hour"),
        ({"valid_at": "2999-07-01T10:00Z"}, "not over"),
        ({"temperature_c": "20"}, "1 field does not fit"),
        ({"precipitation_mm": None}, "1 field does not fit"),
    ],
)
def test_a_record_that_cannot_be_used_is_refused_and_named(
    client: TestClient, changed: dict[str, Any], says: str
) -> None:
    answer = predict(client, observations=[{**record(hour()), **changed}])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]


def test_records_of_two_months_are_refused(client: TestClient) -> None:
    answer = predict(client, observations=[record(hour()), record(hour(24 * 40))])
    assert answer.status_code == 422
    assert "span" in answer.json()["detail"]


# From features


def features_of(client: TestClient) -> dict[str, float | None]:
    """Return the features that the house itself forecasts this place from now."""
    core = open_core()
    issue = core.issue(core.default_region)
    names = client.get("/model/features").json()["feature_names"]
    assert issue.situation is not None
    row = issue.situation.rows[5]
    return {
        name: None if np.isnan(value) else float(value) for name, value in zip(names, row[: len(names)], strict=True)
    }


def test_the_features_of_the_house_give_its_own_forecast(client: TestClient) -> None:
    said = predict(client, features=features_of(client)).json()
    live = client.post("/predict/live", json=point()).json()
    for event, told in live["exceedance"].items():
        assert said["exceedance"][event]["probability"] == pytest.approx(told["probability"], rel=1e-6)
    assert (said["freshness"], said["worst_flag"], said["data_age_s"]) == ("no data", "NOT_EVALUATED", None)
    assert said["risk_level"] == live["risk_level"]
    assert any("no check has seen them" in problem for problem in said["problems"])


def test_a_missing_feature_is_missing_and_said(client: TestClient) -> None:
    whole = features_of(client)
    absent = sum(value is None for value in whole.values())
    one = dict([(name, value) for name, value in whole.items() if value is not None][:1])
    left = predict(client, features=one).json()
    said = [p for p in left["problems"] if p.endswith("features are missing.")]
    assert int(said[0].split()[0]) > absent + 50
    assert 0 < left["probability"] < 1  # of place, season and hour alone: they are known here


@pytest.mark.parametrize(
    "features", [{"no_such_feature": 1.0}, {}, {"temperature_c": 1e30}, {"temperature_c": None}, {"temperature_c": "1"}]
)
def test_features_that_say_nothing_are_refused(client: TestClient, features: dict[str, Any]) -> None:
    known = client.get("/model/features").json()["feature_names"][0]
    answer = predict(client, features={known if k == "temperature_c" else k: v for k, v in features.items()})
    assert answer.status_code == 422
    assert "no_such_feature" not in answer.text


@pytest.mark.parametrize("asked", [{}, {"features": {"a": 1.0}, "observations": [{}]}])
def test_neither_or_both_is_refused(client: TestClient, asked: dict[str, Any]) -> None:
    assert predict(client, **asked).status_code == 422
    assert client.post("/predict", json={"latitude": 0, "longitude": 0, **asked}).status_code == 422


# Kept


def stored() -> Any:
    core = open_core()
    region = core.regions()[0]
    return core.forecasting.observing.archive.read(region, hour(72), hour(), POSTED)


def test_observations_are_kept_with_their_flags_and_only_once(client: TestClient) -> None:
    sent = [{**record(hour(i), temperature_c=20.0 + i), **point()} for i in range(3)]
    sent[2]["precipitation_mm"] = 900.0
    for _ in range(2):
        answer = client.post("/observations", json=sent, headers=BEARER)
        assert answer.status_code == 201
    said = answer.json()
    place = open_core().regions()[0].locations[5]
    assert (said["stored"], said["places"]) == ({open_core().default_region: 3}, [place.id])
    assert said["quality"]["passed"] is False
    assert said["quality"]["flags"][2]["flags"]["precipitation_mm"] == 4
    assert float(answer.headers["Data-Quality"]) < 1
    kept = stored()
    assert kept.get("temperature_c")[5, -3:].tolist() == [22.0, 21.0, 20.0]
    assert np.isfinite(kept.get("temperature_c")).sum() == 3
    parts = [p for p in open_core().forecasting.observing.archive.extent() if p["source"] == POSTED]
    assert sum(part["rows"] for part in parts) == 3  # two parts in the first hours of a month


def test_the_later_of_two_values_of_an_hour_counts(client: TestClient) -> None:
    for warm in (20.0, 23.0):
        client.post("/observations", json={**record(hour(), temperature_c=warm), **point()}, headers=BEARER)
    assert stored().get("temperature_c")[5, -1] == 23.0


def test_nothing_is_kept_where_one_record_lies_outside_every_region(client: TestClient) -> None:
    sent = [{**record(hour()), **point()}, {**record(hour()), "latitude": 0.0, "longitude": 0.0}]
    assert client.post("/observations", json=sent, headers=BEARER).status_code == 422
    assert not stored().observed().any()


def test_only_the_token_keeps(client: TestClient) -> None:
    assert client.post("/observations", json={**record(hour()), **point()}).status_code == 401
    assert not stored().observed().any()
