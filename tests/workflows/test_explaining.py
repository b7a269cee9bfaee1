"""Explaining: the drivers of a forecast add up to it, in words that a forecaster reads."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.domain.explanation import Driver
from core.domain.forecast import DEFAULT_WINDOW, TARGET
from core.domain.learning import Measure, Scorecard
from core.features import table, words
from core.learning.calibration import logit, sigmoid
from core.learning.normals import seen_names
from core.words import language
from core.workflows import explaining
from core.workflows.explaining import MOST, drivers, effects, grouped, strongest
from core.workflows.serving import Serving
from tests.models_made import deployed, exceedance_model, model_store, stored
from tests.weather_made import REGION, weather
from tests.workflows.test_forecasting import House

NAMES = table.feature_names()
#: All that any classifier can see: both feature sets, and the columns that normals add.
SEEN = tuple(dict.fromkeys(seen_names(table.feature_names(table.OBSERVED_MODEL)) + seen_names(NAMES)))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path).with_champion()


def rows(hours: int = 300) -> np.ndarray:
    """Return real features of made weather, the last hour of every place, and one row of nothing."""
    built = table.build(weather(hours=hours)).values[:, -1]
    return np.concatenate([built, np.full((1, built.shape[1]), np.nan, np.float32)])


@pytest.mark.parametrize("name", SEEN)
def test_every_feature_has_a_group_and_words(name: str) -> None:
    assert words.group_of(name)
    values = dict.fromkeys(SEEN, 0.5)
    said = words.said(name, values)
    assert said
    assert "{" not in said
    assert words.said(name, values | {name: math.nan}) is None


def test_a_feature_without_words_is_refused() -> None:
    with pytest.raises(LookupError, match="phase_of_the_moon"):
        words.group_of("phase_of_the_moon")


@pytest.mark.parametrize(
    ("values", "name", "said"),
    [
        ({"dew_point_anomaly_k": 3.24}, "dew_point_anomaly_k", "dew point 3.2 K above usual at this hour"),
        ({"dew_point_anomaly_k": -1.0}, "dew_point_anomaly_k", "dew point 1.0 K below usual at this hour"),
        ({"surface_pressure_hpa_change_3h": -2.5}, "surface_pressure_hpa_change_3h", "fell 2.5 hPa in 3 h"),
        ({"around_150km_wet": 2 / 3}, "around_150km_wet", "rain at 67 % of the neighbours within 150 km"),
        ({"rain_3h_west": 2.0}, "rain_3h_west", "about 4.0 mm in 3 h to the west"),
        ({"wind_east_ms": 3.0, "wind_north_ms": 3.0}, "wind_east_ms", "wind from the south-west"),
        ({"wind_east_ms": 0.0, "wind_north_ms": -3.0}, "wind_north_ms", "wind from the north"),
        ({"solar_hour_sin": 0.0, "solar_hour_cos": -1.0}, "solar_hour_cos", "12:00 solar time"),
        ({"solar_hour_sin": -1.0, "solar_hour_cos": 0.0}, "solar_hour_sin", "18:00 solar time"),
        ({"season_sin": 0.0, "season_cos": 1.0}, "season_cos", "as on 1 January north of the equator"),
        ({"season_sin": -0.5, "season_cos": -(0.75**0.5)}, "season_sin", "as on 1 August north of the equator"),
    ],
)
def test_words_carry_the_value(values: dict[str, float], name: str, said: str) -> None:
    assert words.said(name, values) == said


@pytest.mark.parametrize("name", SEEN)
def test_every_feature_has_words_in_hindi(name: str) -> None:
    for value in (-0.5, 0.5):
        said = words.said(name, dict.fromkeys(SEEN, value))
        assert said
        english = set(re.findall(r"[A-Za-z]{2,}", language("hi").say(said))) - {"hPa", "CAPE", "CIN"}
        assert english == set()


@pytest.mark.parametrize(
    ("values", "name", "said"),
    [
        ({"dew_point_anomaly_k": -1.0}, "dew_point_anomaly_k", "ओसांक इस समय के सामान्य से 1.0 K कम"),
        ({"surface_pressure_hpa_change_3h": 2.5}, "surface_pressure_hpa_change_3h", "3 घंटे में 2.5 hPa की वृद्धि"),
        ({"rain_3h_west": 2.0}, "rain_3h_west", "पश्चिम की ओर 3 घंटे में लगभग 4.0 मिमी"),
        ({"wind_east_ms": 3.0, "wind_north_ms": 3.0}, "wind_east_ms", "पवन दक्षिण-पश्चिम से"),
        ({"season_sin": 0.0, "season_cos": 1.0}, "season_cos", "विषुवत रेखा के उत्तर में 1 जनवरी जैसी"),
    ],
)
def test_hindi_words_carry_the_value(values: dict[str, float], name: str, said: str) -> None:
    assert language("hi").say(str(words.said(name, values))) != said
    assert language("hi").say(words.said(name, values) or "") == said


def test_a_driver_is_said_in_the_language_asked_for() -> None:
    driver = grouped(exceedance_model(), NAMES, np.zeros(len(NAMES), np.float32))[0]
    hindi = driver.said(language("hi").say)
    assert hindi.partition(": ")[0] == language("hi").say(driver.group)
    assert hindi.partition(": ")[2] == driver.values(language("hi").say)
    assert driver.text == driver.said(language("en").say) != hindi


@pytest.mark.parametrize("method", ["sigmoid", "steps"])
@pytest.mark.parametrize("algorithm", ["logistic_regression", "gradient_boosting", "random_forest"])
def test_the_groups_add_up_to_the_calibrated_forecast(algorithm: str, method: str) -> None:
    curve = exceedance_model(algorithm)
    if method == "steps":
        steps = np.linspace(-5, 5, 40)
        curve = replace(curve, isotonic_score=steps, isotonic_probability=sigmoid(0.7 * steps - 0.3))
    cases = rows()
    base, added = effects(curve, cases)
    forecast = logit(curve.probabilities(cases)[:, 0])
    np.testing.assert_allclose(base + added.sum(axis=1), forecast, atol=1e-5)
    for i, row in enumerate(cases):
        groups = grouped(curve, NAMES, row)
        assert len({d.group for d in groups}) == len(groups)
        odds = math.exp(base[i]) * math.prod(d.factor for d in groups)
        assert odds == pytest.approx(math.exp(forecast[i]), rel=1e-4)


def test_the_group_of_the_feature_that_decides_leads_and_says_its_value() -> None:
    # In the cases of this model the first feature, the temperature, decides.
    curve, row = exceedance_model(), np.zeros(len(NAMES), np.float32)
    row[0] = 3.0
    first = grouped(curve, NAMES, row)[0]
    assert (first.group, first.raises) == (words.WARMTH, True)
    assert first.text.startswith("Warmth: temperature 3.0 °C")
    row[0] = -3.0
    assert not grouped(curve, NAMES, row)[0].raises


def test_a_group_of_which_nothing_is_known_says_so() -> None:
    groups = grouped(exceedance_model("gradient_boosting"), NAMES, rows()[-1])
    assert {d.text.partition(": ")[2] for d in groups} == {"not known"}


def test_the_strongest_are_at_most_four_up_and_four_down() -> None:
    found = [Driver(f"g{i}", (), effect) for i, effect in enumerate(np.linspace(-3, 3, 13))]
    kept = strongest(sorted(found, key=lambda d: -abs(d.effect)))
    assert sum(d.raises for d in kept) == sum(not d.raises for d in kept) == MOST
    assert min(abs(d.effect) for d in kept) == pytest.approx(1.5)
    assert strongest([Driver("g", (), 0.001)]) == ()


def test_an_issue_has_the_drivers_of_the_very_row_that_was_forecast(house: House) -> None:
    issue = house.forecasting.current(REGION.id)
    served = house.forecasting.served(REGION.id)
    base, _ = effects(served.model.curves[DEFAULT_WINDOW], np.zeros((1, len(NAMES)), np.float32))
    for forecast in issue.forecast.forecasts:
        found = drivers(issue, forecast.location_id, house.forecasting)
        assert found
        assert list(found) == sorted(found, key=lambda d: -abs(d.effect))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explaining, "strongest", tuple)
        for forecast in issue.forecast.forecasts:
            total = base[0] + sum(d.effect for d in drivers(issue, forecast.location_id, house.forecasting))
            p = np.array([forecast.exceedance.of(TARGET)])
            assert total == pytest.approx(logit(p)[0], abs=1e-4)


def test_without_numbers_model_or_skill_there_are_no_drivers(house: House) -> None:
    issue = house.forecasting.current(REGION.id)
    assert drivers(issue, "nowhere", house.forecasting) == ()
    other = stored(house.store, algorithm="logistic_regression", seed=2).version
    deployed(house.store, "gauges", REGION.id, other)
    assert drivers(issue, "a", house.forecasting) == ()  # another model serves by now
    house.forecasting.serving = Serving(model_store(house.folder / "x"))
    assert drivers(issue, "a", house.forecasting) == ()
    house.cache.clear()
    assert drivers(house.forecasting.current(REGION.id), "a", house.forecasting) == ()


def test_where_climatology_speaks_there_are_no_drivers(tmp_path: Path) -> None:
    poor = Scorecard(TARGET, 1000, 10, 0.01, {"brier_skill": Measure(0.0, -0.1, 0.1)}, "cases")
    house = House(tmp_path).with_champion(scorecards=(poor,))
    assert drivers(house.forecasting.current(REGION.id), "a", house.forecasting) == ()


def test_old_data_have_no_drivers(house: House) -> None:
    house.now += timedelta(hours=8)
    assert drivers(house.forecasting.current(REGION.id), "a", house.forecasting) == ()
