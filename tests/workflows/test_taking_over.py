"""What a program that takes the jobs over derives from the ledger: plans, and what waited in another one's memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from core import Core
from core.bootstrap import jobs
from core.domain.lifecycle import Trigger
from core.workflows.training_runs import DRIFT, RETRAIN
from tests.trainings_made import FakeTrainings

REGION = "uttarakhand-himachal"


@pytest.fixture
def house(open_house: Callable[..., Core]) -> Core:
    made = open_house(grid_spacing_deg=1.0)
    made.lifecycle.trainings = FakeTrainings()
    return made


def test_whoever_takes_over_begins_what_an_alarm_asked_for_and_nobody_has_begun(house: Core) -> None:
    life, hour = house.lifecycle, timedelta(hours=1)
    now = house.clock()

    def waits() -> list[str]:
        life._waiting.clear()
        life.store.sweep()
        jobs._Trainings(house)._plan()
        return [request.why for request in life._waiting if request.trigger is Trigger.DRIFT]

    assert waits() == []
    for region, text in ((REGION, "It is warmer."), ("elsewhere", "It is colder.")):
        life.ledger.record_run(DRIFT, "alarm", {"region": region, "key": text, "text": text}, now - 3 * hour)
    assert waits() == ["It is warmer."]
    trained = {"region": REGION, "trigger": "drift", "begun_at": (now - 4 * hour).isoformat()}
    life.ledger.record_run(RETRAIN, "kept", trained, now - hour)  # it began before the alarm
    assert waits() == ["It is warmer."]
    life.ledger.record_run(RETRAIN, "kept", {**trained, "begun_at": (now - 2 * hour).isoformat()}, now)
    assert waits() == []


def test_plans_are_made_anew_in_every_term(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[int] = []
    monkeypatch.setattr(jobs._Trainings, "_plan", lambda _: planned.append(house.scheduler.term))
    trainings = jobs._Trainings(house)
    turns = house.scheduler._turns  # type: ignore[attr-defined]
    for _ in range(2):
        assert turns.keep()
        trainings()
        trainings()
        turns.give_back()
    assert planned == [1, 2]
