"""Two programs on one ledger, one home and one Redis show the same issue, and learn what the other changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core import Core
from core.domain.forecast import RiskLevel
from core.domain.overrides import Scope
from core.domain.weather import ModelRun
from core.errors import SourceUnavailable
from core.workflows import sharing as module
from core.workflows.forecasting import AWAITED_S
from core.workflows.sharing import Shared, Sharing
from tests.caches_made import Caches, served
from tests.conftest import NOW
from tests.models_made import stored
from tests.weather_made import REGION, weather

Open = Callable[..., Core]


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with served() as url:
        yield url


@pytest.fixture
def two(open_house: Open, redis_url: str) -> Iterator[tuple[Core, Core]]:
    """Return two houses; the second opens half a minute later."""
    houses = [open_house(now=NOW + timedelta(seconds=s), cache_url=redis_url) for s in (0, 30)]
    for house in houses:
        house.generations.look()
    yield houses[0], houses[1]
    for house in houses:
        house.cache.close()


def silence(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the source of a house fail."""

    def fails(*_: object) -> None:
        raise SourceUnavailable("It is away.")

    monkeypatch.setattr(house.forecasting.observing.source, "hours", fails)


def test_the_second_makes_the_issue_of_the_first_and_asks_no_source(
    two: tuple[Core, Core], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    region_id = one.default_region
    first = one.issue(region_id)
    rows = one.lifecycle.ledger.forecast_counts()
    silence(other, monkeypatch)
    second = other.issue(region_id)
    assert second.forecast == first.forecast and second.error is None
    assert second.forecast.issued_at == NOW and first.ends_at is not None
    assert second.ends_at == first.ends_at + timedelta(
        seconds=AWAITED_S
    )  # or each would make its own just before the next is told
    assert [f.flag for f in second.checked.findings] == [f.flag for f in first.checked.findings]
    assert one.lifecycle.ledger.forecast_counts() == rows  # the same is kept once
    renewed = other.forecasting.renew(region_id)  # who does the jobs asks, whatever others have
    assert isinstance(renewed.error, SourceUnavailable)


@pytest.mark.parametrize("seen", [False, True])
def test_a_level_stays_as_it_does_where_the_issue_was_made(two: tuple[Core, Core], *, seen: bool) -> None:
    one, other = two
    region_id = one.default_region
    place = one.issue(region_id).forecast.forecasts[0].location_id
    if seen:  # the weather of the issue before lies in the memory of the other one too
        other.issue(region_id)
    one.forecasting._known[region_id][place] = RiskLevel.RED, NOW
    one.forecasting.clock = lambda: NOW + timedelta(seconds=20)
    issue = one.forecasting.renew(region_id)
    one.generations.changed(region_id)
    other.generations.look()
    assert other.issue(region_id).forecast == issue.forecast
    assert other.forecasting._known[region_id].keys() == one.forecasting._known[region_id].keys()


def test_without_redis_each_makes_its_own(open_house: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = open_house(), open_house(now=NOW + timedelta(seconds=30))
    one.issue(one.default_region)
    silence(other, monkeypatch)
    assert isinstance(other.issue(one.default_region).error, SourceUnavailable)


def test_what_is_over_or_failed_is_not_shared(
    two: tuple[Core, Core], open_house: Open, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    region_id = one.default_region
    with monkeypatch.context() as patch:
        silence(one, patch)
        assert one.issue(region_id).error is not None
    assert other.issue(region_id).forecast.issued_at == NOW + timedelta(seconds=30)
    late = open_house(now=NOW + timedelta(seconds=41 + other.forecasting.ttl_s), cache_url=redis_url)
    assert late.issue(region_id).forecast.issued_at == late.clock()
    late.cache.close()


@pytest.mark.parametrize("other", [{"simulator_seed": 8}, {"grid_spacing_deg": 0.5}, {"database_url": "sqlite:///{}"}])
def test_programs_that_are_not_of_one_house_share_nothing_on_one_redis(
    two: tuple[Core, Core], open_house: Open, redis_url: str, tmp_path: Path, other: dict[str, object]
) -> None:
    one, _ = two
    one.issue(one.default_region)
    given = {name: value.format(tmp_path / "l") if isinstance(value, str) else value for name, value in other.items()}
    stranger = open_house(now=NOW + timedelta(seconds=30), cache_url=redis_url, **given)
    assert one.forecasting.sharing is not None and stranger.forecasting.sharing is not None
    assert one.forecasting.sharing.among != stranger.forecasting.sharing.among
    one.forecasting.renew(one.default_region)  # opening the stranger has cleared the server
    assert stranger.issue(one.default_region).forecast.issued_at == NOW + timedelta(seconds=30)
    stranger.cache.close()


def test_a_level_that_one_sets_shows_on_the_other(two: tuple[Core, Core]) -> None:
    one, other = two
    region = one.region(one.default_region)
    place = region.locations[0].id
    before = other.issue(region.id).forecast
    until = NOW + timedelta(hours=3)
    one.alerts.levels.set_level(region, (Scope.PLACE, place), RiskLevel.RED, until, who="Asha", why="the river")
    assert other.issue(region.id).forecast == before  # until it looks
    other.generations.look()
    assert other.issue(region.id).forecast.forecasts[0].level is RiskLevel.RED
    assert one.issue(region.id).forecast.forecasts[0].level is RiskLevel.RED


def test_another_version_serves_everywhere_once_it_serves(two: tuple[Core, Core]) -> None:
    one, other = two
    region_id = one.default_region
    before = other.issue(region_id).forecast.model_version
    version = stored(one.store, "simulator").version
    one.lifecycle.promote(version, region_id, "Asha", "it is better")
    other.generations.look()
    assert other.issue(region_id).forecast.model_version == version != before
    assert one.issue(region_id).forecast.forecasts == other.issue(region_id).forecast.forecasts


def test_weather_comes_back_as_it_was_whatever_is_in_it(redis_url: str) -> None:
    plain = weather()
    plain.values["precipitation_mm"][1, 5] = np.nan
    shape = plain.values["precipitation_mm"].shape
    known = plain.valid_at[None, :].astype("datetime64[s]") + np.timedelta64(600, "s") * np.ones(shape, int)
    doubled = np.random.default_rng(3).random(shape) < 0.1
    full = replace(plain, available_at=known, doubled=doubled, run=ModelRun("icon", NOW, None), season_day=210)
    ensemble = weather(places=REGION.locations * 3)
    with Caches(redis_url) as caches:
        giving, taking = caches.open(), caches.open()
        for given, fields, members in ((plain, None, None), (full, plain, None), (plain, full, ensemble)):
            assert Sharing(giving).give(REGION, Shared(NOW, given, {"a": RiskLevel.RED}, fields, members), 60)
            taken = Sharing(taking).taken(REGION)
            assert taken is not None and (taken.issued_at, dict(taken.before)) == (NOW, {"a": RiskLevel.RED})
            assert (taken.fields is None, taken.members is None) == (fields is None, members is None)
            for name in ("run", "source", "season_day"):
                assert getattr(taken.weather, name) == getattr(given, name)
            for name in ("valid_at", "available_at", "doubled"):
                np.testing.assert_array_equal(getattr(taken.weather, name), getattr(given, name))
            assert taken.weather.values.keys() == given.values.keys()
            for name, array in given.values.items():
                np.testing.assert_array_equal(taken.weather.values[name], array)
            if members is not None and taken.members is not None:
                assert taken.members.locations == REGION.locations * 3
                np.testing.assert_array_equal(taken.members.get("temperature_c"), members.get("temperature_c"))
            taking.clear_memory()
        assert Sharing(taking).taken(replace(REGION, locations=REGION.locations[:-1])) is None  # another grid


def test_what_is_too_large_is_not_shared(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    some = weather()
    size = sum(array.nbytes for array in some.values.values())
    with Caches(redis_url) as caches:
        monkeypatch.setattr(module, "MOST_BYTES", size)
        assert Sharing(caches.open()).give(REGION, Shared(NOW, some, {}), 60)
        monkeypatch.setattr(module, "MOST_BYTES", size - 1)
        assert not Sharing(caches.open()).give(REGION, Shared(NOW, some, {}), 60)
