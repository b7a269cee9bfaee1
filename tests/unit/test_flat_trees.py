"""Flat trees: the same numbers as scikit-learn's, whatever the rows, the threads and numba's cache."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from core.learning import estimators, flat_trees, tree_kernel
from core.learning.calibration import logit
from core.learning.flat_trees import EXITS, FlatTrees, Tree, flat, flattened
from core.learning.scorer import Scorer

FEATURES = 10
#: Sums of the same numbers in another order.
LAST_DIGITS = 1e-13
TREES = ("random_forest", "extra_trees", "gradient_boosting")


@lru_cache
def cases(missing: float = 0.1) -> tuple[Any, Any]:
    """Return rows, some of them with values that many share, and a rare event."""
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(6000, FEATURES)).astype(np.float32)
    rows[:, 3] = np.round(rows[:, 3])
    event = rows[:, 0] + rows[:, 1] * rows[:, 2] + rng.normal(size=len(rows)) > 1.5
    rows[rng.random(rows.shape) < missing] = np.nan
    return rows, event


@lru_cache
def fitted(name: str, missing: float = 0.1) -> Any:
    rows, event = cases(missing)
    if name == "forest of 300":
        return RandomForestClassifier(300, min_samples_leaf=2, n_jobs=1, random_state=1).fit(rows, event)
    if name == "one deep tree":
        return RandomForestClassifier(1, max_features=1, n_jobs=1, random_state=1).fit(rows, event)
    if name == "boosting of large trees":
        return HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=300, random_state=1).fit(rows, event)
    return estimators.fit(name, rows, event, np.where(event, 1.0, 3.0), seed=2)


@lru_cache
def made(name: str, missing: float = 0.1) -> FlatTrees:
    trees = flat(fitted(name, missing))
    assert trees is not None
    return trees


def peer(classifier: Any, rows: Any) -> NDArray[np.float64]:
    """Return what scikit-learn says."""
    return np.asarray(classifier.predict_proba(rows)[:, 1], float)


ALL = (*TREES, "forest of 300", "one deep tree", "boosting of large trees")


@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("name", ALL)
def test_probabilities_are_those_of_scikit_learn(name: str, missing: float) -> None:
    """Values may be missing in training and later, in training only, or later only."""
    for rows in (cases(0.0)[0], cases(0.1)[0], np.full((1, FEATURES), np.nan, np.float32)):
        expected = peer(fitted(name, missing), rows)
        np.testing.assert_allclose(made(name, missing).probability(rows), expected, rtol=0, atol=LAST_DIGITS)


@pytest.mark.parametrize("name", ALL)
def test_values_at_a_threshold_and_beside_it_go_where_scikit_learn_sends_them(name: str) -> None:
    column, threshold, _ = made(name).splits
    rng = np.random.default_rng(1)
    rows = cases()[0][:900].copy()
    for nudge, some in zip((-np.inf, None, np.inf), np.split(rows, 3), strict=True):
        for feature in range(FEATURES):
            at = threshold[(column % FEATURES == feature) & np.isfinite(threshold)]
            if len(at):
                drawn = rng.choice(at, len(some))
                some[:, feature] = drawn if nudge is None else np.nextafter(drawn, np.float32(nudge))
    np.testing.assert_allclose(made(name).probability(rows), peer(fitted(name), rows), rtol=0, atol=LAST_DIGITS)


def test_an_infinite_value_lies_beyond_every_threshold() -> None:
    rows = cases()[0][:400].copy()
    rows[::2, 0], rows[1::2, 1] = np.inf, -np.inf
    boosted = made("gradient_boosting").probability(rows)
    np.testing.assert_allclose(boosted, peer(fitted("gradient_boosting"), rows), rtol=0, atol=LAST_DIGITS)
    far = np.where(np.isinf(rows), np.sign(rows) * np.float32(1e30), rows)  # a forest of scikit-learn refuses infinity
    expected = peer(fitted("random_forest"), far)
    np.testing.assert_allclose(made("random_forest").probability(rows), expected, rtol=0, atol=LAST_DIGITS)


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 4095, 4096, 4097, 5000])
@pytest.mark.parametrize("name", ["random_forest", "gradient_boosting"])
def test_any_number_of_rows_is_scored_alike(name: str, count: int) -> None:
    rows = cases()[0]
    whole = made(name).probability(rows)
    some = made(name).probability(rows[:count])
    assert some.shape == (count,)
    assert np.isfinite(whole).all()
    np.testing.assert_array_equal(some, whole[:count])


def test_rows_may_be_read_only_and_lie_apart() -> None:
    rows = np.asfortranarray(cases()[0][:200])
    rows.flags.writeable = False
    expected = made("random_forest").probability(cases()[0][:200])
    np.testing.assert_array_equal(made("random_forest").probability(rows), expected)


@pytest.mark.parametrize("wrong", [np.zeros((3, FEATURES - 1), np.float32), np.zeros((3, FEATURES)), np.zeros(3)])
def test_rows_of_another_shape_or_kind_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="10 features of float32 are expected"):
        made("gradient_boosting").probability(wrong)


def test_many_threads_at_once_say_the_same() -> None:
    rows = cases()[0]
    alone = {name: made(name).probability(rows) for name in TREES}
    with ThreadPoolExecutor(8) as pool:
        asked = [(name, pool.submit(made(name).probability, rows)) for _ in range(8) for name in TREES]
        for name, answer in asked:
            np.testing.assert_array_equal(answer.result(), alone[name])


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(2, 90), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_ensemble_agrees_on_any_rows(seed: int, features: int, leaves: int, boosted: bool) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(300, features)).astype(np.float32) ** np.float32(rng.integers(1, 4))
    rows[rng.random(rows.shape) < rng.uniform(0, 0.6)] = np.nan
    event = rng.random(300) < 0.4
    event[:2] = False, True
    classifier = (
        HistGradientBoostingClassifier(max_iter=4, max_leaf_nodes=leaves, min_samples_leaf=1, max_bins=40)
        if boosted
        else RandomForestClassifier(4, max_leaf_nodes=leaves, random_state=seed % 1000)
    )
    classifier.fit(np.where(np.isfinite(rows).any(axis=0), rows, np.float32(0)), event)
    asked = np.concatenate([rows, rng.normal(size=(50, features)).astype(np.float32) * 3, rows * np.nan])
    trees = flat(classifier)
    assert trees is not None
    np.testing.assert_allclose(trees.probability(asked), peer(classifier, asked), rtol=0, atol=LAST_DIGITS)


def _tree(left: list[int], right: list[int], value: list[float], feature: int = 0) -> Tree:
    count = len(left)
    threshold, missing_left = np.arange(count, dtype=float), np.zeros(count, bool)
    return Tree(np.array(left), np.array(right), np.full(count, feature), threshold, missing_left, np.array(value))


def test_trees_of_one_leaf_say_their_value() -> None:
    alone = flattened([_tree([-1], [-1], [0.25])], 1, 0.0, False)
    np.testing.assert_array_equal(alone.probability(np.zeros((70, 1), np.float32)), np.full(70, 0.25))
    both = flattened([_tree([-1], [-1], [0.25]), _tree([1, -1, -1], [2, -1, -1], [0, 0.5, 0.125])], 1, 0.0, False)
    rows = np.array([[0.0], [0.5], [np.nan]], np.float32)
    np.testing.assert_array_equal(both.probability(rows), [0.75, 0.375, 0.375])


def test_no_tree_at_all_says_the_base() -> None:
    np.testing.assert_array_equal(flattened([], 2, 0.5, False).probability(np.zeros((2, 2), np.float32)), [0.5, 0.5])


@pytest.mark.parametrize("to_left", [True, False])
def test_a_tree_that_only_goes_one_way_is_cut_into_parts(to_left: bool) -> None:
    """A list of 1,000 leaves, as deep as it is long: case x leaves it at the first threshold it does not pass."""
    deep = 1000
    near, far = [*range(2, 2 * deep, 2)], [*range(1, 2 * deep - 1, 2)]
    one, other = np.full(2 * deep - 1, -1), np.full(2 * deep - 1, -1)
    inner = np.arange(0, 2 * deep - 2, 2)
    one[inner], other[inner] = (near, far) if to_left else (far, near)
    threshold = np.zeros(2 * deep - 1)
    threshold[inner] = np.arange(deep - 1)[:: -1 if to_left else 1]
    value = np.arange(2 * deep - 1, dtype=float)
    tree = Tree(one, other, np.zeros(len(one), int), threshold, np.zeros(len(one), bool), value)
    trees = flattened([tree], 1, 0.0, False)
    begin, _, _ = trees.parts
    assert np.diff(begin).max() < EXITS
    rows = np.linspace(-2, deep + 2, 777).astype(np.float32)[:, None]
    at = np.zeros(len(rows), int)
    while (one[at] >= 0).any():
        at = np.where(one[at] < 0, at, np.where(rows[:, 0] <= threshold[at], one[at], other[at]))
    np.testing.assert_array_equal(trees.probability(rows), value[at])


def test_trees_that_no_fit_makes_are_refused() -> None:
    with pytest.raises(ValueError, match="before its parent"):
        flattened([_tree([1, 0, -1], [2, 2, -1], [0, 0, 0])], 1, 0.0, False)
    with pytest.raises(ValueError, match="beyond the 1 of a row"):
        flattened([_tree([1, -1, -1], [2, -1, -1], [0, 0, 0], feature=1)], 1, 0.0, False)


@pytest.mark.parametrize("name", estimators.ALGORITHMS)
def test_a_scorer_says_the_log_odds_of_its_classifier(name: str) -> None:
    rows = cases()[0]
    scorer = Scorer(fitted(name))
    expected = logit(peer(fitted(name), rows))
    np.testing.assert_allclose(scorer.score(rows), expected, rtol=0, atol=1e-9)
    wide = rows.astype(np.float64)  # float32 would send some of them another way: scikit-learn itself answers
    np.testing.assert_allclose(scorer.score(wide), logit(peer(fitted(name), wide)), rtol=0, atol=1e-9)
    assert (flat(fitted(name)) is None) == (name == "logistic_regression")


def test_a_scorer_does_not_ask_scikit_learn_about_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = Scorer(fitted("gradient_boosting"))
    expected = scorer.score(cases()[0][:50])
    monkeypatch.setattr(HistGradientBoostingClassifier, "predict_proba", None)
    np.testing.assert_array_equal(scorer.score(cases()[0][:50]), expected)


@pytest.mark.parametrize("fault", [RuntimeError("no locator available"), OSError(28, "No space left"), EOFError()])
def test_without_a_cache_that_works_the_kernel_is_compiled_all_the_same(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    njit = tree_kernel.numba.njit
    asked = []

    def failing(signature: Any, cache: bool = False, **how: Any) -> Any:
        asked.append(cache)
        if cache:
            raise fault
        return njit(signature, **how)

    monkeypatch.setattr(tree_kernel, "numba", SimpleNamespace(njit=failing))
    kernel = tree_kernel.compiled()
    assert asked == [True, False]
    monkeypatch.setattr(tree_kernel, "summed", kernel)
    rows = cases()[0][:100]
    np.testing.assert_allclose(
        made("random_forest").probability(rows), peer(fitted("random_forest"), rows), rtol=0, atol=LAST_DIGITS
    )


def test_numba_is_imported_with_the_first_score_only() -> None:
    import subprocess

    code = "import sys, core.learning.scorer, core.bootstrap; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert flat_trees.THREADS >= 1
