"""GET /metrics: what a monitoring system reads of requests, data, cache, models and scheduler."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api.app import api
from core import QualityMetrics, open_core
from core.adapters.ledger import SqlLedger
from core.adapters.ledger_lease import Lease
from core.bootstrap import jobs
from core.domain.drift import Aspect, DriftReport, Shift, VariableDrift
from core.errors import ConfigurationError, ModelCorrupt, SourceUnavailable
from core.workflows import drift_runs
from tests.faults.source.server import serving

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
    assert found["cloudburst_cache_lookups_total", "predictions", "misses"] >= 1
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


def test_quality_drift_and_room_are_there(client: TestClient, home: Path) -> None:
    core, day = open_core(), date(2026, 7, 1)
    before = read(client)
    assert not any(name[0].startswith("cloudburst_drift") for name in before)
    now, nan = core.clock(), math.nan
    last_day = now - timedelta(days=1), now
    core.lifecycle.ledger.record_quality(
        [QualityMetrics("simulator", REGION, None, *last_day, 0.9, 0.8, 1.0, nan, nan, 0.01, 0.7)]
    )
    shift = Shift("temperature_c", Aspect.LEVEL, True, day, day, 90)
    found = VariableDrift("temperature_c", "", 90, share=0.4, shifts=(shift,))
    not_judged = VariableDrift("wind_speed_ms", "too few days", 0)
    report = DriftReport("simulator", REGION, day, day, day, day, 1, 1, (found, not_judged))
    drift_runs.keep(core.lifecycle.ledger, report, core.clock())
    (home / "models" / "more").write_bytes(b"0" * 1000)
    after = read(client)
    assert after["cloudburst_quality", "overall", REGION] == 0.7
    assert ("cloudburst_quality", "timeliness", REGION) not in after  # it is not known
    assert after["cloudburst_quality_fallen", REGION] == 0
    assert after["cloudburst_drift_alarms", REGION] == after["cloudburst_drift_judged", REGION] == 1
    assert {k: v for k, v in after.items() if k[0] == "cloudburst_drift_share"} == {
        ("cloudburst_drift_share", REGION, "temperature_c"): 0.4
    }
    used = ("cloudburst_storage_used_bytes", "models")
    assert after[used] - before[used] == 1000
    assert after["cloudburst_storage_free_bytes",] > 0


def test_jobs_tell_when_they_ended_and_whether_they_fail(client: TestClient) -> None:
    core = open_core()

    def broken() -> None:
        raise SourceUnavailable("It does not answer.")

    core.scheduler.every(3600, "refresh", broken)
    core.scheduler.every(60, "verify", lambda: None)
    before = read(client)
    assert before["cloudburst_job_period_seconds", "refresh"] == 3600
    assert ("cloudburst_job_failed", "refresh") not in before
    assert before["cloudburst_job_period_seconds", "verify"] == 60
    core.scheduler._turns.keep()  # type: ignore[attr-defined]
    core.scheduler._jobs.run_all()  # type: ignore[attr-defined]
    after = read(client)
    assert (after["cloudburst_job_failed", "refresh"], after["cloudburst_job_failed", "verify"]) == (1, 0)
    assert after["cloudburst_job_last_end_timestamp_seconds", "verify"] > 1.7e9
    assert after["cloudburst_faults_total", "SourceUnavailable"] == 1


def test_every_refresh_is_timed_by_region_also_one_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    core = open_core()
    jobs.refresh(core)
    assert core.meters.latencies()["refresh"].count == len(core.regions())

    def fails(*_: object) -> None:
        raise ModelCorrupt("It is not what it says.")

    monkeypatch.setattr(type(core.forecasting), "renew", fails)
    with pytest.raises(ModelCorrupt):
        jobs.refresh(core)
    assert core.meters.latencies()["refresh"].count == 2 * len(core.regions())


def test_an_alert_goes_out_also_while_nothing_can_be_archived(monkeypatch: pytest.MonkeyPatch) -> None:
    core, evaluated = open_core(), []

    def full(*_: object) -> None:
        raise ConfigurationError("The archive cannot be written: No space left on device.")

    monkeypatch.setattr(type(core.forecasting.observing.archive), "store", full)
    monkeypatch.setattr(type(core.alerts), "evaluate", lambda _self, issue: evaluated.append(issue.region.id))
    with pytest.raises(ConfigurationError, match="No space"):
        jobs.refresh(core)
    assert evaluated == [region.id for region in core.regions()]


def test_faults_of_the_api_are_ours_alone(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    core = open_core()
    client.get("/forecasts/nowhere")
    assert core.meters.faults() == {}

    for error in (RuntimeError("a bug"), ModelCorrupt("It is not what it says.")):

        def fails(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(type(core), "require_issue", fails)
        assert client.get("/forecasts").status_code >= 500
    assert core.meters.faults() == {"RuntimeError": 1, "ModelCorrupt": 1}
    found = read(client)
    assert found["cloudburst_faults_total", "RuntimeError"] == 1
    assert found["cloudburst_door_seconds", "api", "0.95"] >= found["cloudburst_door_seconds", "api", "0.5"] > 0
    assert core.meters.latencies()["api"].count == 4


def test_calls_of_a_live_source_are_counted_by_how_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBURST_SOURCE", "open-meteo:")
    monkeypatch.setenv("CLOUDBURST_REGION", "points-example")
    region, client = "points-example", TestClient(api)
    with serving() as service:
        monkeypatch.setenv("CLOUDBURST_OPEN_METEO_URL", service.url)
        well = read(client)
        assert well["cloudburst_source_calls_total", "answers"] == well["cloudburst_source_requests_total",] > 0
        assert well["cloudburst_source_budget_spent", "day"] == open_core().budget()[2].spent > 0
        assert well["cloudburst_source_failing", region, "open-meteo"] == 0
    core = open_core()
    core.forecasting.observing.source._kept.clear()  # type: ignore[attr-defined]  # as an hour later
    core.forecasting.refresh(region)
    gone = read(client)
    assert gone["cloudburst_source_failing", region, "open-meteo"] == 1
    assert gone["cloudburst_source_calls_total", "unavailable"] == 1
    assert gone["cloudburst_faults_total", "SourceUnavailable"] == 1


def test_a_part_that_fails_takes_no_other_with_it(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr("core.adapters.storage.shutil.disk_usage", gone)
    found = read(client)
    assert not any(name[0].startswith("cloudburst_storage") for name in found)
    assert found["cloudburst_training_running",] == 0


def test_whether_this_program_does_the_jobs_is_told(client: TestClient) -> None:
    core = open_core()
    core.scheduler.every(3600, "refresh", lambda: None, recorded=True)
    other = Lease(SqlLedger(core.settings.ledger_url), holder="another machine's")
    assert other.keep()
    with other.turn("refresh", recorded=True):
        other.ended("refresh", "SourceUnavailable: away")
    core.scheduler.start()
    try:
        told = read(client)
        assert told["cloudburst_scheduler_leads",] == 0
        assert told["cloudburst_job_failed", "refresh"] == 1  # as the other wrote it down
        assert ("cloudburst_job_late_seconds", "refresh") not in told
        other.give_back()
        core.scheduler._turns.keep()  # type: ignore[attr-defined]
        assert read(client)["cloudburst_scheduler_leads",] == 1
    finally:
        core.scheduler.stop()
