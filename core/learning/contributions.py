"""What every feature adds to a score: exact and additive, base + sum of contributions = score.

Along its path through a tree a case meets nodes whose values differ; each difference belongs to the feature that was
asked at the split (Saabas 2014, "Interpreting random forests", blog.datadive.net). A linear model has its terms. This
is exact for the one forecast and costs milliseconds. It is no Shapley value (Lundberg et al. 2020,
doi:10.1038/s42256-019-0138-9): features asked near the leaves get more than those asked near the root, and of two
features that say the same the one that was asked has it all. Summed over groups of kindred features, most of that
second effect cancels. No contribution is a cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.learning.calibration import logit

Floats = NDArray[np.float64]
#: Base (rows,) and contributions (rows, features).
Additive = tuple[Floats, Floats]
#: Scores that differ less from their base have no direction to share out.
NOTHING = 1e-12


@dataclass(frozen=True)
class _Trees:
    """All trees of an ensemble in one array of nodes; a leaf is its own child, so that a path may wait there."""

    root: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: Floats
    missing_left: NDArray[np.bool_]
    value: Floats
    leaf: NDArray[np.bool_]

    def walked(self, rows: NDArray[Any]) -> Additive:
        """Return the sum of the roots' values and what every feature adds on the way to the leaves."""
        count, features = rows.shape
        at = np.broadcast_to(self.root, (count, len(self.root)))
        row = np.arange(count)[:, None]
        added = np.zeros(count * features)
        while not self.leaf[at].all():
            feature = self.feature[at]
            x = rows[row, feature]
            goes_left = np.where(np.isnan(x), self.missing_left[at], x <= self.threshold[at])
            to = np.where(goes_left, self.left[at], self.right[at])
            step = self.value[to] - self.value[at]
            added += np.bincount((row * features + feature).ravel(), step.ravel(), len(added))
            at = to
        return np.full(count, self.value[self.root].sum()), added.reshape(count, features)


def contributions(classifier: Any, rows: NDArray[Any]) -> Additive:
    """Return what every feature adds to the score of a fitted classifier, in the classifier's own unit.

    Parameters
    ----------
    classifier
        One of the registry: histogram boosting and the logistic pipeline score in log-odds, forests in probability.
    rows
        Features, shape (rows, features), missing NaN.

    Returns
    -------
    base (rows,), contributions (rows, features)
        base + contributions.sum(axis=1) is `decision_function`, or P(event) of a forest.

    Raises
    ------
    TypeError
        If it is no classifier of the registry.
    """
    from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.pipeline import Pipeline

    if isinstance(classifier, HistGradientBoostingClassifier):
        base, added = _boosted(classifier).walked(rows)
        return base + float(classifier._baseline_prediction[0, 0]), added
    if isinstance(classifier, RandomForestClassifier | ExtraTreesClassifier):
        base, added = _forest(classifier).walked(rows.astype(np.float32))
        return base / len(classifier.estimators_), added / len(classifier.estimators_)
    if isinstance(classifier, Pipeline):
        linear = classifier[-1]
        terms = classifier[:-1].transform(rows.astype(np.float64)) * linear.coef_[0]
        return np.full(len(rows), float(linear.intercept_[0])), np.asarray(terms, float)
    raise TypeError(f"no contributions are known of a {type(classifier).__name__}")


def in_log_odds(classifier: Any, rows: NDArray[Any]) -> Additive:
    """Return the same in log-odds for every classifier of the registry.

    A forest's probabilities are shared out in proportion: with p the score and b the base every contribution is
    multiplied by (logit p - logit b) / (p - b), so that signs, order and the exact sum stay.
    """
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    base, added = contributions(classifier, rows)
    if not isinstance(classifier, RandomForestClassifier | ExtraTreesClassifier):
        return base, added
    return rescaled((base, added), logit(base), logit(base + added.sum(axis=1)))


def weighted(members: Sequence[tuple[float, Any]], rows: NDArray[Any]) -> Additive:
    """Return the same for a score that is a sum of weight x log-odds over (weight, classifier)."""
    parts = [(weight, *in_log_odds(classifier, rows)) for weight, classifier in members]
    return (
        np.sum([weight * base for weight, base, _ in parts], axis=0),
        np.sum([weight * added for weight, _, added in parts], axis=0),
    )


def rescaled(additive: Additive, base: Floats, score: Floats) -> Additive:
    """Return contributions shared out in proportion on another scale, where they lead from `base` to `score`.

    Where base and score are the same on the old scale, or all contributions are zero, there is nothing to share out.
    """
    _, added = additive
    way = added.sum(axis=1)
    moves = np.abs(way) > NOTHING
    factor = np.where(moves, (score - base) / np.where(moves, way, 1.0), 0.0)
    return np.where(moves, base, score), added * factor[:, None]


def _boosted(classifier: Any) -> _Trees:
    """Return the trees of histogram boosting. Only the leaves' values carry the learning rate: inner nodes get it here.

    scikit-learn gives these arrays under private names only; a test compares every sum with `decision_function`.
    """
    nodes = [predictor[0].nodes for predictor in classifier._predictors]
    root, flat = _roots([len(n) for n in nodes]), np.concatenate(nodes)
    leaf = flat["is_leaf"].astype(bool)
    offset = np.repeat(root, [len(n) for n in nodes])
    return _Trees(
        root=root,
        left=np.where(leaf, np.arange(len(flat)), flat["left"] + offset),
        right=np.where(leaf, np.arange(len(flat)), flat["right"] + offset),
        feature=np.where(leaf, 0, flat["feature_idx"]),
        threshold=flat["num_threshold"],
        missing_left=flat["missing_go_to_left"].astype(bool),
        value=flat["value"] * np.where(leaf, 1.0, classifier.learning_rate),
        leaf=leaf,
    )


def _forest(classifier: Any) -> _Trees:
    """Return the trees of a forest; a node's value is the share of events there."""
    trees = [estimator.tree_ for estimator in classifier.estimators_]
    sizes = [tree.node_count for tree in trees]
    root = _roots(sizes)
    offset, left = np.repeat(root, sizes), np.concatenate([tree.children_left for tree in trees])
    leaf = left < 0
    own = np.arange(len(left))
    return _Trees(
        root=root,
        left=np.where(leaf, own, left + offset),
        right=np.where(leaf, own, np.concatenate([tree.children_right for tree in trees]) + offset),
        feature=np.where(leaf, 0, np.concatenate([tree.feature for tree in trees])),
        threshold=np.concatenate([tree.threshold for tree in trees]),
        missing_left=np.concatenate([tree.missing_go_to_left for tree in trees]).astype(bool),
        value=np.concatenate([tree.value[:, 0, 1] for tree in trees]),
        leaf=leaf,
    )


def _roots(sizes: Sequence[int]) -> NDArray[np.int64]:
    """Return where every tree begins among the nodes of all."""
    return np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
