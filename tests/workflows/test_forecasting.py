"""Forecasting: what an issue says when all is well, when data are old, when the source or the model fails."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from core.adapters.archive import ParquetArchive
from core.adapters.ledger import SqlLedger
from core.caching.two_level import TwoLevelCache
from core.domain.forecast import HOURLY_EVENTS, Freshness, RiskLevel
from core.domain.weather import Flag, HourlyWeather, Region
from core.errors import ConfigurationError, FeatureMismatch, ModelUntrusted, SourceUnavailable
from core.quality.checks import check
from core.risk import MEMORY, AgeLimits, Tiers
from core.workflows.forecasting import Forecasting
from core.workflows.levels_before import levels_before
from core.workflows.observing import Observing
from core.workflows.serving import Serving
from tests.models_made import deployed, model_store, stored
from tests.weather_made import END, REGION, FakeSource


@dataclass
class House:
    """Workflows on a fake source and real adapters, with a clock that can be moved."""

    folder: Path
    source: FakeSource = field(default_factory=FakeSource)

    def __post_init__(self) -> None:
        self.now = END + timedelta(minutes=20)
        self.store = model_store(self.folder / "models")
        self.ledger = SqlLedger(f"sqlite:///{self.folder / 'ledger.sqlite'}")
        self.cache = TwoLevelCache.in_memory()
        self.observing = Observing(self.source, ParquetArchive(self.folder / "processed"), check, 384)
        self.forecasting = Forecasting(
            self.observing, Serving(self.store), self.ledger, self.cache, Tiers(), AgeLimits(), lambda: self.now, 300
        )

    def with_champion(self, source: str = "gauges", **changes: object) -> House:
        version = stored(self.store, source, **changes).version
        deployed(self.store, self.source.name, REGION.id, version)
        return self

    def issue(self):
        self.cache.clear()
        return self.forecasting.current(REGION.id).forecast


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path).with_champion()


def test_a_fresh_issue_has_a_coherent_curve_for_every_place(house: House) -> None:
    issue = house.issue()
    assert issue.problems == ()
    assert issue.freshness is Freshness.FRESH
    assert issue.valid_from == END
    assert len(issue.forecasts) == len(REGION.locations)
    for forecast in issue.forecasts:
        curve = [forecast.exceedance.of(event) for event in HOURLY_EVENTS]
        assert curve == sorted(curve, reverse=True)
        assert all(
            low <= p <= high
            for low, p, high in zip(
                forecast.exceedance.low, forecast.exceedance.probability, forecast.exceedance.high, strict=True
            )
        )
        assert forecast.level is not RiskLevel.UNKNOWN


def test_an_issue_is_kept_until_its_time_is_over_and_written_to_the_ledger_once(house: House) -> None:
    first = house.forecasting.current(REGION.id)
    assert house.forecasting.current(REGION.id) is first
    house.issue()
    assert sum(house.ledger.forecast_counts().values()) == len(REGION.locations)


@pytest.mark.parametrize(
    "jump", [timedelta(minutes=95), timedelta(days=1), timedelta(days=3650), timedelta(hours=-1), timedelta(days=-3650)]
)
def test_a_clock_that_jumps_ends_what_was_issued_before(house: House, jump: timedelta) -> None:
    first, state = house.forecasting.current(REGION.id), house.forecasting.state()
    house.now += jump
    assert house.forecasting.state() != state
    assert house.forecasting.current(REGION.id) is not first
    assert house.forecasting.current(REGION.id) is house.forecasting.current(REGION.id)
    if jump > timedelta(0):
        assert house.forecasting.current(REGION.id).forecast.freshness is not Freshness.FRESH


def test_a_clock_that_is_put_right_a_little_ends_nothing(house: House) -> None:
    first = house.forecasting.current(REGION.id)
    house.now -= timedelta(seconds=30)
    assert house.forecasting.current(REGION.id) is first


@pytest.mark.parametrize(
    ("age_minutes", "freshness", "word"),
    [(89, Freshness.FRESH, ""), (91, Freshness.STALE, "1.5 h old"), (361, Freshness.NO_DATA, "too old")],
)
def test_the_age_of_the_data_decides_the_freshness(
    house: House, age_minutes: int, freshness: Freshness, word: str
) -> None:
    house.now = END + timedelta(minutes=age_minutes)
    issue = house.issue()
    assert issue.freshness is freshness
    assert any(word in problem for problem in issue.problems) or not word
    unknown = {f.level is RiskLevel.UNKNOWN for f in issue.forecasts}
    assert unknown == {freshness is Freshness.NO_DATA}


def test_past_the_hard_limit_no_number_is_shown(house: House) -> None:
    house.now = END + timedelta(hours=7)
    assert all(math.isnan(p) for f in house.issue().forecasts for p in f.exceedance.probability)


def test_a_source_that_is_down_gives_the_last_good_data_with_their_age(house: House) -> None:
    house.forecasting.refresh(REGION.id)
    house.source.down = True
    house.now = END + timedelta(hours=2)
    issue = house.issue()
    assert issue.data_at == END
    assert issue.freshness is Freshness.STALE
    assert "The fake source is down" in issue.problems[0]
    assert issue.forecasts[0].level is not RiskLevel.UNKNOWN


def test_a_source_that_never_answered_gives_no_data_and_no_exception(house: House) -> None:
    house.source.down = True
    issue = house.issue()
    assert issue.freshness is Freshness.NO_DATA
    assert {f.level for f in issue.forecasts} == {RiskLevel.UNKNOWN}


def test_without_a_model_every_level_is_unknown_and_the_reason_is_said(tmp_path: Path) -> None:
    issue = House(tmp_path).issue()
    assert {f.level for f in issue.forecasts} == {RiskLevel.UNKNOWN}
    assert "no champion" in issue.problems[0]


def test_a_model_of_simulated_data_never_serves_real_ones(tmp_path: Path) -> None:
    house = House(tmp_path).with_champion("simulator")
    with pytest.raises(ModelUntrusted, match="simulated"):
        house.forecasting.served(REGION.id)
    assert {f.level for f in house.issue().forecasts} == {RiskLevel.UNKNOWN}


def test_a_model_of_simulated_data_serves_simulated_ones(tmp_path: Path) -> None:
    house = House(tmp_path, FakeSource(name="simulator")).with_champion("simulator")
    assert house.issue().forecasts[0].level is not RiskLevel.UNKNOWN


def test_a_model_of_other_features_is_refused(tmp_path: Path) -> None:
    house = House(tmp_path).with_champion(feature_version="another")
    with pytest.raises(FeatureMismatch, match="another"):
        house.forecasting.served(REGION.id)


def test_an_unknown_region_names_the_known_ones(house: House) -> None:
    with pytest.raises(ConfigurationError) as caught:
        house.forecasting.current("atlantis")
    assert REGION.id in caught.value.hint


def test_a_refresh_archives_the_newest_hours_with_their_flags(house: House) -> None:
    house.forecasting.refresh(REGION.id)
    assert sum(part["rows"] for part in house.observing.archive.extent()) == 385 * len(REGION.locations)
    house.source.end = END + timedelta(hours=1)
    house.now = END + timedelta(minutes=80)
    house.forecasting.refresh(REGION.id)
    assert sum(part["rows"] for part in house.observing.archive.extent()) == 386 * len(REGION.locations)


def test_a_place_whose_values_all_failed_is_unknown_and_never_green(house: House) -> None:
    good = house.source.hours

    def broken(region: Region, start: datetime, end: datetime) -> HourlyWeather:
        weather = good(region, start, end)
        values = {name: array.copy() for name, array in weather.values.items()}
        for array in values.values():
            array[0] = 9999.0
        return weather.with_values(values)

    house.source.hours = broken  # type: ignore[method-assign]
    first, *others = house.issue().forecasts
    assert (first.level, first.freshness) == (RiskLevel.UNKNOWN, Freshness.NO_DATA)
    assert all(f.level is not RiskLevel.UNKNOWN for f in others)


def test_a_late_station_changes_the_version_of_the_issue_and_the_ledger_keeps_both(house: House) -> None:
    good = house.source.hours

    def late(region: Region, start: datetime, end: datetime) -> HourlyWeather:
        weather = good(region, start, end)
        values = {name: array.copy() for name, array in weather.values.items()}
        for array in values.values():
            array[1, -3:] = np.nan
        return weather.with_values(values)

    house.source.hours = late  # type: ignore[method-assign]
    before = house.issue()
    assert before.of("b").freshness is Freshness.STALE
    assert "1 of 3 places" in before.problems[0]
    house.source.hours = good  # type: ignore[method-assign]
    after = house.issue()
    assert before.version != after.version
    assert sum(house.ledger.forecast_counts().values()) == 2 * len(REGION.locations)


def test_the_first_issue_goes_on_from_the_levels_of_the_ledger_whoever_made_them(house: House) -> None:
    first = house.issue()
    shown = {f.location_id: f.level for f in first.forecasts}
    again, seen = House(house.folder), []
    for forecasting in (house.forecasting, again.forecasting):
        forecasting.split = lambda _, champion, before: (seen.append(before), champion)[1]
    again.issue()
    red = dict.fromkeys(shown, (RiskLevel.RED, house.now))
    for term in (1, 1, 2):
        house.forecasting.lead(term)
        house.issue()
        house.forecasting._known[REGION.id] = red
    house.issue()
    assert seen == [shown, shown, dict.fromkeys(shown, RiskLevel.RED), shown, dict.fromkeys(shown, RiskLevel.RED)]


def test_levels_of_the_ledger_are_remembered_for_a_while(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.issue()
    known = house.forecasting._known[REGION.id]
    assert levels_before(house.ledger, house.source.name, REGION.id, house.now) == known
    assert levels_before(house.ledger, house.source.name, REGION.id, house.now - timedelta(hours=1)) == {}
    assert levels_before(house.ledger, "simulator", REGION.id, house.now) == {}
    house.source.down = True
    house.now += MEMORY + timedelta(hours=2)
    assert {f.level for f in house.issue().forecasts} == {RiskLevel.UNKNOWN}
    assert levels_before(house.ledger, house.source.name, REGION.id, house.now) == {}

    def silent(*_: object, **__: object) -> None:
        raise ConfigurationError("The ledger cannot be used.")

    monkeypatch.setattr(house.ledger, "issued", silent)
    assert levels_before(house.ledger, house.source.name, REGION.id, house.now) == {}


def test_an_issue_is_not_shown_beyond_the_moment_when_its_data_become_stale(house: House) -> None:
    house.now = END + timedelta(minutes=89, seconds=59.5)
    kept: list[float] = []
    keep = house.cache.set
    house.cache.set = lambda key, value, ttl, _category: (kept.append(ttl), keep(key, value, ttl))  # type: ignore[assignment]
    house.issue()
    assert kept[0] <= 0.5


def test_a_source_whose_regions_vanish_is_served_from_the_archive(house: House) -> None:
    house.forecasting.refresh(REGION.id)

    def gone() -> tuple[Region, ...]:
        raise SourceUnavailable("The folder is gone.")

    house.source.regions = gone  # type: ignore[method-assign]
    house.source.down = True
    assert house.issue().forecasts[0].level is not RiskLevel.UNKNOWN


@pytest.mark.parametrize(("minutes", "flag"), [(89, Flag.PASS), (91, Flag.SUSPECT), (361, Flag.MISSING)])
def test_old_values_carry_a_flag_that_says_so(house: House, minutes: int, flag: Flag) -> None:
    house.now = END + timedelta(minutes=minutes)
    forecast = house.issue().forecasts[0]
    said = [reason for reason in forecast.reasons if reason.startswith("freshness: ")]
    assert len(said) == (flag is not Flag.PASS)
    assert forecast.worst_flag >= flag


@pytest.mark.parametrize("lost", [("precipitation_mm",), ("temperature_c", "dew_point_c", "relative_humidity_pct")])
def test_a_place_without_rain_or_without_air_is_unknown_and_never_green(house: House, lost: tuple[str, ...]) -> None:
    good = house.source.hours

    def without(region: Region, start: datetime, end: datetime) -> HourlyWeather:
        weather = good(region, start, end)
        values = {name: array.copy() for name, array in weather.values.items()}
        for name in lost:
            values[name][0, -8:] = np.nan
            values[name][1, -3:] = np.nan
        return weather.with_values(values)

    house.source.hours = without  # type: ignore[method-assign]
    issue = house.issue()
    found = [(f.level is RiskLevel.UNKNOWN, f.freshness) for f in issue.forecasts]
    assert found == [(True, Freshness.NO_DATA), (False, Freshness.STALE), (False, Freshness.FRESH)]
    assert "2 of 3 places" in issue.problems[0]


def test_what_is_known_to_be_stuck_leaves_the_forecast_whole(house: House) -> None:
    good = house.source.hours

    def stuck(region: Region, start: datetime, end: datetime) -> HourlyWeather:
        weather = good(region, start, end)
        rain = weather.values["precipitation_mm"].copy()
        rain[0, -5:-1] = 300.0
        return weather.with_values({**weather.values, "precipitation_mm": rain})

    house.source.hours = stuck  # type: ignore[method-assign]
    recent = house.observing.recent(REGION, house.now).checked
    assert np.isnan(recent.usable().get("precipitation_mm")[0, -5:-1]).all()
