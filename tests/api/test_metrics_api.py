"""GET /metrics: what a monitoring system reads of requests, data, cache, models and scheduler."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api.app import api
from core import open_core
from core.errors import SourceUnavailable

REGION = "uttarakhand-himachal"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("CLOUDBURST_GRID_SPACING_DEG", "1.0")
    yield TestClient(api, raise_server_exceptions=False)


def read(client: TestClient) -> dict[tuple[str, ...], float]:
    """Return every sample by its name and the values of its labels."""
    text = client.get("/metrics").text
    families = text_string_to_metric_families(text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_requests_are_counted_by_the_pattern_of_their_route(client: TestClient) -> None:
    before = read(client)
    client.get("/forecasts/nowhere")
    client.get("/forecasts/elsewhere")
    client.get("/no/such/<script>")
    after = read(client)
    key = ("cloudburst_requests_total", "GET", "/forecasts/{location_id}", "422")
    assert after[key] - before.get(key, 0) == 2
    assert not any("script" in part or "nowhere" in part for name in after for part in name)


def test_data_levels_model_and_cache_are_there(client: TestClient) -> None:
    found = read(client)
    places = len(open_core().regions()[0].locations)
    assert found["cloudburst_up",] == 1
    assert 0 < found["cloudburst_data_age_seconds", REGION, "simulator"] < 7200
    assert sum(v for k, v in found.items() if k[0] == "cloudburst_places") == places
    assert found["cloudburst_model_generation", REGION] == 0
    assert found["cloudburst_cache_misses_total",] >= 1
    assert found["cloudburst_cache_lookups_total", "api", "misses"] >= 1
    assert found["cloudburst_cache_degraded",] == 0
    assert found["cloudburst_training_running",] == 0


def test_a_source_that_fails_leaves_its_numbers_out(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    core = open_core()

    def gone(*_: object) -> None:
        raise SourceUnavailable("It does not answer.")

    monkeypatch.setattr(type(core.forecasting.observing), "regions", gone)
    found = read(client)
    assert found["cloudburst_up",] == 1
    assert not any(name[0] == "cloudburst_fresh" for name in found)
