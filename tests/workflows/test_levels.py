"""Levels of issues that follow one another: they rise at once, fall by the margin, and know which model serves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.domain.forecast import TARGET, RiskLevel
from core.domain.learning import Measure, Scorecard
from core.quality.checks import check
from core.risk import AgeLimits, LevelRule, Tiers
from core.workflows.hindcasting import Hindcasting
from core.workflows.serving import Serving
from tests.models_made import model_store
from tests.weather_made import END, REGION
from tests.workflows.test_forecasting import House

#: No probability reaches these.
NEVER = (2.0, 3.0)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path).with_champion()


def level(house: House, yellow: float) -> RiskLevel:
    """Return the level of the first place in a new issue under another threshold of yellow."""
    house.forecasting.tiers = Tiers(yellow, *NEVER)
    return house.issue().forecasts[0].level


def probability(house: House) -> float:
    level(house, 1.5)
    return house.issue().forecasts[0].exceedance.probability[0]


def no_model(folder: Path) -> Serving:
    return Serving(model_store(folder / "none"))


def test_a_level_holds_over_issues_within_the_margin_and_a_restart(house: House) -> None:
    p = probability(house)
    assert level(house, 0.99 * p) is RiskLevel.YELLOW
    assert level(house, 1.1 * p) is RiskLevel.YELLOW  # 9 % below its threshold
    assert level(house, 1.3 * p) is RiskLevel.GREEN  # 23 % below
    assert level(house, 1.1 * p) is RiskLevel.GREEN
    house.now += timedelta(hours=1)
    assert level(house, 0.99 * p) is RiskLevel.YELLOW
    house.forecasting = replace(house.forecasting, _known={})  # what a new process begins with
    assert level(house, 1.1 * p) is RiskLevel.YELLOW
    house.forecasting = replace(house.forecasting, _known={}, ledger=House(house.folder / "another").ledger)
    assert level(house, 1.1 * p) is RiskLevel.GREEN


@pytest.mark.parametrize(("hours", "expected"), [(6, RiskLevel.YELLOW), (7, RiskLevel.GREEN)])
def test_after_unknown_a_level_is_remembered_for_six_hours(house: House, hours: int, expected: RiskLevel) -> None:
    p = probability(house)
    assert level(house, 0.99 * p) is RiskLevel.YELLOW
    begun, model = house.now, house.forecasting.serving
    house.forecasting.serving = no_model(house.folder)
    house.now = begun + timedelta(minutes=5)
    assert level(house, 0.99 * p) is RiskLevel.UNKNOWN  # never held
    house.forecasting.serving = model
    house.forecasting.limits = AgeLimits(no_data=timedelta(days=1))
    house.now = begun + timedelta(hours=hours)
    assert level(house, 1.1 * p) is expected


def test_the_lift_rule_is_scaled_by_the_scorecard_of_the_model_that_serves(tmp_path: Path) -> None:
    card = Scorecard(TARGET, 1000, 100, 0.1, {}, "cases")
    house = House(tmp_path).with_champion(scorecards=(card,))
    house.forecasting.tiers = Tiers(rule=LevelRule.LIFT)
    assert "climatology is 10 %" in house.forecasting.rule(REGION).text
    house.forecasting.serving = no_model(tmp_path)
    assert "not scaled to climatology" in house.forecasting.rule(REGION).text


def test_the_levels_of_an_issue_are_those_of_the_rule_in_the_legend(tmp_path: Path) -> None:
    house = House(tmp_path).with_champion(
        scorecards=(Scorecard(TARGET, 1000, 500, 0.5, {"brier_skill": Measure(0.1, 0.05, 0.2)}, "cases"),)
    )
    p = probability(house)
    plain, scaled = 0.9 * p, Tiers(0.9 * p, 0.9991, 0.9992, LevelRule.LIFT)
    assert Tiers(plain, *NEVER).levels(house.issue().probabilities(TARGET))[0] is RiskLevel.YELLOW
    house.forecasting.tiers = scaled  # at a base rate of 50 % the same lift is almost certainty
    issue = house.issue()
    assert [f.level for f in issue.forecasts] == list(
        house.forecasting.rule(REGION).levels(issue.probabilities(TARGET))
    )
    assert house.forecasting.rule(REGION).thresholds[0] > plain


def test_a_hindcast_has_the_levels_of_hours_that_follow_one_another(house: House) -> None:
    version = house.store.champion("gauges", REGION.id).version
    (rows,) = Hindcasting(Serving(house.store), check, Tiers()).run(
        house.source, (END - timedelta(days=6), END), version
    )
    p = rows.probability[:, 0]
    tiers = Tiers(float(np.median(p)), *NEVER, margin=0.5)  # half of the hours lie below it
    (rows,) = Hindcasting(Serving(house.store), check, tiers).run(house.source, (END - timedelta(days=6), END), version)
    places = [place.id for place in REGION.locations]
    expected, before = [], dict.fromkeys(places, RiskLevel.UNKNOWN)
    for place, value in zip(rows.location_id, p, strict=True):
        (before[place],) = tiers.levels(np.array([value]), [before[place]])
        expected.append(before[place])
    assert list(rows.level) == expected
    assert rows.level != tiers.levels(p)  # without a margin it would flicker
