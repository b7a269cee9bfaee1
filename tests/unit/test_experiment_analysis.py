"""The analysis of an experiment: every status, every code, and several challengers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from core.domain.experiment import Code, Counts, Rules, Stage, Status
from core.domain.experiment_analysis import ExperimentAnalysis
from core.experiments import inference
from core.experiments.analysis import broken, harmless
from core.experiments.classical import holm
from core.experiments.sums import NAMES, WIDTH, Sums, sums
from tests.experiments_made import ALARM, CHALLENGER, CONTROL, analysed, days_of

#: Control at .4 and a challenger: better, worse, alike, hardly different, the same; days of 200 cases, 20 events.
BETTER, WORSE, ALIKE, SAME = (0.4, 0.6), (0.6, 0.5), (0.5, 0.5), (0.5, None)


@lru_cache
def made(*said: float | None, days: int = 30, **changes: Any) -> dict[str, Sums]:
    return days_of(days, *said, **changes)


def status(found: ExperimentAnalysis) -> tuple[Status, tuple[Code, ...], str | None]:
    return found.status, found.codes, found.winner.winner_variant


def with_counts(*units: int) -> dict[str, Any]:
    return {"counts": {name: Counts(units=n) for name, n in zip((CONTROL, CHALLENGER), units, strict=True)}}


# Every status


def test_a_draft_is_not_started_whatever_there_is() -> None:
    found = analysed(made(*BETTER), {"stage": Stage.DRAFT})
    assert status(found) == (Status.NOT_STARTED, (), None)


def test_without_outcomes_it_collects_and_says_what_is_needed() -> None:
    nothing = {name: Sums(np.zeros((0, WIDTH))) for name in (CONTROL, CHALLENGER)}
    found = analysed(nothing)
    assert status(found) == (Status.COLLECTING, (Code.TOO_FEW_EVENTS,), None)
    assert found.text == "No outcome is known yet; at least 50 events on 14 days are needed."
    assert [arm.brier for arm in found.arms] == [None, None]
    assert found.coverage is None
    assert analysed(nothing, rules=Rules(min_events=0, min_days=0)).status is Status.COLLECTING


def test_with_few_events_or_days_it_collects_however_great_the_difference() -> None:
    for rules in (Rules(min_events=601), Rules(min_days=31)):
        found = analysed(made(*BETTER), rules=rules)
        assert status(found) == (Status.COLLECTING, (Code.TOO_FEW_EVENTS,), None)
        (contrast,) = found.contrasts
        assert contrast.sequence.low is contrast.gain.low is contrast.p_value is contrast.better is None
    assert analysed(made(*BETTER), rules=Rules(min_events=601)).text == "~20 events, ~1 days to go."
    assert analysed(made(*BETTER), rules=Rules(min_days=35)).text == "~100 events, ~5 days to go."


def test_while_the_bounds_hold_both_it_collects() -> None:
    found = analysed(made(*ALIKE))
    assert status(found) == (Status.COLLECTING, (), None)
    assert re.fullmatch(r"~[\d,]+ events, ~\d+ days to go\.", found.text)


def test_units_that_are_not_split_as_they_should_be_are_unhealthy() -> None:
    found = analysed(made(*BETTER), with_counts(1000, 800))
    assert status(found) == (Status.UNHEALTHY, (Code.SAMPLE_RATIO_MISMATCH,), None)
    assert "not split" in found.text
    # (1000 - 900)^2 / 900 + (800 - 900)^2 / 900 = 22.2, one degree of freedom
    assert found.sample_ratio_p == pytest.approx(2.43e-6, rel=0.01)
    assert analysed(made(*BETTER), with_counts(1000, 900)).status is Status.SHIP_NOW  # chi-square 5.3, p = .02


def test_a_split_is_held_against_the_shares_of_each_variant() -> None:
    shares = {CHALLENGER: 0.1, CONTROL: 0.9}
    right = analysed(made(*BETTER), {"shares": shares, **with_counts(900, 100)})
    assert right.sample_ratio_p == pytest.approx(1)
    wrong = analysed(made(*BETTER), {"shares": shares, **with_counts(100, 900)})
    assert Code.SAMPLE_RATIO_MISMATCH in wrong.codes


def test_cases_that_only_one_has_forecast_are_unhealthy() -> None:
    found = analysed(made(*BETTER, fails_1=0.03))
    assert status(found) == (Status.UNHEALTHY, (Code.UNEQUAL_COVERAGE,), None)
    assert found.coverage == pytest.approx(0.97, abs=0.005)
    both_fail = analysed(made(*BETTER, fails_0=0.015, fails_1=0.015))
    assert both_fail.coverage == pytest.approx(0.97, abs=0.005)  # each has a part of its own that is missing
    assert analysed(made(*BETTER), {}).coverage == 1


def test_a_model_that_cannot_be_loaded_is_unhealthy_before_all_else() -> None:
    found = analysed(made(*BETTER, fails_1=0.03), {"problems": {CHALLENGER: "challenger: is gone"}})
    assert status(found) == (Status.UNHEALTHY, (Code.UNEQUAL_COVERAGE, Code.MODEL_NOT_LOADED), None)
    assert found.text == "challenger: is gone"


def test_a_challenger_that_is_better_beyond_doubt_is_shipped() -> None:
    found = analysed(made(*BETTER))
    assert status(found) == (Status.SHIP_NOW, (), CHALLENGER)
    assert harmless(found)
    assert broken(found) == ()


def test_a_challenger_that_is_worse_beyond_doubt_is_rolled_back() -> None:
    found = analysed(made(*WORSE))
    assert status(found) == (Status.ROLL_BACK, (), CONTROL)
    assert "bounds" in found.winner.rule
    assert not harmless(found)
    assert broken(found) == ()


@pytest.mark.parametrize(
    ("said", "changes", "name"),
    [
        ((0.5, 0.04), {}, "POD"),
        ((0.5, 0.5), {"ms_1": 100.0}, "latency"),
        (BETTER, {"ms_1": 100.0}, "latency"),
        ((0.5, 0.5), {"fails_1": 0.015}, "errors"),
    ],
)
def test_every_guardrail_that_stops_rolls_back(said: tuple[float, ...], changes: dict[str, float], name: str) -> None:
    found = analysed(made(*said, **changes))
    assert status(found) == (Status.ROLL_BACK, (), CONTROL)
    assert found.winner.rule.startswith(f"guardrail of challenger: {name}, ")
    assert [reason.split(",")[0] for reason in broken(found)] == [f"challenger: {name}"]
    loose = Rules(pod_points=90, latency_ratio=11, error_points=2)
    assert broken(analysed(made(*said, **changes), rules=loose)) == ()


def test_a_guardrail_is_not_broken_by_chance_or_by_a_few_events() -> None:
    assert broken(analysed(made(0.5, 0.04), rules=Rules(min_events=601))) == ()
    one_bad_day = {name: Sums(s.days.copy()) for name, s in made(*ALIKE, days=14).items()}
    one_bad_day[CHALLENGER].days[3, [NAMES.index("pair_hits"), NAMES.index("pair_misses")]] = 0, 20
    found = analysed(one_bad_day)
    assert found.contrasts[0].pod == pytest.approx(-1 / 14)  # 7 points where 5 are allowed
    assert broken(found) == ()
    few = analysed(days_of(1, 0.5, 0.5, fails_1=0.012))  # 2 of 200 against 0: p = .16
    assert few.arms[1].error_rate == pytest.approx(0.01, abs=0.006)
    assert broken(few) == ()


def test_a_challenger_that_always_fails_is_rolled_back_by_its_errors() -> None:
    never = days_of(30, 0.5, 0.5, fails_1=1.0)
    assert [reason.split(",")[0] for reason in broken(analysed(never))] == ["challenger: errors"]
    half = {name: Sums(np.concatenate([made(*ALIKE)[name].days, never[name].days])) for name in never}
    assert [reason.split(",")[0] for reason in broken(analysed(half))] == ["challenger: errors"]


@lru_cache
def overconfident(power: float, days: int = 40) -> dict[str, Sums]:
    """Return days of a poor control and a challenger whose log-odds are so many times those of the truth."""
    rng = np.random.default_rng(2)
    rows: dict[str, list[np.ndarray]] = {CONTROL: [], CHALLENGER: []}
    for _ in range(days):
        odds = rng.normal(-2, 2, size=300)
        happened = (rng.random(300) < 1 / (1 + np.exp(-odds))).astype(float)
        forecasts = {CONTROL: np.full(300, 0.5), CHALLENGER: 1 / (1 + np.exp(-power * odds))}
        for name, p in forecasts.items():
            rows[name].append(sums(p, forecasts[CONTROL], happened, np.full(300, np.nan), ALARM))
    return {name: Sums(np.array(found)) for name, found in rows.items()}


def test_nothing_is_shipped_that_says_too_much_and_nothing_rolled_back_for_it() -> None:
    for power, shipped in ((1.0, True), (2.0, False)):
        found = analysed(overconfident(power), rules=Rules(pod_points=100))
        (contrast,) = found.contrasts
        assert contrast.sequence.low > 0  # type: ignore[operator]
        assert found.arms[1].slope == pytest.approx(1 / power, abs=0.06)
        assert (found.status is Status.SHIP_NOW) == shipped
        assert broken(found) == ()


def test_variants_that_say_the_same_do_not_differ() -> None:
    found = analysed(made(*SAME))
    assert status(found) == (Status.NO_DIFFERENCE, (Code.ZERO_VARIANCE,), None)
    assert found.text == "No challenger differs from the control by 1 % or more."


def test_bounds_within_what_makes_no_difference_end_it() -> None:
    found = analysed(made(*ALIKE), rules=Rules(practical_percent=20))
    assert status(found) == (Status.NO_DIFFERENCE, (), None)
    assert harmless(found)


@pytest.mark.parametrize("events", [50, 601])
def test_after_so_many_days_there_is_no_decision(events: int) -> None:
    found = analysed(made(*ALIKE), rules=Rules(max_days=30, min_events=events))
    assert found.status is Status.NO_DIFFERENCE
    assert found.text == "30 days have decided nothing."
    assert found.winner.winner_variant is None


# Several challengers


def test_several_challengers_share_the_confidence_and_the_best_is_shipped() -> None:
    found = analysed(made(0.4, 0.5, 0.7, None))
    assert [c.variant_id for c in found.contrasts] == [CHALLENGER, "challenger-2", "challenger-3"]
    assert found.winner.winner_variant == "challenger-2"
    of_three = found.contrasts[0].sequence
    assert of_three.value is not None
    assert of_three.low is not None
    own = made(0.4, 0.5, 0.7, None)[CHALLENGER]
    reach = inference.boundary(30, 100 - 5 / 3) * inference.deviation(own["gain"], own["control_brier"])
    assert of_three.value - of_three.low == pytest.approx(reach)


def test_p_values_of_several_challengers_are_holms() -> None:
    found = analysed(made(0.5, 0.51, 0.5, 0.52))
    p = [c.p_value for c in found.contrasts]
    assert all(value is not None for value in p)
    assert [c.p_adjusted for c in found.contrasts] == list(holm(p))
    assert [c.p_adjusted for c in found.contrasts] != p
    (one,) = analysed(made(*ALIKE)).contrasts
    assert one.p_adjusted == one.p_value


def test_one_of_several_that_is_worse_rolls_nothing_back_but_all_that_are_do() -> None:
    assert analysed(made(0.6, 0.5, 0.6)).status is Status.COLLECTING
    assert analysed(made(0.6, 0.5, 0.48)).status is Status.ROLL_BACK
