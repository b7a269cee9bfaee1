"""What a program that takes the jobs over derives from the ledger: plans, and what waited in another one's memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from core import Core, language
from core.bootstrap import jobs
from core.domain.lifecycle import Trigger
from core.workflows.drift_runs import DRIFT
from core.workflows.monitoring import OVERDUE_S
from core.workflows.training_runs import RETRAIN

REGION = "uttarakhand-himachal"


def test_whoever_takes_over_begins_what_an_alarm_asked_for_and_nobody_has_begun(house: Core) -> None:
    life, hour = house.lifecycle, timedelta(hours=1)
    now = house.clock()

    def waits() -> list[str]:
        life.waiting.clear()
        life.store.sweep()
        jobs._Trainings(house)._plan()
        return [request.why for request in life.waiting if request.trigger is Trigger.DRIFT]

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


def test_what_waited_when_another_took_over_is_planned_anew(house: Core) -> None:
    life, trainings = house.lifecycle, jobs._Trainings(house)
    turns = house.scheduler._turns  # type: ignore[attr-defined]
    assert turns.keep()
    trainings()
    life.retrain(REGION, who="Asha", why="to keep the others waiting")
    life.wait_for(life.asked(REGION, who="drift", why="It is warmer.", trigger=Trigger.DRIFT))
    planned = jobs._Scheduled(house, REGION, 0.0)
    planned(0.0)
    trainings()
    assert [request.trigger for request in life.waiting] == [Trigger.DRIFT, Trigger.SCHEDULE]
    turns.give_back()
    assert turns.keep()
    trainings()
    assert life.waiting == []  # no alarm of the ledger is unanswered, and nothing is due
    planned(0.0)
    assert life.waiting == []


def test_who_follows_says_which_job_of_the_leader_hangs(house: Core) -> None:
    now = house.clock()

    def said(ago: timedelta, *, runs: bool, leads: bool = False) -> list[str]:
        at = now - ago
        job = {"name": "refresh", "every_s": 300, "last_error": None, "last_run": None if runs else at}
        scheduler = SimpleNamespace(
            leads=leads, jobs=lambda: [{**job, "running_since": at if runs else None}], heartbeat_age_s=lambda: 0.0
        )
        return [text for text in replace(house.monitoring, scheduler=scheduler).problems() if "overdue" in text]

    patience = timedelta(seconds=2 * 300 + OVERDUE_S)
    for runs in (True, False):
        assert said(patience - timedelta(seconds=1), runs=runs) == []
        (text,) = said(patience + timedelta(seconds=1), runs=runs)
        assert text.startswith("The job refresh is overdue: it belongs to another program")
        assert language("hi").say(text) != text
        assert said(timedelta(days=1), runs=runs, leads=True) == []
