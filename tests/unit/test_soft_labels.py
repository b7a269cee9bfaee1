"""Soft labels, and the sigmoid that turns the scores learned from them into probabilities of the event itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.learning import calibration, estimators, training


def test_soft_labels_rise_with_the_rain_and_are_even_at_the_threshold() -> None:
    label = training.soft_labels(np.array([0, 5, 15, 45, 100], np.float32), 15.0)
    np.testing.assert_allclose(label, [0, 1 / 28, 0.5, 27 / 28, 1], atol=4e-3)
    assert (np.diff(label) > 0).all()


def test_a_soft_label_is_two_cases_that_share_the_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, NDArray[np.float32]] = {}

    def keep(_name: str, rows: object, event: NDArray[np.bool_], weight: NDArray[np.float32], _seed: int) -> None:
        seen.update(event=event, weight=weight, rows=np.asarray(rows))

    monkeypatch.setattr(estimators, "fit", keep)
    mm = np.concatenate([np.full(30, 15.0), np.zeros(400)]).astype(np.float32)
    cases = training.LearningSet(np.arange(430, dtype=np.float32)[:, None], mm, np.arange(430))
    training.fit_sampled(cases, mm >= 0, training.Recipe("any", 230, 3))
    assert seen["weight"].sum() == pytest.approx(430)
    assert seen["weight"][seen["event"]].sum() == pytest.approx(15)
    assert np.isin(seen["rows"][-30:, 0], np.arange(30)).all()


@pytest.mark.parametrize("rarity", [-8.0, -6.0, -4.0, -1.0])
@pytest.mark.parametrize("slope", [0.2, 1.0, 1.05, 1.3, 3.0])
@pytest.mark.parametrize("centre", [-12.0, -8.0, -3.0, 4.0])
def test_a_sigmoid_is_found_wherever_the_scores_lie(rarity: float, slope: float, centre: float) -> None:
    # Whole steps of Newton's method end up to a factor of three too steep for rare events and scores far from zero.
    score = np.random.default_rng(3).normal(centre, 2, 300)
    true = rarity + slope * (score - centre)
    n = np.full(300, 9000.0)
    a, b = calibration.fit_sigmoid(score, n, n * calibration.sigmoid(true))
    np.testing.assert_allclose(a + b * score, true, atol=0.05)
