"""What an analysis tells: the numbers of a recount, and no winner without cases, events and bounds."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from core.domain.experiment import Rules, Stage, Status
from core.domain.experiment_analysis import Winner
from core.experiments.analysis import analyse, harmless
from core.experiments.sums import Sums, sums
from tests.experiments_made import CHALLENGER, CONTROL, analysed, days_of, experiment, known

#: Control at .4 and a challenger: better, worse, alike, hardly different, the same; days of 200 cases, 20 events.
BETTER, WORSE, ALIKE, SAME = (0.4, 0.6), (0.6, 0.5), (0.5, 0.5), (0.5, None)


@lru_cache
def made(*said: float | None, days: int = 30, **changes: Any) -> dict[str, Sums]:
    return days_of(days, *said, **changes)


def test_the_same_records_give_the_same_analysis() -> None:
    one, other = (analysed(days_of(20, *ALIKE)) for _ in range(2))
    assert one == other


def test_an_arm_and_a_contrast_say_what_a_recount_says() -> None:
    rng = np.random.default_rng(3)
    p, rival = rng.random((20, 50)), rng.random((20, 50))
    happened = (rng.random((20, 50)) < 0.3).astype(float)
    ms = rng.uniform(5, 9, (20, 50))
    own = Sums(np.array([sums(*row, 0.6) for row in zip(p, rival, happened, ms, strict=True)]))
    base = Sums(np.array([sums(r, r, h, m, 0.6) for _, r, h, m in zip(p, rival, happened, ms, strict=True)]))
    found = analysed({CONTROL: base, CHALLENGER: own})
    arm, (contrast,) = found.arms[1], found.contrasts
    hit = ((p >= 0.6) & (happened == 1)).sum()
    miss, false = ((p < 0.6) & (happened == 1)).sum(), ((p >= 0.6) & (happened == 0)).sum()
    assert arm.brier == pytest.approx(np.mean((p - happened) ** 2))
    assert arm.log_score == pytest.approx(-np.mean(np.log(np.where(happened == 1, p, 1 - p))))
    rates = (hit / (hit + miss), false / (hit + false), hit / (hit + miss + false))
    assert (arm.pod, arm.far, arm.csi) == pytest.approx(rates)
    assert (arm.latency_ms, arm.error_rate, arm.events) == (pytest.approx(ms.mean()), 0, happened.sum())
    assert sum(n for _, _, n in arm.reliability) == 1000
    control = found.arms[0]
    differences = [mine - its for mine, its in zip(rates, (control.pod, control.far, control.csi), strict=True)]  # type: ignore[operator]
    assert [contrast.pod, contrast.far, contrast.csi] == pytest.approx(differences)


def test_who_has_won_is_never_said_without_cases_events_and_bounds() -> None:
    for said, word, sign in ((BETTER, "less", 1), (WORSE, "more", -1)):
        found = analysed(made(*said))
        (c,) = found.contrasts
        low, high = sorted(sign * 100 * bound for bound in (c.sequence.low, c.sequence.high))  # type: ignore[operator]
        gain = f"{sign * 100 * c.gain.value:.1f} % {word} Brier loss ({low:.1f} to {high:.1f} %)"  # type: ignore[operator]
        assert found.text == f"challenger has {gain} in 6,000 cases with 600 events on 30 days."
    for records in (made(*BETTER), made(*WORSE), made(0.5, 0.04), made(*ALIKE, ms_1=100.0)):
        winner = analysed(records).winner
        assert winner.winner_variant is not None
        evidence = winner.evidence
        assert (evidence["cases"], evidence["events"], evidence["days"]) == (6000, 600, 30)
        assert evidence["low_percent"] < evidence["gain_percent"] < evidence["high_percent"]
    for said in (ALIKE, SAME):
        assert analysed(made(*said)).winner == Winner(None, "", {})


def test_a_decision_stands_whatever_the_evidence() -> None:
    decided = Winner(CONTROL, "decided by Ida: cheaper", {})
    found = analysed(made(*BETTER), {"stage": Stage.DECIDED, "decided": decided})
    assert found.winner == decided


def test_losses_of_one_spell_have_no_bounds_and_no_infinite_ones() -> None:
    found = made(*BETTER)
    storm = {name: Sums(s.days * np.where(np.arange(30) == 9, 1.0, 1e-9)[:, None]) for name, s in found.items()}
    analysis = analyse(experiment(rules=Rules(min_events=10)), known(storm))
    (contrast,) = analysis.contrasts
    assert contrast.sequence.value is not None
    assert (contrast.sequence.low, contrast.sequence.high) == (None, None)
    assert (analysis.status, contrast.growth.low) == (Status.COLLECTING, ())


def test_growth_is_told_from_the_first_day_with_bounds_and_events_enough() -> None:
    growth = analysed(made(*BETTER), rules=Rules(min_events=400)).contrasts[0].growth
    assert growth.events == tuple(range(400, 601, 20))
    assert len(growth.gain) == len(growth.low) == len(growth.high) == 11
    assert all(low < gain < high for low, gain, high in zip(growth.low, growth.gain, growth.high, strict=True))
    last = analysed(made(*BETTER)).contrasts[0].sequence
    assert growth.low[-1] == last.low


def test_nothing_is_harmless_while_nothing_is_known() -> None:
    assert not harmless(analysed(made(*BETTER), rules=Rules(min_days=31)))
    assert not harmless(analysed(made(*ALIKE)))
    assert not harmless(replace(analysed(made(*BETTER)), contrasts=()))
