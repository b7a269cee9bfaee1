"""The model of all windows, and what the calendar alone says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from core.domain.forecast import DEFAULT_WINDOW, WINDOWS, events_in
from core.features import table
from core.learning import calendar
from core.learning.windows import ForecastModel
from tests.models_made import forecast_model
from tests.weather_made import weather


def _rows(count: int = 300) -> np.ndarray:
    return np.random.default_rng(5).normal(size=(count, len(table.feature_names()))).astype(np.float32)


def test_no_window_is_likelier_than_a_longer_one_that_holds_it() -> None:
    model = forecast_model()
    # The shortest window, left alone, would be by far the likeliest.
    wild = dict(model.curves)
    wild[WINDOWS[0]] = type(wild[WINDOWS[0]])(**{**vars(wild[WINDOWS[0]]), "central": wild[WINDOWS[0]].central + 3.0})
    found = ForecastModel(wild).with_interval(_rows())
    alone = wild[WINDOWS[0]].probabilities(_rows())
    for shorter, longer in itertools.pairwise(WINDOWS):
        for part, bound in zip(found[shorter], found[longer], strict=True):
            assert (part <= bound[:, : part.shape[1]]).all()
    assert (alone > found[WINDOWS[0]][0]).any(), "the bound was needed"
    for window, (centre, low, high) in found.items():
        assert centre.shape == (300, len(events_in(window)))
        assert ((low <= centre) & (centre <= high)).all()
        assert (np.diff(centre[:, :4], axis=1) <= 0).all()
        np.testing.assert_array_equal(centre, ForecastModel(wild).probabilities(_rows(), window))


def test_parts_make_the_same_model_again() -> None:
    model = forecast_model()
    again = ForecastModel.from_parts(model.to_parts())
    assert again.windows == WINDOWS
    assert again.extrapolated == model.extrapolated
    for window in WINDOWS:
        np.testing.assert_array_equal(again.probabilities(_rows(), window), model.probabilities(_rows(), window))


def test_calendar_cells_are_those_of_sun_and_season_north_and_south() -> None:
    made = weather(hours=24 * 40)
    built = table.build(made)
    cell = calendar.cells(built.values.reshape(-1, len(built.names)), built.names).reshape(built.values.shape[:2])
    assert set(np.unique(cell)) <= set(range(calendar.CELLS))
    day = made.valid_at.astype("datetime64[D]")
    season = ((day - made.valid_at.astype("datetime64[Y]")).astype(int) / 365.25 * 12).astype(int)
    place = made.locations[0]
    solar = (made.valid_at.astype(int) % 24 + place.longitude / 15) % 24
    assert place.latitude > 0
    np.testing.assert_array_equal(cell[0], season * 8 + (solar // 3).astype(int))


def test_frequencies_are_drawn_to_the_overall_one_where_there_are_few_cases() -> None:
    cell = np.repeat([3, 4], [20_000, 10])
    happened = np.zeros(20_010, bool)
    happened[:200] = True
    happened[20_000:20_005] = True
    rates = calendar.frequencies(cell, happened)
    assert rates[3] == pytest.approx(0.01, rel=0.03)
    assert 0.01 < rates[4] < 0.02, "five of ten are no frequency of a half"
    assert rates[50] == pytest.approx(205.5 / 20_011)


def test_base_rates_fall_with_the_threshold_and_with_the_window() -> None:
    rates = forecast_model().base_rates(_rows(), table.feature_names())
    assert rates[DEFAULT_WINDOW].shape == (300, 5)
    for found in rates.values():
        assert (np.diff(found[:, :4], axis=1) <= 0).all()
    assert (rates[WINDOWS[0]][:, 0] < rates[DEFAULT_WINDOW][:, 0]).all()
