"""The registry of algorithms. All take NaN in their inputs; all are bounded, so that a year trains in minutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import ConfigurationError


@dataclass(frozen=True)
class Algorithm:
    """One registered algorithm.

    Parameters
    ----------
    name
        Name in the registry and in every version.
    max_rows
        Bound of the sampled training rows: all events are kept, the rest is drawn.
    build
        From a seed to an unfitted scikit-learn classifier.
    """

    name: str
    max_rows: int
    build: Callable[[int], Any]


def _random_forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    # A forest sorts every feature at every node, and twelve fits (three windows, three blocks, everything) leave room
    # for serving within the five minutes that a retraining may take. 100 trees on 20,000 rows took 1.6 times as
    # long for a ROC area of .8767 and a Brier skill of .0239; these reach .8754 and .0238 (blocks of 2021-22, 15 mm/h).
    return RandomForestClassifier(
        n_estimators=60, min_samples_leaf=25, max_features="sqrt", max_samples=0.7, n_jobs=2, random_state=seed
    )


def _extra_trees(seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(n_estimators=150, min_samples_leaf=100, max_features=0.5, n_jobs=2, random_state=seed)


def _gradient_boosting(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    # Unregularised boosting on rare rain reached a Brier skill of -.91: small steps, large leaves, shrunk values.
    return HistGradientBoostingClassifier(
        max_iter=250,
        learning_rate=0.05,
        max_leaf_nodes=24,
        min_samples_leaf=300,
        l2_regularization=20.0,
        max_features=0.3,
        early_stopping=False,
        random_state=seed,
    )


def _logistic_regression(seed: int) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = LogisticRegression(C=0.1, max_iter=400, random_state=seed)
    return make_pipeline(SimpleImputer(strategy="mean", keep_empty_features=True), StandardScaler(), model)


ALGORITHMS: Mapping[str, Algorithm] = {
    a.name: a
    for a in (
        Algorithm("random_forest", 15_000, _random_forest),
        Algorithm("gradient_boosting", 500_000, _gradient_boosting),
        Algorithm("extra_trees", 100_000, _extra_trees),
        Algorithm("logistic_regression", 60_000, _logistic_regression),
    )
}
DEFAULT_ALGORITHM = "random_forest"


def algorithm(name: str) -> Algorithm:
    """Return a registered algorithm.

    Raises
    ------
    ConfigurationError
        If there is none of this name; the hint lists the known ones.
    """
    if name not in ALGORITHMS:
        raise ConfigurationError(f"Unknown model {name!r}.", hint=f"Known are {', '.join(ALGORITHMS)}.", model=name)
    return ALGORITHMS[name]


def fit(name: str, rows: Any, event: Any, weight: Any, seed: int) -> Any:
    """Fit a classifier of the registry.

    Parameters
    ----------
    rows
        Features, shape (rows, features), float32, missing NaN.
    event
        Whether the event followed, shape (rows,), bool.
    weight
        Weight of every row, shape (rows,): undoes the sampling of the non-events.
    """
    model = algorithm(name).build(seed)
    rows = _with_every_column(rows)
    keyword = "logisticregression__sample_weight" if name == "logistic_regression" else "sample_weight"
    return model.fit(rows, event, **{keyword: weight})


def _with_every_column(rows: Any) -> Any:
    """Return rows in which a column without any value is zero: no tree splits on a constant.

    scikit-learn 1.9's histogram boosting fails on a column that is missing throughout; a source without gusts must
    still be able to train.
    """
    empty = ~np.isfinite(rows).any(axis=0)
    return np.where(empty, np.float32(0), rows) if empty.any() else rows
