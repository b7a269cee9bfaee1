"""The page of the models: who serves and who challenges, trainings as they run, and changes with reason and guard."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import Core, open_core
from core.domain.drift import Aspect, DriftReport, Shift, VariableDrift
from core.domain.lifecycle import RunStatus, Trigger
from core.errors import InsufficientData
from core.workflows.histories import Histories
from tests.models_made import stored
from tests.pages.drawn import drawn
from tests.trainings_made import FakeTrainings
from ui import admin

REGION = "uttarakhand-himachal"
TOKEN = "a token of this test"  # noqa: S105 - it opens nothing


@pytest.fixture
def core(small_house: None) -> Core:
    made = open_core()
    made.lifecycle.trainings = FakeTrainings()
    return made


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only this machine can reach the dashboard."""
    monkeypatch.setattr(admin, "one_click", lambda core: not core.admin.configured)


def page() -> AppTest:
    return drawn("pages/models.py")


def texts(app: AppTest) -> str:
    kinds = ("title", "subheader", "caption", "markdown", "error", "info")
    parts = [element.value for kind in kinds for element in app.get(kind)]
    parts += [metric.value for metric in app.metric] + [table.value.to_string() for table in app.dataframe]
    return "\n".join(str(part) for part in parts).replace("\\", "")


def button(app: AppTest, label: str) -> Any:
    return next(found for found in app.button if found.label == label)


def test_a_new_house_is_served_by_the_seed_and_says_that_nothing_was_trained(core: Core) -> None:
    shown = texts(page())
    assert "Nothing was trained in this house yet." in shown
    assert "Nobody was deployed yet: the shipped seed model serves." in shown
    assert "No challenger forecasts in the shadow." in shown
    assert "There is one version only: nothing to compare." in shown


def test_every_deployment_stands_there_with_who_when_and_why(core: Core) -> None:
    one, two = (stored(core.store, "simulator").version for _ in range(2))
    core.lifecycle.promote(one, REGION, "Asha", "better in the west")
    core.lifecycle.promote(two, REGION, "Asha", "better everywhere")
    core.lifecycle.roll_back(REGION, "Bina", "it was not")
    app = page()
    table = next(t.value for t in app.dataframe if "why" in t.value.columns)
    assert list(table["why"]) == ["it was not", "better everywhere", "better in the west"]
    assert list(table["who"]) == ["Bina", "Asha", "Asha"]
    assert list(table["to"]) == [one, two, one]
    assert {m.label: m.value for m in app.metric}["Deployments so far"] == "3"


def test_a_running_training_shows_how_far_it_is_and_can_be_cancelled(core: Core, local: None) -> None:
    trainings = core.lifecycle.trainings
    assert isinstance(trainings, FakeTrainings)
    core.lifecycle.retrain(REGION, who="the schedule", trigger=Trigger.SCHEDULE)
    app = page()
    shown = texts(app)
    assert "Running since" in shown
    assert "begun by the schedule" in shown
    assert not [b for b in app.button if b.label == "Train a challenger"]
    button(app, "Cancel").click().run()
    assert trainings.cancelled == ["run1"]


def test_how_the_last_training_ended_stands_there_with_the_rules_of_the_gate(core: Core) -> None:
    trainings = core.lifecycle.trainings
    assert isinstance(trainings, FakeTrainings)
    core.lifecycle.retrain(REGION, who="Asha", trigger=Trigger.PAGE)
    rules = [
        {"name": "gain", "met": False, "text": "0.2 % less loss"},
        {"name": "POD", "met": True, "text": "+1 points"},
    ]
    trainings.end(RunStatus.KEPT, reasons=("gain: 0.2 % less loss",), metrics={"gate": rules})
    app = page()
    shown = texts(app)
    assert "the champion serves on, the challenger forecasts in the shadow" in shown
    assert "gain: 0.2 % less loss" in shown
    table = next(t.value for t in app.dataframe if "rule" in t.value.columns)
    assert list(table["met"]) == ["✕ not met", "✓ met"]


def test_trainings_that_changed_nothing_stand_there_too(core: Core) -> None:
    trainings = core.lifecycle.trainings
    assert isinstance(trainings, FakeTrainings)
    core.lifecycle.retrain(REGION, who="Asha", trigger=Trigger.PAGE)
    core.lifecycle.ended(trainings.end(RunStatus.SKIPPED, reasons=("one class: 0 events in 8,760 cases.",)))
    table = next(t.value for t in page().dataframe if "what decided" in t.value.columns)
    assert table[["state", "who", "what decided"]].to_numpy().tolist() == [
        ["skipped", "Asha", "one class: 0 events in 8,760 cases."]
    ]


def test_one_click_trains_a_challenger_on_a_dashboard_of_ones_own(core: Core, local: None) -> None:
    trainings = core.lifecycle.trainings
    assert isinstance(trainings, FakeTrainings)
    app = page()
    app.text_input(key="retrain why").set_value("new gauges").run()
    button(app, "Train a challenger").click().run()
    assert trainings.now is not None
    asked = trainings.now.request
    assert (asked.who, asked.why, asked.trigger, asked.region_id) == ("dashboard", "new gauges", Trigger.PAGE, REGION)


def test_where_a_token_is_configured_every_change_asks_for_it(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(core.admin), "_token", lambda _: TOKEN)
    monkeypatch.setattr(admin, "one_click", lambda _: False)
    app = page()
    assert not [b for b in app.button if b.label in ("Train a challenger", "Promote")]
    app.text_input(key="admin token change").set_value("wrong")
    next(b for b in app.button if b.label == "Unlock").click().run()
    assert any("not the token" in error.value for error in app.error)
    assert not [b for b in app.button if b.label == "Train a challenger"]
    app.text_input(key="admin token change").set_value(TOKEN)
    next(b for b in app.button if b.label == "Unlock").click().run()
    assert [b for b in app.button if b.label == "Train a challenger"]
    assert [b for b in app.button if b.label == "Promote"]


@pytest.mark.parametrize(
    ("options", "token", "expected"),
    [
        (("127.0.0.1", ["localhost", "127.0.0.1"]), "", True),
        (("127.0.0.1", ["localhost", "127.0.0.1"]), "secret", False),
        (("0.0.0.0", ["localhost", "127.0.0.1"]), "", False),  # noqa: S104 - what must be refused
        (("127.0.0.1", ["localhost", "met.example"]), "", False),
        (("127.0.0.1", []), "", False),
        ((None, ["localhost"]), "", False),
    ],
)
def test_one_click_suffices_only_where_nobody_else_can_come_in(
    core: Core, monkeypatch: pytest.MonkeyPatch, options: tuple[str | None, list[str]], token: str, expected: bool
) -> None:
    named = dict(zip(("server.address", "server.allowedHosts"), options, strict=True))
    monkeypatch.setattr(admin.st, "get_option", named.__getitem__)
    house = replace(core, admin=replace(core.admin, configured=token))
    assert admin.one_click(house) is expected


def test_a_change_without_a_reason_is_refused_in_words(core: Core, local: None) -> None:
    stored(core.store, "simulator")
    app = page()
    button(app, "Promote").click().run()
    assert any("needs a reason" in error.value for error in app.error)
    app.text_input(key="change why").set_value("a try").run()
    button(app, "Promote").click().run()
    assert core.store.champion("simulator", REGION).generation == 1


def test_versions_that_cannot_be_compared_yet_say_so(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> None:
        raise InsufficientData("Every case was learned from by one of them.", have=0, need=1, hint="Wait.")

    monkeypatch.setattr(Histories, "compare", nothing)
    stored(core.store, "simulator")
    app = page()
    app.toggle(key="compare now").set_value(True).run()
    assert any("Every case was learned from" in error.value for error in app.error)


def test_drift_is_shown_as_what_was_found_and_never_as_well_where_nothing_was_judged(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = date(2026, 7, 20)
    shifts = (Shift("temperature_c", Aspect.LEVEL, True, day, day, 0.9),)
    hot = VariableDrift("temperature_c", "", 90, 0.3, 0.1, 0.2, shifts)
    dark = VariableDrift("wind_speed_ms", "5 days of reference, 60 are needed", 5)
    reports = [
        DriftReport("simulator", REGION, day, day, day, day, 9, 9, (hot, dark)),
        DriftReport("simulator", REGION, day, day, None, None, 9, 9, (dark,)),
    ]
    monkeypatch.setattr(type(core.lifecycle), "looked", lambda *_: reports.pop(0))
    app = page()
    assert any("Temperature" in warning.value for warning in app.warning)
    table = next(t.value for t in app.dataframe if "in words" in t.value.columns)
    assert list(table["state"]) == ["▲ drifted", "not judged"]
    app.run()
    assert "Nothing could be judged yet." in texts(app)
    assert not app.success
