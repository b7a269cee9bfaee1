"""What is usual at a place: percentiles by season and hour, of the place or of its nearest stations."""

from __future__ import annotations

import numpy as np
import pytest

from core.features import table
from core.learning.normals import HIDE_EVERY, LEAST_VALUES, PLACE, RANKED, RANKS, Normals, rank_name, seen_names
from core.learning.training import LearningSet, Recipe, fit_sampled

NAMES = table.feature_names()


def _rows(place: tuple[float, float], values: np.ndarray, season: float = 0.3, hour: float = 1.0) -> np.ndarray:
    """Return rows of one place, season and hour, in which the temperature takes `values` and the rest is usual."""
    rows = np.zeros((len(values), len(NAMES)), np.float32)
    for name, value in zip(PLACE, place, strict=True):
        rows[:, NAMES.index(name)] = value
    for name, angle in (("season", season), ("solar_hour", hour)):
        rows[:, NAMES.index(f"{name}_sin")] = np.sin(angle)
        rows[:, NAMES.index(f"{name}_cos")] = np.cos(angle)
    rows[:, NAMES.index(RANKED[0])] = values
    return rows


HERE, NEAR, FAR = (30.0, 78.0), (30.5, 78.0), (35.0, 78.0)
USUAL = np.linspace(0, 100, 401)


def _rank(normals: Normals, rows: np.ndarray) -> float:
    return float(normals.ranks(rows)[0, 0])


def test_a_value_is_ranked_among_those_of_its_place_season_and_hour() -> None:
    normals = Normals.fit(_rows(HERE, USUAL), NAMES)
    found = normals.ranks(_rows(HERE, np.array([-5, 7, 20, 40, 60, 80, 92, 99])))
    np.testing.assert_allclose(found[:, 0], RANKS)
    assert np.isnan(_rank(normals, _rows(HERE, np.array([50.0]), hour=3.0))), "no values at this hour"
    assert np.isnan(_rank(normals, _rows(HERE, np.array([50.0]), season=3.0))), "nor in this season"
    assert np.isnan(_rank(normals, _rows(HERE, np.array([np.nan]))))


def test_nearest_stations_speak_where_the_place_has_no_values_of_its_own() -> None:
    normals = Normals.fit(np.concatenate([_rows(HERE, USUAL), _rows(NEAR, USUAL + 1000)]), NAMES)
    hot = np.array([500.0])
    assert _rank(normals, _rows(HERE, hot)) == pytest.approx(RANKS[-1]), "a station speaks for itself alone"
    assert _rank(normals, _rows(NEAR, hot)) == pytest.approx(RANKS[0])
    between = _rank(normals, _rows((30.25, 78.0), hot))
    assert between == pytest.approx((RANKS[0] + RANKS[-1]) / 2)
    assert np.isnan(_rank(normals, _rows(FAR, hot))), "500 km away nobody knows what is usual"


def test_few_values_are_no_percentiles() -> None:
    few, enough = (Normals.fit(_rows(HERE, USUAL[:n]), NAMES) for n in (LEAST_VALUES - 1, LEAST_VALUES))
    assert np.isnan(_rank(few, _rows(HERE, np.array([5.0]))))
    assert np.isfinite(_rank(enough, _rows(HERE, np.array([5.0]))))


def test_a_classifier_sees_ranks_and_no_coordinates() -> None:
    rows = np.concatenate([_rows((30.0 + i, 78.0), USUAL) for i in range(2 * HIDE_EVERY)])
    normals = Normals.fit(rows, NAMES)
    names = seen_names(NAMES)
    assert not set(PLACE) & set(names)
    assert names[-3:] == (
        "temperature_percentile",
        "dew_point_percentile",
        "equivalent_potential_temperature_percentile",
    )
    for seen in (normals.seen(rows), normals.taught(rows)):
        assert seen.shape == (len(rows), len(names))
        np.testing.assert_array_equal(seen[:, names.index(RANKED[0])], rows[:, NAMES.index(RANKED[0])])
    rank = names.index(rank_name(RANKED[0]))
    assert np.isfinite(normals.seen(rows)[:, rank]).all()
    assert np.isnan(normals.taught(rows)[:, rank]).mean() == pytest.approx(1 / HIDE_EVERY)


def test_normals_are_those_of_the_cases_learned_from_alone() -> None:
    rng = np.random.default_rng(2)
    rows = np.concatenate([_rows(HERE, USUAL), _rows(HERE, USUAL + 1000)])
    rows[:, 0] = rng.normal(size=len(rows))
    mm = np.where(rng.random(len(rows)) < 0.3, 40, 0).astype(np.float32)
    cases = LearningSet(rows, mm, np.arange(len(rows)), NAMES)
    first = np.arange(len(rows)) < len(USUAL)
    scorer = fit_sampled(cases, first, Recipe("logistic_regression", 1000, 1))
    assert scorer.normals is not None
    np.testing.assert_array_equal(scorer.normals.levels, Normals.fit(rows[first], NAMES).levels)
    assert np.isfinite(scorer.score(rows)).all()


def test_stored_parts_rank_as_before() -> None:
    normals = Normals.fit(_rows(HERE, USUAL), NAMES)
    again = Normals.from_parts(normals.to_parts())
    rows = _rows(HERE, USUAL[::7])
    np.testing.assert_array_equal(again.seen(rows), normals.seen(rows))
