"""A gradual rollout grows by time or by evidence, goes back by itself where a guardrail breaks, and old cases end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.domain.experiment import Counts, Experiment, Rollout, Rules, Stage, Step, TrafficSplitStrategy
from core.workflows.experimenting import Experimenting
from tests.experiments_made import (
    BEGIN,
    CHALLENGER,
    CONTROL,
    SetClock,
    both,
    experiment,
    experimenting,
    outcome,
    result,
)

GRADUAL = experiment(
    strategy=TrafficSplitStrategy.GRADUAL_ROLLOUT,
    rollout=Rollout((10.0, 40.0, 100.0), 7.0),
    rules=Rules(min_events=20, min_days=5),
)
UNITS = tuple(f"place {i}" for i in range(400))
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def lab(tmp_path: Path, clock: SetClock) -> Experimenting:
    return experimenting(tmp_path, clock)


def challenged(lab: Experimenting) -> set[str]:
    return {unit for unit in UNITS if lab.select("monsoon", unit).variant_id == CHALLENGER}


def weather(lab: Experimenting, days: int, fails: float = 0.0, ms: float = 10.0, level: float = 0.5) -> None:
    """Record and tell so many days of forty cases, every fourth with the event."""
    rng = np.random.default_rng(3)
    results, told = [], []
    for case in range(days * 40):
        at: dict[str, Any] = {"case": 24 * (case // 40), "place": f"p{case % 40}"}
        happened = case % 4 == 0
        rival = (0.5 if happened else 0.05) * rng.uniform(0.5, 1.5)
        own = None if rng.random() < fails else (level if happened else 0.05) * rng.uniform(0.5, 1.5)
        results += [result(CONTROL, rival, **at, latency_ms=10.0 + rng.random())]
        results += [result(CHALLENGER, own, **at, latency_ms=ms + rng.random())]
        told.append(outcome(at["case"], happened, at["place"]))
    lab.record(results)
    lab.happened("monsoon", told)


def grown(lab: Experimenting, experiment: Experiment) -> float | None:
    step = lab.tend(experiment, [])
    return None if step is None else float(step.detail["percent"])


def test_a_share_grows_step_by_step_and_nobody_leaves_the_challenger(lab: Experimenting, clock: SetClock) -> None:
    lab.create(GRADUAL)
    before = challenged(lab)
    assert 20 < len(before) < 60
    for days, percent in ((6.99, None), (7, 40.0), (13.9, None), (14, 100.0), (90, None)):
        clock.now = BEGIN + days * DAY
        assert grown(lab, GRADUAL) == percent
        assert before <= challenged(lab)
        before = challenged(lab)
    assert len(before) == len(UNITS)
    assert [s.action for s in lab.records.steps("monsoon")] == ["create", "start", "grow", "grow"]


def test_a_pause_keeps_the_share_and_begins_its_time_anew(lab: Experimenting, clock: SetClock) -> None:
    lab.create(GRADUAL)
    clock.now += 7 * DAY
    assert grown(lab, GRADUAL) == 40.0
    before = challenged(lab)
    lab.step("monsoon", "pause", "Ida")
    clock.now += 30 * DAY
    assert challenged(lab) == set()
    assert grown(lab, GRADUAL) is None
    lab.step("monsoon", "start", "Ida", at=clock.now)
    assert challenged(lab) == before
    assert grown(lab, GRADUAL) is None
    clock.now += 7 * DAY
    assert grown(lab, GRADUAL) == 100.0


def test_by_evidence_a_share_grows_only_where_it_is_seen_to_do_no_harm(lab: Experimenting, clock: SetClock) -> None:
    cautious = replace(GRADUAL, rollout=Rollout((10.0, 40.0), 1.0, by_evidence=True))
    lab.create(cautious)
    clock.now += 100 * DAY
    assert grown(lab, cautious) is None
    weather(lab, 30, level=0.65)
    assert grown(lab, cautious) == 40.0
    step = lab.records.steps("monsoon")[-1]
    assert step.why.startswith("from 10 % after 100.0 days")
    assert step.who == "rollout"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"fails": 0.3}, "errors"),
        ({"ms": 100.0}, "latency"),
        ({"level": 0.01}, "POD"),
        ({"fails": 1.0}, "errors"),
    ],
)
def test_a_broken_guardrail_rolls_back_by_itself(
    lab: Experimenting, clock: SetClock, how: dict[str, float], reason: str
) -> None:
    lab.create(GRADUAL)
    weather(lab, 30, **how)
    clock.now += 8 * DAY
    step = lab.tend(GRADUAL, [])
    assert isinstance(step, Step)
    assert (step.action, step.stage, step.who) == ("stop", Stage.STOPPED, "rollout")
    assert step.why.startswith("rolled back: ")
    assert reason in step.why
    assert challenged(lab) == set()
    assert lab.tend(GRADUAL, []) is None


def test_a_challenger_that_is_worse_beyond_doubt_is_rolled_back_without_a_guardrail(
    lab: Experimenting, clock: SetClock
) -> None:
    lab.create(GRADUAL)
    weather(lab, 30, level=0.2)  # above the alarm: it warns as often
    clock.now += 8 * DAY
    step = lab.tend(GRADUAL, [])
    assert step is not None
    assert step.stage is Stage.STOPPED
    assert "more Brier loss" in step.why


def test_an_unhealthy_experiment_does_not_grow(lab: Experimenting, clock: SetClock) -> None:
    lab.create(GRADUAL)
    weather(lab, 10)
    lab.record([result(CONTROL, 0.1, 500 + i, actual=False) for i in range(50)])  # the challenger has not forecast them
    clock.now += 8 * DAY
    assert grown(lab, GRADUAL) is None
    assert lab.stage("monsoon") is Stage.RUNNING


def test_other_strategies_never_change_their_shares(lab: Experimenting, clock: SetClock) -> None:
    equal = experiment(rules=GRADUAL.rules)
    lab.create(equal)
    weather(lab, 30, fails=0.5)
    clock.now += 100 * DAY
    assert lab.tend(equal, []) is None
    assert lab.stage("monsoon") is Stage.RUNNING


def test_tending_joins_outcomes_and_gives_up_what_is_too_old(lab: Experimenting, clock: SetClock) -> None:
    lab.create(GRADUAL)
    lab.record([*both(0), *both(1), *both(2)])
    clock.now = BEGIN + timedelta(hours=GRADUAL.rules.expire_h + 1)
    assert lab.tend(GRADUAL, [outcome(2)]) is None
    assert lab.records.counts("monsoon", 2)[CONTROL] == Counts(matured=1, pending=1, expired=1)  # 1 is just not older
    assert [arm.counts for arm in lab.analyse("monsoon").arms] == [Counts(1, 1, 1), Counts(1, 1, 1)]


def test_outcomes_come_in_after_the_end(lab: Experimenting) -> None:
    lab.create(GRADUAL)
    lab.record(both())
    lab.step("monsoon", "stop", "Ida")
    assert lab.tend(GRADUAL, [outcome()]) is None
    assert lab.records.counts("monsoon", 2)[CHALLENGER].matured == 1
