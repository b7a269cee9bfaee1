"""Replaying: the same path as a live forecast, nothing that came later in it, and no trace left behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import Core
from core.adapters.archive import ParquetArchive
from core.adapters.ledger import SqlLedger
from core.adapters.model_store import FolderModelStore
from core.adapters.replay import StoredWindow, read_windows
from core.caching.two_level import TwoLevelCache
from core.domain.forecast import Freshness, RiskLevel
from core.domain.quality import FlaggedWeather
from core.domain.weather import HourlyWeather
from core.errors import ConfigurationError
from core.quality.checks import check
from core.risk import AgeLimits, Tiers
from core.workflows.forecasting import Forecasting
from core.workflows.observing import Observing
from core.workflows.replaying import Replaying, rows_of
from core.workflows.serving import Serving
from tests.models_made import deployed, model_store, stored
from tests.replay_made import BEGIN, KNOWN, MAPS, archived, frame, table
from tests.weather_made import REGION

AT = BEGIN + timedelta(hours=180)


@pytest.fixture
def store(tmp_path: Path) -> FolderModelStore:
    """Return a store whose champion serves gauges and replays alike."""
    store = model_store(tmp_path / "models")
    version = stored(store, "gauges").version
    for source, region_id in (("gauges", REGION.id), ("replay", "replay")):
        deployed(store, source, region_id, version)
    return store


@pytest.fixture
def replaying(store: FolderModelStore) -> Replaying:
    return Replaying(Serving(store), check, 384, Tiers(), AgeLimits())


def window(path: Path) -> StoredWindow:
    (found,) = read_windows(path, lambda: (KNOWN,), MAPS)
    return found


@pytest.mark.parametrize("hour", [0, 1, 30, 99, 100, 180, 238])
@pytest.mark.parametrize("kind", ["table", "late table", "archive"])
def test_an_issue_is_the_same_whether_or_not_the_file_goes_on(
    tmp_path: Path, replaying: Replaying, hour: int, kind: str
) -> None:
    at = BEGIN + timedelta(hours=hour, minutes=20)
    if kind == "archive":
        folder, _ = archived(tmp_path, late_h=1)
        whole = pd.read_parquet(folder / "2013-06.parquet")
        short = tmp_path / "short" / "gauges" / REGION.id
    else:
        whole = frame(240)
        late = pd.to_timedelta(np.arange(240) % 4, "h")
        whole = whole if kind == "table" else whole.assign(available_at=whole["valid_at"] + late)
        folder, short = tmp_path / "whole", tmp_path / "short"
        table(folder / "2013-06.parquet", whole)
    wild = whole["valid_at"] > at  # what comes later is not only cut off but absurd
    changed = whole.assign(precipitation_mm=whole["precipitation_mm"].where(~wild, 9999.0))
    one = replaying.issue(window(folder), at)
    table(short / "2013-06.parquet", whole[~wild])
    assert replaying.issue(window(short), at).forecast == one.forecast
    table(folder / "2013-06.parquet", changed)
    assert replaying.issue(window(folder), at).forecast.forecasts == one.forecast.forecasts


def test_a_value_that_arrived_late_was_not_known(tmp_path: Path, replaying: Replaying) -> None:
    rows = frame(240)
    rows["available_at"] = rows["valid_at"].where(rows["valid_at"] <= AT - timedelta(hours=2), AT + timedelta(hours=1))
    found = window(table(tmp_path / "w.parquet", rows))
    before = replaying.issue(found, AT).forecast
    assert before.data_at == AT - timedelta(hours=2)
    assert before.freshness is Freshness.STALE
    after = replaying.issue(found, AT + timedelta(hours=1)).forecast
    assert after.data_at == AT + timedelta(hours=1)


def test_a_stored_night_gets_the_numbers_that_it_got_live(
    tmp_path: Path, store: FolderModelStore, replaying: Replaying
) -> None:
    folder, live = archived(tmp_path / "processed")

    class Live:
        name = "gauges"

        def regions(self):
            return (REGION,)

        def hours(self, _region, start, end) -> HourlyWeather:
            return live.window(start, end)

    ledger = SqlLedger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    observing = Observing(Live(), ParquetArchive(tmp_path / "none"), check, 384)
    forecasting = Forecasting(
        observing, Serving(store), ledger, TwoLevelCache.in_memory(), Tiers(), AgeLimits(), lambda: AT, 300
    )
    then = forecasting.current(REGION.id).forecast
    now = replaying.issue(window(folder), AT).forecast
    assert [f.level for f in now.forecasts] == [f.level for f in then.forecasts]
    for one, other in zip(now.forecasts, then.forecasts, strict=True):
        assert one.exceedance.probability == pytest.approx(other.exceedance.probability, rel=1e-5)
    assert (now.source, then.source) == ("replay:gauges", "gauges")
    assert now.model_version == then.model_version


def test_a_replay_says_so_and_is_never_called_live(tmp_path: Path, replaying: Replaying) -> None:
    found = window(table(tmp_path / "w.parquet"))
    issue = replaying.issue(found, AT).forecast
    assert issue.replayed
    assert not issue.simulated
    assert issue.source_text == "Replay of stored weather"
    assert issue.as_dict(AT)["source"] == "replay"


def test_stored_simulated_weather_is_still_simulated(tmp_path: Path, store: FolderModelStore) -> None:
    folder, _ = archived(tmp_path, source="simulator")
    deployed(store, "simulator", REGION.id, stored(store, "simulator").version)
    found = window(folder)
    issue = Replaying(Serving(store), check, 384, Tiers(), AgeLimits()).issue(found, AT).forecast
    assert issue.simulated
    assert issue.source_text == "Replay of stored weather (Simulated): 29 July"
    assert issue.model_source == "simulator"


def test_a_model_of_simulated_weather_never_serves_a_table(tmp_path: Path, store: FolderModelStore) -> None:
    before = store.champion("replay", "replay").version
    simulated = deployed(store, "replay", "replay", stored(store, "simulator").version)
    found = window(table(tmp_path / "w.parquet"))
    issue = Replaying(Serving(store), check, 384, Tiers(), AgeLimits()).issue(found, AT).forecast
    assert any("simulated" in problem and "stands in" in problem for problem in issue.problems)
    assert simulated.to_version != before == issue.model_version


def test_where_nobody_else_can_serve_a_table_nothing_is_said(tmp_path: Path) -> None:
    alone = model_store(tmp_path / "alone")
    deployed(alone, "replay", "replay", stored(alone, "simulator").version)
    found = window(table(tmp_path / "w.parquet"))
    issue = Replaying(Serving(alone), check, 384, Tiers(), AgeLimits()).issue(found, AT).forecast
    assert any("simulated" in problem for problem in issue.problems)
    assert {f.level for f in issue.forecasts} == {RiskLevel.UNKNOWN}


def test_flags_are_those_that_could_be_set_then(tmp_path: Path, store: FolderModelStore) -> None:
    seen: list[datetime | None] = []

    def spied(weather: HourlyWeather, hindsight: bool) -> FlaggedWeather:
        seen.extend(weather.last_observed())
        return check(weather, hindsight)

    stuck = frame(240)
    stuck.loc[175:, ["temperature_c", "dew_point_c", "surface_pressure_hpa"]] = [20.0, 15.0, 860.0]
    found = window(table(tmp_path / "w.parquet", stuck))
    replays = Replaying(Serving(store), spied, 384, Tiers(), AgeLimits())
    early = replays.issue(found, BEGIN + timedelta(hours=177)).forecast.forecasts[0]
    late = replays.issue(found, BEGIN + timedelta(hours=190)).forecast.forecasts[0]
    assert not any("unchanged" in reason for reason in early.reasons)
    assert any("unchanged" in reason for reason in late.reasons) or late.freshness is not Freshness.FRESH
    assert seen == [BEGIN + timedelta(hours=177), BEGIN + timedelta(hours=190)]  # hindsight of what was known then


@pytest.mark.parametrize("at", [BEGIN - timedelta(minutes=1), BEGIN + timedelta(hours=240)])
def test_a_moment_outside_the_window_is_refused_with_its_bounds(
    tmp_path: Path, replaying: Replaying, at: datetime
) -> None:
    with pytest.raises(ConfigurationError, match="outside the stored window") as refusal:
        replaying.issue(window(table(tmp_path / "w.parquet")), at)
    assert "2013-06-01 00:00 to 2013-06-10 23:00 UTC" in refusal.value.hint


def test_the_beginning_of_a_window_is_said_and_its_later_part_is_not(tmp_path: Path, replaying: Replaying) -> None:
    found = window(table(tmp_path / "w.parquet"))
    assert "begins on 01 Jun 2013 00:00 UTC" in replaying.issue(found, BEGIN + timedelta(hours=99)).forecast.problems[0]
    assert replaying.issue(found, BEGIN + timedelta(hours=100)).forecast.problems == ()


def test_moments_are_full_hours_within_the_window_and_the_period(tmp_path: Path, replaying: Replaying) -> None:
    found = window(table(tmp_path / "w.parquet"))
    assert len(replaying.moments(found, None, None, 1)) == 240
    assert replaying.moments(found, AT - timedelta(minutes=30), AT + timedelta(hours=13), 6) == tuple(
        AT + timedelta(hours=h) for h in (0, 6, 12)
    )
    assert replaying.moments(found, AT + timedelta(days=90), None, 6) == ()


def test_rows_are_one_per_place_with_the_probabilities_of_the_issue(tmp_path: Path, replaying: Replaying) -> None:
    issue = replaying.issue(window(archived(tmp_path)[0]), AT).forecast
    rows = rows_of(issue)
    assert list(rows.location_id) == ["a", "b", "c"]
    assert set(rows.issued_at) == {np.datetime64(AT.replace(tzinfo=None), "s")}
    assert rows.probability[1].tolist() == list(issue.forecasts[1].exceedance.probability)


def test_a_house_that_replays_keeps_no_trace_of_it(tmp_path: Path, home: Path, open_house: Callable[..., Core]) -> None:
    house = open_house(now=datetime(2026, 7, 29, 18, 20, tzinfo=UTC))
    live = house.issue(house.default_region).forecast
    ledger, cache = house.training.ledger, house.forecasting.cache

    def state() -> tuple[object, ...]:
        files = {p: p.stat().st_size for p in sorted((home / "data").rglob("*")) if "ledger" not in p.name}
        return dict(ledger.forecast_counts()), ledger.runs(), dict(cache.stats())["entries"], files

    before = state()
    (found,) = house.replays.read(table(tmp_path / "w.parquet"))
    then = house.as_known(found, AT)
    assert then.clock() == AT
    assert then.issue(found.id).forecast.issued_at == AT
    assert then.default_region == found.id
    then.forecasting.cache.clear()  # even an issue made anew by the ordinary path is kept nowhere
    again = then.forecasting.refresh(found.id).forecast
    assert again.forecasts == house.replays.issue(found, AT).forecast.forecasts
    assert again.model_is_seed
    assert then.quality.report(found.id).end == AT
    assert then.quality.appraise(found.id) is not None
    assert then.health(found.id).source == "replay"
    assert state() == before
    assert ledger.quality(found.id, BEGIN) == ()
    assert house.issue(house.default_region).forecast is live
