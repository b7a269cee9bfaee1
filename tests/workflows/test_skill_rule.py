"""Where verification shows no skill beyond climatology, climatology is what is issued, and the issue says so."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from core.domain.forecast import DEFAULT_WINDOW, TARGET, WINDOWS, EventDefinition, events_in, hourly_events
from core.domain.learning import Measure, Scorecard
from core.features import table
from core.workflows.serving import Served
from tests.models_made import forecast_model, manifest
from tests.workflows.test_forecasting import House

ROWS = np.random.default_rng(6).normal(size=(200, len(table.feature_names()))).astype(np.float32)


def card(event: EventDefinition, low: float | None) -> Scorecard:
    measures = {"brier_skill": Measure(None if low is None else low + 0.01, low, None if low is None else low + 0.02)}
    return Scorecard(event, 1000, 50, 0.05, measures, "made up")


def served(*cards: Scorecard) -> Served:
    return Served(manifest(scorecards=cards), forecast_model(), False)


@pytest.mark.parametrize("low", [-0.001, 0.0, None])
def test_climatology_stands_where_skill_is_not_beyond_doubt(low: float | None) -> None:
    one = served(card(TARGET, low))
    usual = forecast_model().base_rates(ROWS, table.feature_names())[DEFAULT_WINDOW]
    curves = one.curves(ROWS)[DEFAULT_WINDOW]
    np.testing.assert_allclose([curve.probability for curve in curves], usual)
    np.testing.assert_allclose([curve.low for curve in curves], usual)
    assert {curve.unskilled for curve in curves} == {frozenset(events_in(DEFAULT_WINDOW))}
    np.testing.assert_allclose(one.probabilities(ROWS), usual)


def test_a_skilful_forecast_is_issued_as_it_is() -> None:
    one = served(card(TARGET, 0.001))
    assert {curve.unskilled for curve in one.curves(ROWS)[DEFAULT_WINDOW]} == {frozenset()}
    np.testing.assert_array_equal(one.probabilities(ROWS), forecast_model().probabilities(ROWS))


def test_from_the_first_threshold_without_skill_on_all_rarer_ones_are_climatology() -> None:
    fifteen, thirty, *rarer = hourly_events(DEFAULT_WINDOW)
    curves = served(card(fifteen, 0.01), card(thirty, -0.01)).curves(ROWS)[DEFAULT_WINDOW]
    usual = forecast_model().base_rates(ROWS, table.feature_names())[DEFAULT_WINDOW]
    for row, curve in enumerate(curves):
        assert fifteen not in curve.unskilled
        assert {thirty, *rarer} <= curve.unskilled
        assert curve.of(thirty) == pytest.approx(min(usual[row, 1], curve.of(fifteen)))
        hourly = [curve.of(event) for event in hourly_events(DEFAULT_WINDOW)]
        assert all(more >= less for more, less in itertools.pairwise(hourly))


def test_climatology_of_a_short_window_stays_below_the_forecast_of_a_longer_one() -> None:
    short = hourly_events(WINDOWS[0])[0]
    by_window = served(card(short, -0.01), card(TARGET, 0.01)).curves(ROWS)
    for one, longer in itertools.pairwise(WINDOWS):
        for few, more in zip(by_window[one], by_window[longer], strict=True):
            assert all(p <= q for p, q in zip(few.probability, more.probability[: len(few.probability)], strict=True))


def test_the_issue_says_for_which_events(tmp_path: Path) -> None:
    house = House(tmp_path).with_champion(scorecards=(card(TARGET, -0.01),))
    told = house.issue().as_dict(house.forecasting.clock())["forecasts"][0]["exceedance"]
    assert told["p_15"]["no_skill_beyond_climatology"] is True
    assert told["p_15"]["base_rate"] == pytest.approx(told["p_15"]["probability"])
    assert told["p_15_0to3h"]["no_skill_beyond_climatology"] is False
