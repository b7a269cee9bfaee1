"""Contributions: what the features add is what the score is made of, to the last digit."""

from __future__ import annotations

import time
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from core.learning import contributions, estimators
from core.learning.calibration import logit

FEATURES = 12


@lru_cache
def cases() -> tuple[Any, Any]:
    """Return rows with a tenth of them missing, a column that is always missing, and a rare event."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(8_000, FEATURES)).astype(np.float32)
    event = rows[:, 0] + rows[:, 1] * rows[:, 2] + rng.normal(size=len(rows)) > 2.5
    rows[rng.random(rows.shape) < 0.1] = np.nan
    rows[:, 5] = np.nan
    return rows, event


@lru_cache
def fitted(name: str) -> Any:
    rows, event = cases()
    weight = np.where(event, 1.0, 7.0)
    return estimators.fit(name, rows, event, weight, seed=4)


def own_score(name: str, rows: Any) -> Any:
    classifier = fitted(name)
    if name in ("random_forest", "extra_trees"):
        return classifier.predict_proba(rows)[:, 1]
    return classifier.decision_function(rows.astype(np.float64))


def probes() -> Any:
    """Return some rows of the cases, one that is missing throughout, and one of values beyond all of them."""
    rows = cases()[0]
    return np.concatenate([rows[:200], np.full((1, FEATURES), np.nan, np.float32), rows[:1] * 1e6])


@pytest.mark.parametrize("name", estimators.ALGORITHMS)
def test_base_and_contributions_are_the_score(name: str) -> None:
    rows = probes()
    base, added = contributions.contributions(fitted(name), rows)
    assert (base.shape, added.shape) == ((len(rows),), (len(rows), FEATURES))
    np.testing.assert_allclose(base + added.sum(axis=1), own_score(name, rows), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", estimators.ALGORITHMS)
def test_in_log_odds_they_are_the_log_odds_of_the_forecast(name: str) -> None:
    rows = probes()[:-1]  # a linear model of values beyond all others is surer than a probability can be
    base, added = contributions.in_log_odds(fitted(name), rows)
    expected = logit(fitted(name).predict_proba(rows)[:, 1].astype(float))
    np.testing.assert_allclose(base + added.sum(axis=1), expected, rtol=0, atol=2e-6)
    plain = contributions.contributions(fitted(name), rows)[1]
    assert (np.sign(added) == np.sign(plain)).all()


def test_a_sum_of_classifiers_has_the_sum_of_their_contributions() -> None:
    rows = probes()[:-1]
    members = [(0.7, fitted("gradient_boosting")), (0.3, fitted("extra_trees"))]
    base, added = contributions.weighted(members, rows)
    expected = sum(weight * logit(one.predict_proba(rows)[:, 1].astype(float)) for weight, one in members)
    np.testing.assert_allclose(base + added.sum(axis=1), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", ["gradient_boosting", "random_forest", "extra_trees"])
def test_the_base_of_trees_is_the_share_of_events_that_they_learned_from(name: str) -> None:
    rows, event = cases()
    weight = np.where(event, 1.0, 7.0)
    share = (event * weight).sum() / weight.sum()
    base, _ = contributions.in_log_odds(fitted(name), rows[:1])
    assert base[0] == pytest.approx(logit(share)[()], abs=0.05)


@pytest.mark.parametrize("name", estimators.ALGORITHMS)
def test_a_feature_that_says_nothing_gets_nothing(name: str) -> None:
    _, added = contributions.contributions(fitted(name), probes())
    assert (added[:, 5] == 0).all()  # never asked: it was missing throughout
    assert np.abs(added[:, 0]).mean() > 5 * np.abs(added[:, 7]).mean()  # the first decides, the eighth is noise


def test_the_path_of_a_tree_made_by_hand() -> None:
    # Root .5; feature 0 <= 0 ? .2 (leaf) : .8, and there feature 1 <= 1 ? .6 (leaf) : 1 (leaf). Missing goes right.
    tree = SimpleNamespace(
        node_count=5,
        children_left=np.array([1, -1, 3, -1, -1]),
        children_right=np.array([2, -1, 4, -1, -1]),
        feature=np.array([0, -2, 1, -2, -2]),
        threshold=np.array([0.0, -2, 1, -2, -2]),
        missing_go_to_left=np.zeros(5, np.uint8),
        value=np.array([[[1 - p, p]] for p in (0.5, 0.2, 0.8, 0.6, 1.0)]),
    )
    forest = RandomForestClassifier()
    forest.estimators_ = [SimpleNamespace(tree_=tree)]
    rows = np.array([[-1.0, 9, 9], [1, 0, 9], [np.nan, 2, 9]])
    base, added = contributions.contributions(forest, rows)
    np.testing.assert_allclose(base, 0.5)
    np.testing.assert_allclose(added, [[-0.3, 0, 0], [0.3, -0.2, 0], [0.3, 0.2, 0]])


def test_small_steps_of_boosting_share_out_in_the_same_proportions() -> None:
    rows, event = cases()
    rows = np.delete(rows, 5, axis=1)  # the column without any value
    one, tenth = (
        HistGradientBoostingClassifier(max_iter=1, learning_rate=rate, random_state=1).fit(rows, event)
        for rate in (1.0, 0.1)
    )
    whole, part = (contributions.contributions(classifier, rows[:200])[1] for classifier in (one, tenth))
    assert np.abs(whole).max() > 0.1
    np.testing.assert_allclose(part, whole / 10, atol=1e-9)


def test_one_row_of_250_trees_takes_less_than_20_ms() -> None:
    classifier, row = fitted("gradient_boosting"), probes()[:1]
    assert len(classifier._predictors) == 250
    took = []
    for _ in range(9):
        began = time.perf_counter()
        contributions.contributions(classifier, row)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.02


def test_another_classifier_is_refused() -> None:
    with pytest.raises(TypeError, match="SimpleNamespace"):
        contributions.contributions(SimpleNamespace(), probes())
