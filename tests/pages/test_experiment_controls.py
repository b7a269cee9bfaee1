"""What people do with experiments on their page: every step with reason and guard, refusals in words."""

from __future__ import annotations

import pytest

from core import Core, ExperimentError, Rollout, Stage, TrafficSplitStrategy, UnitKey, Verdict, open_core
from core.domain.lifecycle import Rule
from tests.models_made import stored
from tests.pages.experiments_drawn import (
    REGION,
    button,
    headline,
    labels,
    page,
    recorded,
    refused,
    running,
    table,
    texts,
)
from ui import admin, experiment_controls

TOKEN = "a token of this test"  # noqa: S105 - it opens nothing


@pytest.fixture
def core(small_house: None) -> Core:
    return open_core()


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only this machine can reach the dashboard."""
    monkeypatch.setattr(admin, "one_click", lambda core: not core.admin.configured)


def test_one_click_creates_an_experiment_on_the_forecasts_of_this_house(core: Core, local: None) -> None:
    challenger = stored(core.store, "simulator").version
    app = page()
    app.text_input(key="experiment id").set_value("monsoon-2027").run()
    app.text_input(key="experiment why").set_value("is it better in the west?").run()
    app.selectbox(key="experiment strategy").set_value(TrafficSplitStrategy.USER_HASH).run()
    app.slider(key="experiment percent").set_value(20.0).run()
    app.selectbox(key="experiment unit").set_value(UnitKey.STATION).run()
    app.number_input(key="experiment alarm").set_value(10.0).run()
    app.checkbox(key="experiment draft").set_value(True).run()
    button(app, "Create").click().run()
    assert not refused(app)
    made = core.experiments.experiment("monsoon-2027")
    assert (made.source, made.region_id) == (core.lifecycle.source, REGION)
    assert [v.traffic_percentage for v in made.variants] == [80.0, 20.0]
    assert made.challengers[0].model == challenger
    assert (made.unit, made.alarm, made.why) == (UnitKey.STATION, 0.1, "is it better in the west?")
    assert core.experiments.stage("monsoon-2027") is Stage.DRAFT
    assert "○ Not started" in headline(app)


def test_a_rollout_by_evidence_can_be_created_and_wrong_steps_are_refused_in_words(core: Core, local: None) -> None:
    stored(core.store, "simulator")
    app = page()
    app.text_input(key="experiment id").set_value("grows").run()
    app.selectbox(key="experiment strategy").set_value(TrafficSplitStrategy.GRADUAL_ROLLOUT).run()
    app.radio(key="experiment rollout").set_value("by evidence").run()
    app.text_input(key="experiment steps").set_value("ten, 30").run()
    button(app, "Create").click().run()
    assert any("are no percentages" in error.value for error in app.error)
    app.text_input(key="experiment steps").set_value("5; 50 %, 100").run()
    button(app, "Create").click().run()
    assert not refused(app)
    assert core.experiments.experiment("grows").rollout == Rollout((5.0, 50.0, 100.0), 7.0, by_evidence=True)
    assert core.experiments.stage("grows") is Stage.RUNNING


def test_a_bad_name_is_refused_in_words(core: Core, local: None) -> None:
    stored(core.store, "simulator")
    app = page()
    app.text_input(key="experiment id").set_value("no spaces please").run()
    button(app, "Create").click().run()
    assert any("named with letters" in error.value for error in app.error)


def test_with_one_version_there_is_nothing_to_try_against(core: Core, local: None) -> None:
    app = page()
    assert "Create" not in labels(app)
    assert any("There are no two versions yet" in info.value for info in app.info)


def test_an_experiment_is_started_paused_stopped_and_decided_with_reasons(core: Core, local: None) -> None:
    running(core, draft=True)
    app = page()
    for step, stage in (("Start", Stage.RUNNING), ("Pause", Stage.PAUSED), ("Stop", Stage.STOPPED)):
        app.text_input(key="experiment step why").set_value(f"to {step}").run()
        button(app, step).click().run()
        assert core.experiments.stage("monsoon") is stage
    assert not {"Start", "Pause", "Stop"} & labels(app)
    app.text_input(key="experiment step why").set_value("").run()
    button(app, "Decide").click().run()
    assert any("needs a reason" in error.value for error in app.error)
    app.text_input(key="experiment step why").set_value("no rain came").run()
    button(app, "Decide").click().run()
    made = core.experiments.records.steps("monsoon")
    assert [(s.action, s.who, s.why) for s in made[2:]] == [
        ("pause", "dashboard", "to Pause"),
        ("stop", "dashboard", "to Stop"),
        ("decide", "dashboard", "no rain came"),
    ]
    assert made[-1].detail["winner"] is None


def test_the_winner_that_the_records_name_is_offered_first(core: Core, local: None) -> None:
    recorded(running(core), "monsoon", 60, control=0.4, challenger=0.7)
    app = page()
    app.text_input(key="experiment step why").set_value("as the records say").run()
    button(app, "Decide").click().run()
    assert core.experiments.records.steps("monsoon")[-1].detail["winner"] == "challenger"


def test_somebody_elses_step_in_between_is_told_and_changes_nothing(core: Core, local: None) -> None:
    door = running(core)
    app = page()
    door.stop_experiment("monsoon")
    button(app, "Pause").click().run()
    assert core.experiments.stage("monsoon") is Stage.STOPPED
    assert not app.exception


@pytest.mark.parametrize("met", [True, False])
def test_a_winner_is_promoted_through_the_gate_whose_reasons_are_shown(
    core: Core, local: None, monkeypatch: pytest.MonkeyPatch, met: bool
) -> None:
    asked: list[tuple[str, ...]] = []

    def gate(_: Core, *what: str) -> Verdict:
        asked.append(what)
        return Verdict((Rule("gain", met, "3.1 % less loss"),))

    monkeypatch.setattr(Core, "promote_winner", gate)
    door = running(core, source=core.lifecycle.source, region_id=REGION)
    door.decide_experiment("monsoon", "challenger", "better")
    app = page()
    app.text_input(key="promote winner why").set_value("the season begins").run()
    button(app, "Let challenger serve").click().run()
    assert asked == [("monsoon", "dashboard", "the season begins")]
    assert ("The winner serves." in texts(app)) is met
    assert ("does not serve: the gate kept what serves" in texts(app)) is not met
    assert list(table(app, "rule")["met"]) == ["✓ met" if met else "✕ not met"]


def test_a_gate_that_cannot_be_asked_is_a_sentence(core: Core, local: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object) -> Verdict:
        raise ExperimentError("This cannot be promoted.", hint="Look again.")

    monkeypatch.setattr(Core, "promote_winner", closed)
    door = running(core, source=core.lifecycle.source, region_id=REGION)
    door.decide_experiment("monsoon", "challenger", "better")
    app = page()
    button(app, "Let challenger serve").click().run()
    assert any("This cannot be promoted" in error.value for error in app.error)


@pytest.mark.parametrize("winner", [None, "control"])
def test_nobody_is_promoted_where_no_challenger_won(core: Core, local: None, winner: str | None) -> None:
    door = running(core, source=core.lifecycle.source, region_id=REGION)
    door.decide_experiment("monsoon", winner, "no better")
    app = page()
    assert not [label for label in labels(app) if label.startswith("Let ")]
    assert "To do: nothing." in texts(app)


def test_where_a_token_is_configured_every_change_asks_for_it(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(core.admin), "_token", lambda _: TOKEN)
    monkeypatch.setattr(admin, "one_click", lambda _: False)
    stored(core.store, "simulator")
    running(core)
    app = page()
    assert not {"Create", "Pause", "Decide"} & labels(app)
    app.text_input(key="admin token experiment").set_value("wrong")
    [b for b in app.button if b.label == "Unlock"][-1].click().run()
    assert any("not the token" in error.value for error in app.error)
    assert not {"Create", "Pause", "Decide"} & labels(app)
    app.text_input(key="admin token experiment").set_value(TOKEN)
    [b for b in app.button if b.label == "Unlock"][-1].click().run()
    assert {"Create", "Pause", "Decide"} <= labels(app)


def test_steps_of_a_rollout_are_read_as_people_type_them() -> None:
    assert experiment_controls.percentages(" 10,30 %; 100,") == (10.0, 30.0, 100.0)
