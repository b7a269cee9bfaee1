"""A region's own thresholds, and the age of the weather model's run: what an issue makes of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.adapters.archive import ParquetArchive
from core.adapters.ledger import SqlLedger
from core.caching.two_level import TwoLevelCache
from core.domain.forecast import TARGET, Freshness, RegionForecast, RiskLevel
from core.domain.weather import HourlyWeather, ModelRun, Region, Thresholds
from core.errors import SourceUnavailable
from core.quality.checks import check
from core.risk import AgeLimits, Tiers
from core.workflows.forecasting import Forecasting
from core.workflows.observing import Observing
from core.workflows.serving import Serving
from tests.models_made import deployed, model_store, stored
from tests.weather_made import END, REGION, FakeSource

NOW = END + timedelta(minutes=20)


class OfRegion(FakeSource):
    """Weather of one region, with the run of a model behind it."""

    def __init__(self, region: Region = REGION, run: ModelRun | None = None) -> None:
        super().__init__(name="open-meteo")
        self.region, self.run = region, run

    def regions(self) -> tuple[Region, ...]:
        return (self.region,)

    def hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        return replace(super().hours(region, start, end), run=self.run)


@pytest.fixture
def issue(tmp_path: Path) -> Callable[..., RegionForecast]:
    def made(source: OfRegion, now: datetime = NOW, tiers: Tiers | None = None) -> RegionForecast:
        store = model_store(tmp_path / "models")
        deployed(store, "open-meteo", REGION.id, stored(store, "gauges").version)
        observing = Observing(source, ParquetArchive(tmp_path / "processed"), check, 384)
        ledger = SqlLedger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
        limits, tiers = AgeLimits(), tiers or Tiers()
        return (
            Forecasting(observing, Serving(store), ledger, TwoLevelCache.in_memory(), tiers, limits, lambda: now, 300)
            .current(REGION.id)
            .forecast
        )

    return made


def test_the_tiers_of_a_region_decide_its_levels(issue: Callable[..., RegionForecast]) -> None:
    # The small model of the tests is sure of everything: tiers that no probability reaches, and such as all do.
    calm = replace(REGION, thresholds=Thresholds((2.0, 3.0, 4.0)))
    strict = replace(REGION, thresholds=Thresholds((1e-30, 1e-29, 1e-28)))
    assert {f.level for f in issue(OfRegion(calm)).forecasts} == {RiskLevel.GREEN}
    assert {f.level for f in issue(OfRegion(strict), tiers=Tiers(2.0, 3.0, 4.0)).forecasts} == {RiskLevel.RED}


def test_the_ages_of_a_region_decide_its_freshness(issue: Callable[..., RegionForecast]) -> None:
    hasty = replace(REGION, thresholds=Thresholds((), (timedelta(minutes=10), timedelta(minutes=15))))
    patient = replace(REGION, thresholds=Thresholds((), (timedelta(hours=20), timedelta(hours=30))))
    assert issue(OfRegion(hasty)).freshness is Freshness.NO_DATA
    assert issue(OfRegion(patient), now=END + timedelta(hours=19)).freshness is Freshness.FRESH
    assert issue(OfRegion(patient), now=END + timedelta(hours=21)).freshness is Freshness.STALE


@pytest.mark.parametrize(
    ("hours", "freshness", "word"),
    [
        (2, Freshness.FRESH, None),
        (8.9, Freshness.FRESH, None),
        (9.1, Freshness.STALE, "came out 9.1 h ago."),
        (24.1, Freshness.NO_DATA, "too old for any level"),
    ],
)
def test_hours_of_now_from_an_old_run_are_old(
    issue: Callable[..., RegionForecast], hours: float, freshness: Freshness, word: str | None
) -> None:
    out_at = NOW - timedelta(hours=hours)
    made = issue(OfRegion(run=ModelRun("dwd_icon", out_at - timedelta(hours=4), out_at)))
    assert made.freshness is freshness
    assert {f.freshness for f in made.forecasts} == {freshness}
    assert made.data_at == min(out_at, END)
    assert made.forecasts[0].data_at == made.data_at
    assert made.as_dict(NOW)["data_is"] == "model run came out"
    assert [word in problem for problem in made.problems] == ([] if word is None else [True])
    no_data = freshness is Freshness.NO_DATA
    assert {math.isnan(f.exceedance.of(TARGET)) for f in made.forecasts} == {no_data}
    assert {f.level is RiskLevel.UNKNOWN for f in made.forecasts} == {no_data}


def test_hours_that_stand_in_are_as_old_as_the_run_that_they_came_from(tmp_path: Path) -> None:
    out_at = NOW - timedelta(hours=8)
    source = OfRegion(run=ModelRun("dwd_icon", out_at - timedelta(hours=4), out_at))
    observing = Observing(source, ParquetArchive(tmp_path / "processed"), check, 384)
    seen = observing.recent(REGION, NOW)
    observing.collect(REGION, seen.checked)
    source.down = True
    again = observing.recent(REGION, NOW)
    assert isinstance(again.error, SourceUnavailable)
    assert again.checked.weather.run == seen.checked.weather.run == source.run


def test_nobody_knows_the_run_of_hours_that_another_process_stored_since(tmp_path: Path) -> None:
    out_at, archive = NOW - timedelta(hours=1), ParquetArchive(tmp_path / "processed")
    source = OfRegion(run=ModelRun("dwd_icon", out_at - timedelta(hours=4), out_at))
    one, other, new = (Observing(source, archive, check, 384) for _ in range(3))
    other.recent(REGION, NOW - timedelta(hours=3))
    seen = one.recent(REGION, NOW).checked
    one.collect(REGION, seen)
    source.down = True
    runs = [observing.recent(REGION, NOW).checked.weather.run for observing in (one, other, new)]
    assert runs == [source.run, ModelRun(), ModelRun()]
    other.checked(REGION, seen.weather, NOW)  # the first lets it make the same issue
    assert other.recent(REGION, NOW).checked.weather.run == source.run


def test_a_run_of_unknown_age_is_never_fresh(issue: Callable[..., RegionForecast]) -> None:
    made = issue(OfRegion(run=ModelRun()))
    assert made.freshness is Freshness.STALE
    assert "does not say how old" in made.problems[0]
    assert made.forecasts[0].level is not RiskLevel.UNKNOWN


def test_a_young_run_does_not_make_old_hours_young(issue: Callable[..., RegionForecast]) -> None:
    now = END + timedelta(hours=2)
    made = issue(OfRegion(run=ModelRun("dwd_icon", now, now)), now=now)
    assert (made.freshness, made.data_at) == (Freshness.STALE, END)
