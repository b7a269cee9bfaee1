"""One program serves several regions with a model each: what is done for one leaves the others as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from core import Core
from core.bootstrap import jobs
from core.domain.forecast import DEFAULT_WINDOW, TARGET
from core.domain.lifecycle import Trigger
from core.errors import SourceUnavailable
from tests.models_made import forecast_model, manifest, probe, stored

NAMES = ("uttarakhand-himachal", "sikkim-arunachal", "jammu-kashmir-ladakh")


@pytest.fixture
def house(open_house: Callable[..., Core]) -> Iterator[Core]:
    opened = open_house(region=",".join(NAMES), grid_spacing_deg=0.5)
    yield opened
    opened.cache.close()


def promoted(house: Core, region_id: str) -> str:
    """Return a new version that serves a region."""
    version = stored(house.store, "simulator").version
    house.lifecycle.promote(version, region_id, "tests", "it knows this region")
    return version


def test_each_region_is_served_by_its_own_champion(house: Core) -> None:
    seed = house.store.seed
    assert house.default_region == NAMES[0]
    own = {name: promoted(house, name) for name in NAMES[:2]} | {NAMES[2]: seed}
    assert len(set(own.values())) == 3
    issues = {name: house.issue(name).forecast for name in NAMES}
    assert {name: issue.model_version for name, issue in issues.items()} == own
    assert {name: issue.model_is_seed for name, issue in issues.items()} == {n: own[n] == seed for n in NAMES}
    for name, issue in issues.items():
        assert [f.location_id for f in issue.forecasts] == [place.id for place in house.region(name).locations]
    assert house.lifecycle.roll_back(NAMES[0], "tests", "worse").to_version == seed
    assert house.issue(NAMES[1]).forecast.model_version == own[NAMES[1]]


def test_models_of_all_regions_stay_in_memory(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        promoted(house, name)
        house.forecasting.served(name)
    loaded: list[str] = []
    load = type(house.store).load
    monkeypatch.setattr(type(house.store), "load", lambda self, version: loaded.append(version) or load(self, version))
    for name in NAMES * 2:
        house.forecasting.served(name)
    assert loaded == []


def test_a_refresh_makes_the_issues_of_all_also_where_one_fails(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.refresh(house)
    ledger, source = house.lifecycle.ledger, house.lifecycle.source
    assert all(len(ledger.issued(source, name, DEFAULT_WINDOW)) for name in NAMES)
    collect = house.forecasting.observing.collect

    def fails_for_one(region: object, checked: object) -> int:
        if region.id == NAMES[1]:  # type: ignore[attr-defined]
            raise SourceUnavailable("away")
        return collect(region, checked)  # type: ignore[arg-type]

    kept: list[str] = []
    monkeypatch.setattr(house.forecasting.observing, "collect", fails_for_one)
    evaluate = house.alerts.evaluate
    monkeypatch.setattr(house.alerts, "evaluate", lambda issue: kept.append(issue.region.id) or evaluate(issue))
    with pytest.raises(SourceUnavailable):
        jobs.refresh(house)
    assert kept == list(NAMES)


def test_challengers_rules_and_plans_are_of_one_region_each(house: Core) -> None:
    made = manifest("simulator")
    trained = made.trained_on.__class__(**{**made.trained_on.__dict__, "region_id": NAMES[1]})
    changed = manifest("simulator", trained_on=trained)
    version = house.store.save(changed, forecast_model().to_parts(), "# {version}\n", probe()).version
    serving = house.forecasting.serving
    assert [serving.challengers("simulator", name, 2) for name in NAMES] == [(), (version,), ()]
    life = house.lifecycle
    for name in NAMES:
        life.wait_for(life.asked(name, who="plan", trigger=Trigger.SCHEDULE))
        life.wait_for(life.asked(name, who="plan", trigger=Trigger.SCHEDULE))
    assert [request.region_id for request in life.waiting] == list(NAMES)
    assert {name: house.alerts.rules(name)[0].region_id for name in NAMES} == {name: name for name in NAMES}


def test_a_point_is_answered_by_the_region_that_it_lies_in(house: Core) -> None:
    for name in NAMES:
        place = house.region(name).locations[5]
        region, found = house.place_at(place.latitude, place.longitude)
        assert (region.id, found.id) == (name, place.id)
        assert (
            next(f for f in house.issue(name).forecast.forecasts if f.location_id == found.id).exceedance.of(TARGET)
            >= 0
        )
