"""The page of the alerts: what stands, who has seen it, levels that people set, and what rules would have done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import Core, RiskLevel, Scope, open_core
from core.domain.alerts import AlertRule
from tests.pages.drawn import drawn
from ui import admin

REGION = "uttarakhand-himachal"


@pytest.fixture
def core(small_house: None, monkeypatch: pytest.MonkeyPatch) -> Core:
    monkeypatch.setattr(admin, "one_click", lambda core: not core.admin.configured)
    return open_core()


def page(path: str = "pages/alerts.py", **address: str) -> AppTest:
    return drawn(path, **address)


def texts(app: AppTest) -> str:
    kinds = ("subheader", "caption", "markdown", "error", "warning", "success", "info")
    parts = [str(element.value) for kind in kinds for element in app.get(kind)]
    parts += [f"{m.label}: {m.value}" for m in app.metric] + [table.value.to_string() for table in app.dataframe]
    return "\n".join(parts).replace("\\", "")


def button(app: AppTest, label: str) -> Any:
    return next(found for found in app.button if found.label == label)


def raise_alert(core: Core) -> str:
    """Let a person set the first district to red, and a rule raise an alert of it at once."""
    region = core.region(REGION)
    issue = core.issue(REGION).forecast
    place = issue.region.locations[0].id
    core.alerts.set_rule(AlertRule("default", REGION, RiskLevel.RED, persistence=1), "Asha")
    until = core.clock() + timedelta(hours=6)
    core.alerts.levels.set_level(region, (Scope.PLACE, place), RiskLevel.RED, until, who="Asha", why="radar_cell")
    core.alerts.evaluate(core.issue(REGION).forecast)
    return place


def test_a_new_house_has_the_default_rule_and_nothing_stands(core: Core) -> None:
    shown = texts(page())
    assert "No alert stands." in shown
    assert "Orange or above in 2 issues in a row; ends after 3 below" in shown
    assert "Every level shown is the model's own." in shown
    assert "No alert was raised in the last 30 days." in shown
    assert "False alarm ratio (n = 0): –" in shown


def test_a_standing_alert_is_on_every_page_until_somebody_acknowledges_it(core: Core) -> None:
    raise_alert(core)
    for path in ("pages/risk_map.py", "pages/point.py", "pages/alerts.py"):
        assert "alerts stand that nobody has acknowledged" in texts(page(path))
    app = page()
    app.text_input(key="acknowledge who").set_value("Bina")
    button(app, "Acknowledge").click().run()
    assert "A name and a reason are needed" in texts(app)
    app.text_input(key="acknowledge who").set_value("Bina")
    app.text_input(key="acknowledge why").set_value("calling the district")
    button(app, "Acknowledge").click().run()
    shown = texts(app)
    assert "nobody has acknowledged" not in shown
    assert "Bina: calling the district" in shown
    assert [a.acknowledged[0].who for a in core.alerts.standing(REGION)] == ["Bina"]


def test_a_level_that_a_person_set_says_so_wherever_it_is_shown(core: Core) -> None:
    before = core.issue(REGION).forecast.forecasts[0].level.value
    place = raise_alert(core)
    app = page("pages/point.py", place=place)
    (head,) = [h.proto.body for h in app.get("html") if "set by" in h.proto.body]
    assert "Red: take action (set by Asha: radar_cell; the model says" in head
    assert before in head.lower()
    table = texts(page())
    assert "radar_cell" in table
    assert "set by Asha" in table


def test_a_level_is_set_and_withdrawn_on_the_page(core: Core) -> None:
    app = page()
    app.radio(key="override scope").set_value(Scope.PLACE).run()
    app.text_input(key="override who").set_value("Asha")
    app.text_input(key="override why").set_value("gauge upstream")
    app.selectbox(key="override level").set_value(RiskLevel.YELLOW)
    button(app, "Set this level").click().run()
    assert not app.exception
    (made,) = core.alerts.levels.standing(REGION)
    assert (made.level, made.who, made.why) == (RiskLevel.YELLOW, "Asha", "gauge upstream")
    assert abs(made.until - made.at - timedelta(hours=6)) < timedelta(minutes=1)
    button(app, "Withdraw").click().run()
    assert core.alerts.levels.standing(REGION) == ()


def test_rules_are_added_and_removed_and_a_dry_run_keeps_nothing(core: Core) -> None:
    app = page()
    app.selectbox(key="rule chosen").set_value("").run()
    keep = next(f for f in app.number_input if f.key == "edit  persistence")
    keep.set_value(5)
    app.text_input(key="rule who").set_value("Asha")
    button(app, "Keep this rule").click().run()
    assert sorted(rule.persistence for rule in core.alerts.rules(REGION)) == [2, 5]
    app.selectbox(key="rule chosen").set_value("default").run()
    app.text_input(key="rule who").set_value("Asha")
    button(app, "Remove it").click().run()
    assert [rule.persistence for rule in core.alerts.rules(REGION)] == [5]
    button(app, "Dry run").click().run()
    assert not app.exception
    assert len([m for m in app.metric if m.label == "Misses"]) == 2
    assert core.alerts.past.alerts(REGION) == ()


def test_whoever_may_not_act_is_asked_for_the_token(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    raise_alert(core)
    monkeypatch.setattr(admin, "one_click", lambda _core: False)
    app = page()
    labels = {b.label for b in app.button}
    assert "Unlock" in labels
    assert not labels & {"Acknowledge", "Set this level", "Keep this rule", "Send a trial"}
