"""What the ledger keeps of alerts: everything comes back as it was, and of two at once one is told that it was new."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core.adapters.ledger import SqlLedger
from core.adapters.ledger_alerts import SqlAlerts
from core.domain.alerts import Acknowledgement, Alert, AlertOutcome, AlertRule, State
from core.domain.forecast import MINI_CLOUDBURST, TARGET, RiskLevel
from core.domain.overrides import Override, Scope
from core.errors import ConfigurationError
from core.ports import AlertRecords
from tests.adapters.test_ledger import meeting_before
from tests.weather_made import END

HOUR = timedelta(hours=1)
ALERT = Alert(
    "id1", "gauges", "r", "default", "a rule", TARGET, "Chamoli", END, END + HOUR / 6, END + HOUR / 6,
    RiskLevel.ORANGE, 0.25, ("a",), "m1", "gauges",
)  # fmt: skip
OVERRIDE = Override(
    "o1", "gauges", "r", Scope.PLACE, "a", RiskLevel.RED, "Asha", "rain in 'sight'", END, END + 6 * HOUR
)


@pytest.fixture
def records(ledger_url: str) -> AlertRecords:
    return SqlAlerts(SqlLedger(ledger_url))


def test_a_rule_comes_back_and_one_that_is_gone_is_known_as_gone(records: AlertRecords) -> None:
    rules = [AlertRule("x", "r", RiskLevel.RED), AlertRule("y", "r", threshold=0.3, event=MINI_CLOUDBURST, margin=0.2)]
    for rule in rules:
        records.keep_rule(rule, "Asha", END)
    assert records.rules("r") == {"x": rules[0], "y": rules[1]}
    records.keep_rule(replace(rules[0], persistence=5), "Bina", END)
    records.keep_rule(rules[1], "Bina", END, removed=True)
    assert records.rules("r") == {"x": replace(rules[0], persistence=5), "y": None}
    assert records.rules("elsewhere") == {}


def test_the_first_hour_that_was_watched_stays(records: AlertRecords) -> None:
    assert records.watched_since("gauges", "r") is None
    records.watch("gauges", "r", END)
    records.watch("gauges", "r", END + timedelta(hours=1))
    records.watch("gauges", "other", END + timedelta(hours=2))
    assert records.watched_since("gauges", "r") == END


def test_states_come_back(records: AlertRecords) -> None:
    state = State(END, 2, 0, 1, 0, True, RiskLevel.RED)
    records.keep_states("gauges", "r", "x", {"Chamoli": State(), "": state})
    records.keep_states("gauges", "r", "x", {"Chamoli": replace(state, hour=None)})
    assert records.states("gauges", "r", "x") == {"Chamoli": replace(state, hour=None), "": state}
    assert records.states("simulator", "r", "x") == {}
    records.keep_states("simulator", "r", "x", {})
    assert records.states("simulator", "r", "x") == {}


def test_an_alert_comes_back_and_only_one_of_a_rule_and_district_stands(records: AlertRecords) -> None:
    assert records.raised(ALERT)
    assert not records.raised(ALERT)
    assert not records.raised(replace(ALERT, id="id2", begun=END + HOUR))
    assert records.raised(replace(ALERT, id="id3", area="Almora", probability=math.nan))
    assert records.alerts("gauges", "r")[1] == ALERT
    assert math.isnan(records.alerts("gauges", "r")[0].probability)
    assert records.ended("id1", END + 5 * HOUR, END + 6 * HOUR)
    assert not records.ended("id1", END + 6 * HOUR, END + 7 * HOUR)
    assert records.raised(replace(ALERT, id="id2", begun=END + HOUR))
    assert [a.id for a in records.alerts("gauges", "r")] == ["id3", "id2"]
    (ended,) = [a for a in records.alerts("gauges", "r", END + 6 * HOUR) if not a.stands]
    assert (ended.id, ended.ended, ended.ended_at) == ("id1", END + 5 * HOUR, END + 6 * HOUR)


def test_a_peak_only_rises_and_places_only_join(records: AlertRecords) -> None:
    records.raised(ALERT)
    assert not records.risen("id1", RiskLevel.YELLOW, 0.1, ("b",), END + HOUR)
    assert records.risen("id1", RiskLevel.RED, 0.4, (), END + 2 * HOUR)
    assert not records.risen("id1", RiskLevel.RED, math.nan, ("a",), END + 3 * HOUR)
    (found,) = records.alerts("gauges", "r")
    assert found == replace(ALERT, level=RiskLevel.RED, probability=0.4, places=("a", "b"), changed_at=END + 2 * HOUR)
    assert not records.risen("nobody", RiskLevel.RED, 0.5, (), END)


def test_acknowledgements_and_outcomes_stand_beside_the_alert(records: AlertRecords) -> None:
    records.raised(ALERT)
    seen = [Acknowledgement("id1", END, who, "on it") for who in ("Asha", "Bina")]
    for one in seen:
        records.acknowledge(one)
    records.judged("id1", AlertOutcome.FALSE_ALARM)
    (found,) = records.alerts("gauges", "r")
    assert (found.acknowledged, found.outcome) == (tuple(seen), AlertOutcome.FALSE_ALARM)


def test_overrides_come_back_until_they_end_or_are_withdrawn_once(records: AlertRecords) -> None:
    records.override(OVERRIDE)
    assert records.overrides("gauges", "r", END) == (OVERRIDE,)
    assert records.overrides("gauges", "r", END + 6 * HOUR) == ()
    assert records.withdraw("o1", END + HOUR)
    assert not records.withdraw("o1", END + 2 * HOUR)
    assert records.overrides("gauges", "r", END) == (replace(OVERRIDE, withdrawn_at=END + HOUR),)
    assert records.overrides("gauges", "r", END + HOUR) == ()


@pytest.mark.parametrize(
    ("call", "statement"),
    [
        (lambda r: r.raised(ALERT), "INSERT INTO alerts"),
        (lambda r: r.ended("id1", END, END), "UPDATE alerts"),
        (lambda r: r.risen("id1", RiskLevel.RED, math.nan, (), END), "UPDATE alerts"),
    ],
    ids=["raised", "ended", "risen"],
)
def test_of_two_at_once_one_is_told(ledger_url: str, call: Callable[[Any], bool], statement: str) -> None:
    two = [SqlAlerts(SqlLedger(ledger_url)) for _ in range(2)]
    if statement.startswith("UPDATE"):
        two[0].raised(ALERT)
    with meeting_before(statement), ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(call, two)) == [False, True]


def test_a_database_that_does_not_answer_is_an_error_of_ours(ledger_url: str) -> None:
    ledger = SqlLedger(ledger_url)
    with ledger.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE alerts"))
    with pytest.raises(ConfigurationError):
        SqlAlerts(ledger).alerts("gauges", "r")
