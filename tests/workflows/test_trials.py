"""Experiments on the house's own forecasts: every variant is recorded, some places are shown another one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import core.bootstrap
from core import Core, ModelVariant, Stage, TrafficSplitStrategy, UnitKey
from core.domain.experiment import Experiment
from core.domain.forecast import DEFAULT_WINDOW
from core.domain.verification import Outcome, Truth
from core.settings import Settings
from tests.models_made import manifest, stored

NOW = datetime(2026, 7, 1, 12, 20, tzinfo=UTC)


class Moving:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Moving:
    return Moving()


@pytest.fixture
def house(home: Path, clock: Moving) -> Core:
    return core.bootstrap.open_core(Settings(home=home, grid_spacing_deg=1.0), clock)


def version_of(house: Core) -> str:
    """Store a version that may serve simulated data."""
    data = replace(manifest("simulator").trained_on, region_id=house.default_region)
    return stored(house.store, trained_on=data).version


def begun(house: Core, percent: float = 50.0, **changes: Any) -> Experiment:
    """Begin an experiment between the shipped version and another one."""
    fields: dict[str, Any] = {
        "id": "summer",
        "variants": (
            ModelVariant("control", version=house.store.seed, traffic_percentage=100 - percent),
            ModelVariant("challenger", version=version_of(house), traffic_percentage=percent),
        ),
        "strategy": TrafficSplitStrategy.PERCENTAGE,
        "created_at": NOW,
        "source": house.lifecycle.source,
        "region_id": house.default_region,
    }
    return house.experiments.create(Experiment(**{**fields, **changes}))


def test_every_variant_is_recorded_and_some_places_are_shown_the_challenger(house: Core) -> None:
    experiment = begun(house)
    issue = house.forecasting.refresh(house.default_region).forecast
    results = list(house.experiments.records.results("summer"))
    places = len(issue.forecasts)
    assert len(results) == 2 * places
    shown = {r["location_id"]: r["variant_id"] for r in results if r["shown"]}
    versions = {v.variant_id: v.model for v in experiment.variants}
    assert {f.location_id: f.model_version for f in issue.forecasts} == {p: versions[v] for p, v in shown.items()}
    assert 0 < sum(v == "challenger" for v in shown.values()) < places
    assert any("challenger" in text for text in issue.notes)
    assert not any("challenger" in text for text in house.health().problems)
    assert all(r["latency_ms"] > 0 for r in results)
    said = {(r["location_id"], r["variant_id"]): r["probability"] for r in results}
    assert said[issue.forecasts[0].location_id, "control"] != said[issue.forecasts[0].location_id, "challenger"]


def test_every_place_says_which_variant_it_is_of_and_whoever_hands_in_is_answered_by_the_same(house: Core) -> None:
    assert {f.variant for f in house.forecasting.refresh(house.default_region).forecast.forecasts} == {""}
    begun(house)
    issue = house.forecasting.refresh(house.default_region).forecast
    shown = {r["location_id"]: r["variant_id"] for r in house.experiments.records.results("summer") if r["shown"]}
    assert {f.location_id: f.variant for f in issue.forecasts} == {p: f"summer/{v}" for p, v in shown.items()}
    assert issue.forecasts[0].as_dict()["variant"] == issue.forecasts[0].variant
    where = (house.lifecycle.source, house.default_region, house.store.seed)
    for forecast in issue.forecasts:
        told = house.trials.assigned(*where, forecast.location_id, forecast.valid_from)
        assert told is not None
        assert (f"{told.experiment_id}/{told.variant_id}", told.version) == (forecast.variant, forecast.model_version)
    of_another = (house.lifecycle.source, house.default_region, "somebody else")
    assert house.trials.assigned(*of_another, issue.forecasts[0].location_id, issue.valid_from) is None
    house.experiments.step("summer", "stop", "test")
    assert house.trials.assigned(*where, issue.forecasts[0].location_id, issue.valid_from) is None


def test_a_unit_is_shown_the_same_variant_all_day(house: Core, clock: Moving) -> None:
    begun(house)
    first = house.forecasting.refresh(house.default_region).forecast
    clock.now += timedelta(hours=2)
    later = house.forecasting.refresh(house.default_region).forecast
    assert later.valid_from > first.valid_from
    assert [f.model_version for f in later.forecasts] == [f.model_version for f in first.forecasts]


def test_the_first_forecast_of_an_hour_counts(house: Core, clock: Moving) -> None:
    begun(house)
    house.forecasting.refresh(house.default_region)
    before = list(house.experiments.records.results("summer"))
    clock.now += timedelta(minutes=10)
    house.forecasting.refresh(house.default_region)
    assert list(house.experiments.records.results("summer")) == before


def test_a_region_is_shown_one_variant_as_a_whole(house: Core) -> None:
    begun(house, unit=UnitKey.REGION)
    issue = house.forecasting.refresh(house.default_region).forecast
    assert len({f.model_version for f in issue.forecasts}) == 1


def test_the_champion_is_shown_while_it_is_not_the_control(house: Core) -> None:
    experiment = begun(house, percent=100.0)
    other = experiment.challengers[0].model
    begun(house, percent=100.0, id="of-another", variants=tuple(
        ModelVariant(name, version=other, traffic_percentage=share) for name, share in (("a", 0.0), ("b", 100.0))
    ))  # fmt: skip
    house.experiments.step("summer", "stop", "test")
    issue = house.forecasting.refresh(house.default_region).forecast
    assert {f.model_version for f in issue.forecasts} == {house.store.seed}
    results = list(house.experiments.records.results("of-another"))
    assert results
    assert not any(r["shown"] for r in results)


def test_a_challenger_that_cannot_be_loaded_fails_unseen_and_makes_it_unhealthy(house: Core) -> None:
    seed = house.store.seed
    variants = (ModelVariant("control", version=seed), ModelVariant("gone", version="nobody_20260101T000000Z_1"))
    begun(house, variants=variants, strategy=TrafficSplitStrategy.RANDOM)
    issue = house.forecasting.refresh(house.default_region).forecast
    assert {f.model_version for f in issue.forecasts} == {seed}
    failed = [r for r in house.experiments.records.results("summer") if r["variant_id"] == "gone"]
    assert failed
    assert all(r["probability"] is None for r in failed)
    found = house.experiments.analyse("summer")
    assert found.status == "Unhealthy"
    assert "gone" in found.text


def test_a_ledger_that_fails_keeps_nothing_from_the_forecaster(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(house)

    def broken(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(type(house.experiments.records), "record_results", broken)
    issue = house.forecasting.refresh(house.default_region).forecast
    assert {f.model_version for f in issue.forecasts} == {house.store.seed}


def test_truths_of_the_ledger_mature_the_cases_and_a_missing_one_does_not(house: Core, clock: Moving) -> None:
    begun(house)
    issue = house.forecasting.refresh(house.default_region).forecast
    wet, dry, unknown, *_ = (f.location_id for f in issue.forecasts)
    truths = [(wet, Truth.KNOWN, 22.0), (dry, Truth.KNOWN, 3.0), (unknown, Truth.MISSING, float("nan"))]
    house.forecasting.ledger.record_outcomes(
        [
            Outcome(
                house.lifecycle.source, house.default_region, place, issue.valid_from, DEFAULT_WINDOW, truth, mm, mm,
                clock.now, clock.now,
            )
            for place, truth, mm in truths
        ]
    )  # fmt: skip
    house.trials.join(house.default_region, house.lifecycle.source)
    arm = house.experiments.analyse("summer").arms[0]
    places = len(issue.forecasts)
    assert (arm.counts.matured, arm.counts.pending, arm.events) == (2, places - 2, 1)
    clock.now += timedelta(hours=80)
    house.trials.join(house.default_region, house.lifecycle.source)
    arm = house.experiments.analyse("summer").arms[0]
    assert (arm.counts.matured, arm.counts.pending, arm.counts.expired) == (2, 0, places - 2)


def test_a_winner_serves_only_where_the_gate_lets_it_through(house: Core) -> None:
    begun(house)
    with pytest.raises(core.ExperimentError, match="No challenger has won"):
        house.promote_winner("summer", "test")
    house.experiments.decide("summer", "challenger", "test", "to see")
    assert house.experiments.stage("summer") is Stage.DECIDED
    verdict = house.promote_winner("summer", "test")
    assert not verdict.promote
    assert house.store.champion(house.lifecycle.source, house.default_region).version == house.store.seed
