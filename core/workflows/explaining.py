"""Explaining: what raised and what lowered the probability at one place, in a forecaster's words."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.domain.explanation import Driver
from core.domain.forecast import DEFAULT_WINDOW, TARGET
from core.domain.told import tell
from core.domain.weather import Values
from core.errors import ModelError
from core.features import words
from core.learning import contributions
from core.learning.calibration import logit
from core.learning.exceedance import ExceedanceModel
from core.workflows.forecasting import Forecasting, Issue

Floats = NDArray[np.float64]
#: So many that raise and so many that lower.
MOST = 4
#: A group says so many of its values, those that did most.
FACTS = 3
#: Effects below this change the odds by less than 2 %: nobody decides by them.
LEAST_EFFECT = 0.02


def drivers(issue: Issue, location_id: str, forecasting: Forecasting) -> tuple[Driver, ...]:
    """Return what drove P(target event) at one place of an issue: at most four up and four down, the strongest first.

    Nothing where nothing is known of the place, where climatology stands in for a model without skill, and where
    another model serves by now than made the issue.
    """
    made = issue.forecast
    forecast = made.of(location_id)
    if issue.situation is None or forecast is None or math.isnan(forecast.exceedance.of(TARGET)):
        return ()
    if TARGET in forecast.exceedance.unskilled:
        return ()
    try:
        served = forecasting.served(made.region.id)
    except ModelError:
        return ()
    if served.manifest.version != made.model_version:
        return ()
    place = [p.id for p in made.region.locations].index(location_id)
    row = issue.situation.rows[place]
    names = served.manifest.feature_names
    return strongest(grouped(served.model.curves[DEFAULT_WINDOW], names, row[: len(names)]))


def grouped(curve: ExceedanceModel, names: Sequence[str], row: Values) -> tuple[Driver, ...]:
    """Return what every group of features adds to the calibrated log-odds of one case, the strongest first.

    Their sum is logit P(case) - logit P(base), P(base) being the calibrated probability of the classifier's base.

    Parameters
    ----------
    row
        Features of the case, shape (features,), missing NaN.
    """
    _, added = effects(curve, row[None, :])
    names = curve.scorer.seen_names(names)
    values = dict(zip(names, curve.scorer.seen(row[None, :])[0].astype(float).tolist(), strict=True))
    effect = dict(zip(names, added[0].tolist(), strict=True))
    members: dict[str, list[str]] = defaultdict(list)
    for name in names:
        members[words.group_of(name)].append(name)
    found = []
    for group, features in members.items():
        total = math.fsum(effect[name] for name in features)
        ranked = sorted(features, key=lambda name: -effect[name] * math.copysign(1, total))
        facts = dict.fromkeys(filter(None, (words.said(name, values) for name in ranked)))
        found.append(Driver(group, tuple(facts)[:FACTS] or (tell("not known"),), total))
    return tuple(sorted(found, key=lambda driver: -abs(driver.effect)))


def effects(curve: ExceedanceModel, rows: Values) -> contributions.Additive:
    """Return base (rows,) and what every feature adds (rows, features) in calibrated log-odds of the target event.

    A calibration by a sigmoid multiplies every contribution by its slope; one by steps by the slope from base to score.
    """
    base, added = contributions.in_log_odds(curve.scorer.classifier, curve.scorer.seen(rows))
    ends = (_calibrated(curve, base), _calibrated(curve, base + added.sum(axis=1)))
    return contributions.rescaled((base, added), *ends)


def strongest(found: Sequence[Driver]) -> tuple[Driver, ...]:
    """Return the strongest drivers of those that raise and of those that lower, the strongest first."""
    counted = [d for d in found if abs(d.effect) >= LEAST_EFFECT]
    up, down = ([d for d in counted if d.raises == raises][:MOST] for raises in (True, False))
    return tuple(sorted(up + down, key=lambda driver: -abs(driver.effect)))


def _calibrated(curve: ExceedanceModel, score: Floats) -> Floats:
    return logit(curve.calibrated(score)[:, 0])
