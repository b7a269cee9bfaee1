"""Who asks for a training, who serves, and why: all of it is written down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from core import Core
from core.bootstrap import jobs
from core.domain.drift import Aspect, DriftReport, Shift, VariableDrift
from core.domain.lifecycle import RunState, RunStatus, Trigger
from core.errors import ConfigurationError, ModelError, ModelNotFound, ModelUntrusted, TrainingInProgress
from core.workflows.drift_runs import DRIFT
from core.workflows.drifting import Drifting
from core.workflows.retraining import RETRAINED
from core.workflows.training_runs import FIRST, RETRAIN
from tests.models_made import stored
from tests.trainings_made import FakeTrainings

REGION = "uttarakhand-himachal"


def test_what_nobody_says_is_taken_from_the_plan(house: Core) -> None:
    asked = house.lifecycle.asked(REGION, who="test", trigger=Trigger.API)
    assert (asked.algorithm, asked.days_back) == ("random_forest", 365)
    assert (asked.source, asked.region_id, asked.now) == ("simulator", REGION, house.clock())


@pytest.mark.parametrize("days", [0, -3, 36_501, True, "many"])
def test_days_that_cannot_be_are_refused(house: Core, days: object) -> None:
    with pytest.raises(ConfigurationError, match="cannot look back"):
        house.lifecycle.asked(REGION, who="test", trigger=Trigger.API, days_back=days)  # type: ignore[arg-type]


def test_an_unknown_algorithm_or_region_is_refused_before_anything_begins(house: Core) -> None:
    with pytest.raises(ConfigurationError, match="Unknown model"):
        house.lifecycle.retrain(REGION, who="test", algorithm="crystal_ball")
    with pytest.raises(ConfigurationError, match="Unknown region"):
        house.lifecycle.retrain("atlantis", who="test")
    assert house.lifecycle.trainings.state() is None


def test_a_second_training_is_told_since_when_the_first_runs(house: Core) -> None:
    first = house.lifecycle.retrain(REGION, who="one")
    with pytest.raises(TrainingInProgress, match="running since") as refused:
        house.lifecycle.retrain(REGION, who="two")
    assert refused.value.run_id == first.run_id


def test_a_planned_training_waits_for_its_turn_and_only_once(house: Core) -> None:
    life = house.lifecycle
    trainings = life.trainings
    assert isinstance(trainings, FakeTrainings)
    life.retrain(REGION, who="somebody")
    for _ in range(3):
        life.wait_for(life.asked(REGION, who="schedule", trigger=Trigger.SCHEDULE, late_s=7.0))
        life.start_waiting()
    assert trainings.now is not None
    assert trainings.now.request.who == "somebody"
    trainings.end(RunStatus.KEPT)
    life.start_waiting()
    assert (trainings.now.request.who, trainings.now.request.late_s) == ("schedule", 7.0)
    trainings.end(RunStatus.KEPT)
    ended = trainings.now
    life.start_waiting()
    assert trainings.now is ended


@pytest.mark.parametrize(
    ("trigger", "status", "again"),
    [
        (Trigger.FIRST_START, "kept", False), (Trigger.FIRST_START, "interrupted", True),
        (Trigger.SCHEDULE, "deployed", False), (Trigger.SCHEDULE, "skipped", False), (Trigger.SCHEDULE, "failed", True),
        (Trigger.DRIFT, "kept", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ahead", [False, True])
def test_what_another_process_made_by_plan_is_not_made_again(
    house: Core, trigger: Trigger, status: str, again: bool, ahead: bool
) -> None:
    life = house.lifecycle
    life.wait_for(life.asked(REGION, who="plan", trigger=trigger))
    again = again or ahead  # what was written down while the clock was ahead made nothing that was planned since
    for region, at in ((REGION, house.clock() - timedelta(seconds=1)), ("elsewhere", house.clock())):
        life.ledger.record_run(RETRAIN, "kept", {"region": region, "trigger": trigger.value}, at)
    at = house.clock() + ahead * timedelta(days=3650)
    life.ledger.record_run(RETRAIN, status, {"region": REGION, "trigger": trigger.value}, at)
    life.start_waiting()
    assert (life.trainings.state() is not None) is again
    life.start_waiting()
    assert not life.waiting


def test_what_another_process_ends_while_this_one_waits_for_the_lock_is_not_made_again(
    house: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = house.lifecycle
    start = life.trainings.start

    def late(*asked: Any) -> RunState:
        made = {"region": REGION, "trigger": Trigger.FIRST_START.value}
        life.ledger.record_run(FIRST, "deployed", made, house.clock())
        return start(*asked)

    monkeypatch.setattr(life.trainings, "start", late)
    life.wait_for(life.asked(REGION, who="plan", trigger=Trigger.FIRST_START))
    life.wait_for(life.asked(REGION, who="drift", trigger=Trigger.DRIFT))
    life.start_waiting()
    state = life.trainings.state()
    assert state is not None
    assert state.request.who == "drift"  # what waits behind it has its turn at once
    assert not life.waiting


@pytest.mark.parametrize(
    ("trigger", "share", "planned"),
    [("schedule", 0.4, 0), ("schedule", 0.6, 1), ("page", 0.4, 1), ("schedule", -900, 1)],
)  # the last was begun while the clock was years ahead
def test_two_processes_do_not_both_train_by_plan(house: Core, trigger: str, share: float, planned: int) -> None:
    life = house.lifecycle
    begun = house.clock() - share * life.plan.every
    life.ledger.record_run(
        RETRAIN, "kept", {"region": REGION, "trigger": trigger, "begun_at": begun.isoformat()}, house.clock()
    )
    jobs._Scheduled(house, REGION, 0.0)(0.0)
    assert len(life.waiting) == planned


def test_the_jobs_of_the_house_give_back_the_memory_they_needed_also_when_they_fail(
    house: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: dict[str, Callable[[], object]] = {}
    given: list[bool] = []

    def fails(*_: object) -> None:
        raise ConfigurationError("The ledger does not answer.")

    monkeypatch.setattr(type(house.scheduler), "every", lambda _, _s, name, job, *_w, **_n: planned.update({name: job}))
    jobs.plan(house)
    monkeypatch.setattr(jobs, "_each", fails)
    monkeypatch.setattr(jobs.heap, "give_back", lambda: given.append(True))
    for name in ("refresh", "appraise", "verify", "experiments", "drift"):
        with pytest.raises(ConfigurationError, match="does not answer"):
            planned[name]()
    assert len(given) == 5


def test_promoting_moves_the_pointer_and_is_written_down(house: Core) -> None:
    life = house.lifecycle
    seed = life.store.champion("simulator", REGION)
    version = stored(house.store, "simulator").version
    made = life.promote(version, REGION, "test", "it is better on the west side")
    assert life.store.champion("simulator", REGION).version == version
    assert life.ledger.deployments("simulator", REGION) == (made,)
    assert (made.generation, made.from_version, made.action) == (1, seed.version, "promoted")
    assert made.why == "it is better on the west side"
    assert house.forecasting.served(REGION).manifest.version == version


def test_rolling_back_lets_the_one_before_serve_again(house: Core) -> None:
    life = house.lifecycle
    seed = life.store.champion("simulator", REGION).version
    one, two = (stored(house.store, "simulator").version for _ in range(2))
    life.promote(one, REGION, "test", "first")
    life.promote(two, REGION, "test", "second")
    back = life.roll_back(REGION, "test", "it rained")
    assert (back.to_version, back.from_version, back.action) == (one, two, "rolled back")
    assert [made.generation for made in life.ledger.deployments("simulator", REGION)] == [3, 2, 1]
    assert seed in life.store.before("simulator", REGION)


def test_without_anybody_before_there_is_nothing_to_roll_back_to(house: Core) -> None:
    with pytest.raises(ModelNotFound, match="No other version"):
        house.lifecycle.roll_back(REGION, "test", "why not")


@pytest.mark.parametrize("why", ["", "   "])
def test_a_change_without_a_reason_is_refused(house: Core, why: str) -> None:
    version = stored(house.store, "simulator").version
    with pytest.raises(ConfigurationError, match="needs a reason"):
        house.lifecycle.promote(version, REGION, "test", why)
    assert house.lifecycle.store.champion("simulator", REGION).generation == 0


def test_what_serves_already_is_not_promoted_again(house: Core) -> None:
    version = stored(house.store, "simulator").version
    house.lifecycle.promote(version, REGION, "test", "once")
    with pytest.raises(ModelError, match="already"):
        house.lifecycle.promote(version, REGION, "test", "twice")


def test_a_version_of_simulated_data_is_never_promoted_for_real_ones(
    open_house: Callable[..., Core], gauge_folder: Callable[..., object]
) -> None:
    house = open_house(source=f"gauges:{gauge_folder()}")
    version = stored(house.store, "simulator").version
    with pytest.raises(ModelUntrusted, match="simulated"):
        house.lifecycle.promote(version, house.default_region, "test", "try")


def test_an_end_is_written_down_and_what_was_issued_before_is_forgotten(house: Core) -> None:
    life, trainings = house.lifecycle, house.lifecycle.trainings
    assert isinstance(trainings, FakeTrainings)
    house.forecasting.cache.set("issue:x", 1, 60)
    life.retrain(REGION, who="test", why="because")
    life.ended(trainings.end(RunStatus.KEPT, reasons=("gain: no",)))
    assert house.forecasting.cache.get("issue:x") is None
    life.ended(trainings.end(RunStatus.DEPLOYED))
    newest, before = life.ledger.runs(kind=RETRAIN)
    assert (newest["status"], before["status"]) == ("deployed", "kept")
    assert before["detail"]["why"] == "because"
    assert before["detail"]["reasons"] == ["gain: no"]


def test_what_an_earlier_process_could_not_write_is_written_at_the_start(house: Core) -> None:
    life, trainings = house.lifecycle, house.lifecycle.trainings
    assert isinstance(trainings, FakeTrainings)
    version = stored(house.store, "simulator").version
    life.promote(version, REGION, "test", "before the ledger was lost")
    life.retrain(REGION, who="test")
    trainings.end(RunStatus.INTERRUPTED)
    for _ in range(2):
        life.reconcile()
    runs = life.ledger.runs(kind=RETRAIN)
    assert [run["status"] for run in runs] == ["interrupted"]
    assert len(life.ledger.deployments("simulator", REGION)) == 1


def drifted(*since: date) -> DriftReport:
    shifts = tuple(Shift("temperature_c", Aspect.LEVEL, True, day, day, 0.9) for day in since)
    found = VariableDrift("temperature_c", "", 90, 0.3, 0.1, 0.2, shifts)
    day = date(2026, 7, 28)
    return DriftReport("simulator", REGION, day, day, day, day, 9, 9, (found,))


def test_drift_challenges_the_champion_once_for_every_alarm(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    life, trainings = house.lifecycle, house.lifecycle.trainings
    assert isinstance(trainings, FakeTrainings)
    first, second = date(2026, 7, 20), date(2026, 7, 25)
    found = [drifted(), drifted(first), drifted(first), drifted(first, second)]
    monkeypatch.setattr(Drifting, "look", lambda *_: found.pop(0))
    begun = []
    for _ in range(4):
        life.watch(REGION, retrains=True)
        life.start_waiting()
        if trainings.now is not None and trainings.now.running:
            begun.append(trainings.now.request)
            trainings.end(RunStatus.KEPT)
    assert [asked.trigger for asked in begun] == [Trigger.DRIFT, Trigger.DRIFT]
    assert "temperature" in begun[0].why.lower()
    assert len(life.ledger.runs(kind=DRIFT)) == 2
    assert life.looked(REGION) == drifted(first, second)


def test_where_the_settings_say_so_drift_is_only_written_down(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Drifting, "look", lambda *_: drifted(date(2026, 7, 20)))
    house.lifecycle.watch(REGION, retrains=False)
    house.lifecycle.start_waiting()
    assert house.lifecycle.trainings.state() is None
    assert len(house.lifecycle.ledger.runs(kind=DRIFT)) == 1


def test_a_training_cut_off_after_its_pointer_moved_has_deployed(house: Core) -> None:
    life, trainings = house.lifecycle, house.lifecycle.trainings
    assert isinstance(trainings, FakeTrainings)
    version = stored(house.store, "simulator").version
    life.retrain(REGION, who="test")
    champion = life.deploying.champion(("simulator", REGION))
    life.deploying.point(
        ("simulator", REGION), champion, version, action=RETRAINED, who="test", why="", at=house.clock()
    )
    life.ended(trainings.end(RunStatus.FAILED, reasons=("Its process ended with signal 9.",)))
    (run,) = life.ledger.runs(kind=RETRAIN)
    assert (run["status"], run["detail"]["version"]) == ("deployed", version)


def test_many_other_runs_do_not_make_a_training_be_written_twice(house: Core) -> None:
    life, trainings = house.lifecycle, house.lifecycle.trainings
    assert isinstance(trainings, FakeTrainings)
    life.retrain(REGION, who="test")
    life.ended(trainings.end(RunStatus.KEPT))
    for _ in range(60):
        life.ledger.record_run("quality", "fallen", {}, house.clock())
    life.reconcile()
    assert len(life.ledger.runs(kind=RETRAIN)) == 1


def test_the_end_that_the_ledger_could_not_take_is_written_before_the_next_training_begins(house: Core) -> None:
    life, trainings = house.lifecycle, house.lifecycle.trainings
    assert isinstance(trainings, FakeTrainings)
    first = life.retrain(REGION, who="one")
    trainings.end(RunStatus.KEPT)
    second = life.retrain(REGION, who="two")
    assert [run["detail"]["run_id"] for run in life.ledger.runs(kind=RETRAIN)] == [first.run_id]
    life.reconcile()
    trainings.end(RunStatus.SKIPPED)
    life.reconcile()
    life.reconcile()
    assert [run["detail"]["run_id"] for run in life.ledger.runs(kind=RETRAIN)] == [second.run_id, first.run_id]


def test_one_that_kept_the_champion_has_not_deployed_though_the_clock_was_set_back(house: Core) -> None:
    life, trainings = house.lifecycle, house.lifecycle.trainings
    assert isinstance(trainings, FakeTrainings)
    pointer, version = ("simulator", REGION), stored(house.store, "simulator").version
    later = house.clock() + timedelta(hours=1)
    champion = life.deploying.champion(pointer)
    life.deploying.point(pointer, champion, version, action=RETRAINED, who="test", why="", at=later)
    life.retrain(REGION, who="test")
    life.ended(trainings.end(RunStatus.KEPT))
    (run,) = life.ledger.runs(kind=RETRAIN)
    assert run["status"] == "kept"


def test_a_training_that_cannot_begin_waits_on(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    life, trainings = house.lifecycle, house.lifecycle.trainings
    assert isinstance(trainings, FakeTrainings)
    life.wait_for(life.asked(REGION, who="schedule", trigger=Trigger.SCHEDULE))

    def full(*_: object) -> None:
        raise ConfigurationError("No training can be started: no space left.")

    with monkeypatch.context() as patch:
        patch.setattr(FakeTrainings, "start", full)
        with pytest.raises(ConfigurationError):
            life.start_waiting()
    life.start_waiting()
    assert trainings.now is not None
    assert trainings.now.request.who == "schedule"
