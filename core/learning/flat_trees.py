"""Ensembles of trees as flat arrays, scored ten times as fast as scikit-learn scores them, with the same result.

QuickScorer (Lucchese et al. 2015, doi:10.1145/2766462.2767733) does not follow a path: every split that sends a case to
the right strikes out the leaves on its left, and the lowest leaf that is left is the one where the path ends. The
splits may be asked in any order, without a jump, for many cases at once. A tree with more leaves than a word has bits
is cut here into parts of at most 32 exits each, an exit being a leaf or the root of another part; a part to which no
case has come is passed over, and neighbours on a map come to the same parts.

Thresholds are rounded down to float32: for a float32 x, x <= t and x <= (the largest float32 not above t) are the same.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from core.domain.weather import Values

Floats = NDArray[np.float64]
#: Exits of a part: the bits of a word.
EXITS = 32
#: So many threads share the rows, each with as many at the least: to begin a thread takes as long as some hundred rows.
THREADS, LEAST_ROWS = 2, 2048


@dataclass(frozen=True)
class Tree:
    """One tree, children after their parents; arrays (nodes,), of a leaf `left` is negative and only `value` counts."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: Floats
    missing_left: NDArray[np.bool_]
    value: Floats


@dataclass(frozen=True)
class FlatTrees:
    """An ensemble, ready to score.

    Parameters
    ----------
    features
        How many features a row has.
    splits
        Column of the split's feature (features + column where missing goes right), its threshold, and the word without
        the exits on its left; each (splits,), ordered by part.
    parts
        Where a part's splits begin (parts + 1,), the exit that it hangs on, and its own first exit, each (parts,).
    trees
        The exit that is a tree's root (trees,), where its parts begin (trees + 1,), and what an exit adds to the sum
        (exits,), 0 where a part hangs on it.
    base
        What is added to the sum of all trees.
    in_log_odds
        Whether that is the log-odds of the event, or its probability.
    """

    features: int
    splits: tuple[NDArray[np.uint32], Values, NDArray[np.uint32]]
    parts: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]
    trees: tuple[NDArray[np.int32], NDArray[np.int64], Floats]
    base: float
    in_log_odds: bool

    def probability(self, rows: Values) -> Floats:
        """Return P(event), shape (rows,), as `predict_proba` gives it.

        Parameters
        ----------
        rows
            Shape (rows, features), float32, missing NaN. An infinite value lies beyond every finite threshold.

        Raises
        ------
        ValueError
            If the rows have not as many features as those that were learned from, or are not float32.
        """
        from core.learning.tree_kernel import CASES, summed

        if rows.ndim != 2 or rows.shape[1] != self.features or rows.dtype != np.float32:
            raise ValueError(f"rows are {rows.dtype} {rows.shape}, {self.features} features of float32 are expected")
        rows, total = np.ascontiguousarray(rows), np.empty(len(rows))

        def score(part: slice) -> None:
            summed(rows[part], self.splits, self.parts, self.trees, total[part])

        threads = min(THREADS, max(len(rows) // LEAST_ROWS, 1))
        edges = np.linspace(0, len(rows) // CASES, threads + 1).astype(int) * CASES
        parts = [slice(begin, end) for begin, end in itertools.pairwise([*edges[:-1].tolist(), len(rows)])]
        if threads == 1:
            score(parts[0])
        else:
            with ThreadPoolExecutor(threads) as pool:  # the interpreter is free meanwhile: pages are drawn
                list(pool.map(score, parts))
        total += self.base
        return np.asarray(expit(total), float) if self.in_log_odds else total


def flat(classifier: Any) -> FlatTrees | None:
    """Return the trees of a fitted classifier of two classes, None where it is no ensemble of trees.

    scikit-learn gives some of these arrays under private names only; tests compare every score with its own.
    """
    from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier

    if isinstance(classifier, HistGradientBoostingClassifier):
        if classifier.is_categorical_ is not None or len(classifier.classes_) != 2:
            return None
        trees = [_boosted(predictor.nodes) for (predictor,) in classifier._predictors]
        return flattened(trees, classifier.n_features_in_, float(classifier._baseline_prediction[0, 0]), True)
    if isinstance(classifier, RandomForestClassifier | ExtraTreesClassifier) and len(classifier.classes_) == 2:
        count = len(classifier.estimators_)
        trees = [_of_forest(estimator.tree_, count) for estimator in classifier.estimators_]
        return flattened(trees, classifier.n_features_in_, 0.0, False)
    return None


def _boosted(nodes: NDArray[Any]) -> Tree:
    leaf = nodes["is_leaf"].astype(bool)
    left, right = (np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
    feature, missing_left = nodes["feature_idx"].astype(np.int64), nodes["missing_go_to_left"].astype(bool)
    return Tree(left, right, feature, nodes["num_threshold"], missing_left, nodes["value"])


def _of_forest(tree: Any, count: int) -> Tree:
    missing_left = tree.missing_go_to_left.astype(bool)
    value = tree.value[:, 0, 1] / count
    return Tree(tree.children_left, tree.children_right, tree.feature, tree.threshold, missing_left, value)


def flattened(ensemble: list[Tree], features: int, base: float, in_log_odds: bool) -> FlatTrees:
    """Return the trees of an ensemble in one set of arrays.

    Raises
    ------
    ValueError
        If a tree asks for a feature that no row has, or a child stands before its parent.
    """
    grown = _Grown(features)
    for tree in ensemble:
        inner = tree.left >= 0
        if (np.minimum(tree.left, tree.right) <= np.arange(len(inner)))[inner].any():
            raise ValueError("a child stands before its parent")
        if not ((tree.feature >= 0) & (tree.feature < features))[inner].all():
            raise ValueError(f"a tree asks for a feature beyond the {features} of a row")
        grown.add(tree)
    splits = sorted(grown.splits)
    part, column, threshold, keeps = (np.array([split[i] for split in splits]) for i in range(4))
    return FlatTrees(
        features,
        (column.astype(np.uint32), _down(threshold.astype(float)), keeps.astype(np.uint32)),
        (
            np.searchsorted(part, np.arange(len(grown.hangs_on) + 1)).astype(np.int64),
            np.array(grown.hangs_on, np.int32),
            np.array(grown.first, np.int32),
        ),
        (np.array(grown.start, np.int32), np.array(grown.begin, np.int64), np.array(grown.value, float)),
        base,
        in_log_odds,
    )


@dataclass
class _Grown:
    """What has been made of the first trees of an ensemble: splits as (part, column, threshold, word), and the rest."""

    features: int
    splits: list[tuple[int, int, float, int]] = field(default_factory=list)
    hangs_on: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    begin: list[int] = field(default_factory=lambda: [0])
    value: list[float] = field(default_factory=list)

    def add(self, tree: Tree) -> None:
        """Add the next tree."""
        left, right = tree.left.tolist(), tree.right.tolist()
        feature, threshold, missing_left = tree.feature.tolist(), tree.threshold.tolist(), tree.missing_left.tolist()
        exits, cut = _parts(left, right)
        at, part = [len(self.value)] * len(left), [0] * len(left)  # exit and part of every node
        self.start.append(len(self.value))
        self.value.append(0.0)
        for node, one in enumerate(left):  # parents before children
            if one < 0:
                self.value[at[node]] = float(tree.value[node])
                continue
            if cut[node]:
                part[node], at[node] = self._part(at[node], exits[node])
            other, on_left = right[node], 1 if cut[one] else exits[one]
            begin = at[node] - self.first[part[node]]
            keeps = 0xFFFFFFFF & ~(((1 << on_left) - 1) << begin)
            column = feature[node] if missing_left[node] else self.features + feature[node]
            self.splits.append((part[node], column, threshold[node], keeps))
            at[one], at[other] = at[node], at[node] + on_left
            part[one] = part[other] = part[node]
        self.begin.append(len(self.hangs_on))

    def _part(self, hangs_on: int, exits: int) -> tuple[int, int]:
        """Begin a part with so many exits; return its number and its first exit."""
        self.hangs_on.append(hangs_on)
        self.first.append(len(self.value))
        self.value.extend([0.0] * exits)
        return len(self.hangs_on) - 1, self.first[-1]


def _parts(left: list[int], right: list[int]) -> tuple[list[int], list[bool]]:
    """Return how many exits lie below every node within its part, and at which nodes a part begins.

    From the leaves up: where two children have more than `EXITS` together, the larger becomes a part of its own.
    """
    exits, cut = [1] * len(left), [False] * len(left)
    for node in range(len(left) - 1, -1, -1):
        if left[node] < 0:
            continue
        one, other = sorted((left[node], right[node]), key=lambda child: exits[child])
        count = exits[one] + exits[other]
        if count > EXITS:
            cut[other] = True
            count = exits[one] + 1
        if count > EXITS:  # the smaller is full too
            cut[one] = True
            count = 2
        exits[node] = count
    cut[0] = left[0] >= 0
    return exits, cut


def _down(threshold: Floats) -> Values:
    """Return the largest float32 that is not above a threshold."""
    with np.errstate(over="ignore"):
        near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)
