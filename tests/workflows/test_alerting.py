"""Alerts on a real ledger with issues and rain made by hand: golden counts, people's levels, and two at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.adapters.ledger import SqlLedger
from core.adapters.ledger_alerts import SqlAlerts
from core.domain.alert_scores import LevelScore
from core.domain.alerts import AlertOutcome, AlertRule, default_rule
from core.domain.forecast import RegionForecast, RiskLevel
from core.domain.notices import Notice, NoticeKind
from core.domain.overrides import Scope
from core.errors import ConfigurationError, UnfitInput
from core.workflows.alert_history import AlertHistory
from core.workflows.alerting import Alerting
from core.workflows.overruling import Overruling
from tests.issued_made import House, hours
from tests.weather_made import REGION

RAISED, CHANGED, ENDED = NoticeKind.RAISED, NoticeKind.CHANGED, NoticeKind.ENDED
LEVELS = {"g": RiskLevel.GREEN, "o": RiskLevel.ORANGE, "r": RiskLevel.RED, "?": RiskLevel.UNKNOWN}


class Desk(House):
    """A house with alerts; `says` issues a level an hour for all places."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.told: list[Notice] = []
        self.kept = True
        self.forgot: list[str] = []
        self.alerts = self.opened()

    def opened(self) -> Alerting:
        records = SqlAlerts(SqlLedger(f"sqlite:///{self.folder / 'ledger.sqlite'}"))
        levels = Overruling(records, self.source, lambda: self.now, self.forgot.append)
        return Alerting(levels, AlertHistory(records, self.verifying), self.tells)

    def tells(self, notice: Notice) -> bool:
        self.told.append(notice)
        return self.kept

    def says(self, letter: str, hour: int) -> RegionForecast:
        """Record an issue of one level and return it."""
        self.now = hours(hour) + timedelta(minutes=10)
        issue = self.issue(hour, p=0.1 + hour / 1000, model=None if letter == "?" else "m1")
        issue = replace(issue, forecasts=tuple(replace(f, level=LEVELS[letter]) for f in issue.forecasts))
        with self.ledger.engine.begin() as connection:  # the levels of an issue by hand are all red
            connection.exec_driver_sql(
                "UPDATE forecasts SET level = ? WHERE valid_from = ?",
                (LEVELS[letter].value, hours(hour).strftime("%Y-%m-%d %H:%M:%S.%f")),
            )
        return issue

    def goes(self, letters: str, first: int = 0) -> list[tuple[int, NoticeKind]]:
        """Evaluate an issue an hour; return what happened when."""
        found = []
        for i, letter in enumerate(letters, first):
            found += [(i, kind) for kind in self.alerts.evaluate(self.alerts.levels.overruled(self.says(letter, i)))]
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_an_alert_is_raised_changed_and_ended_kept_and_told(desk: Desk) -> None:
    assert desk.goes("goorggg") == [(2, RAISED), (3, CHANGED), (6, ENDED)]
    (alert,) = desk.alerts.past.alerts(REGION.id)
    assert (alert.begun, alert.ended, alert.level) == (hours(2), hours(6), RiskLevel.RED)
    assert alert.places == ("a", "b", "c")
    assert (alert.model_version, alert.said_by) == ("m1", "")
    assert alert.probability == pytest.approx(0.105)  # the one of the issue that ended it is none of its own
    assert [n.kind for n in desk.told] == [RAISED, CHANGED, ENDED]
    assert len({n.id for n in desk.told}) == 3
    for notice in desk.told:
        assert "no official warning" in notice.text
        assert "m1" in notice.text
    assert desk.alerts.standing(REGION.id) == ()


def test_the_counts_go_on_after_a_restart_and_unknown_breaks_nothing(desk: Desk) -> None:
    assert desk.goes("o?") == []
    desk.alerts = desk.opened()
    assert desk.goes("o", 2) == [(2, RAISED)]
    desk.alerts = desk.opened()
    assert desk.goes("????g?g?", 3) == []
    assert desk.goes("g", 11) == [(11, ENDED)]


def test_two_that_evaluate_at_once_raise_one_alert_and_tell_it_once(desk: Desk) -> None:
    desk.goes("o")
    issue = desk.says("o", 1)
    with ThreadPoolExecutor(2) as pool:
        happened = list(pool.map(lambda alerts: alerts.evaluate(issue), [desk.opened(), desk.opened()]))
    assert sorted(happened) == [(), (RAISED,)]
    assert (
        len({notice.id for notice in desk.told}) == len(desk.alerts.standing(REGION.id)) == 1
    )  # the outbox takes an id once


def test_issues_of_other_data_raise_nothing(desk: Desk) -> None:
    for hour in range(3):
        assert desk.alerts.evaluate(replace(desk.says("r", hour), source="replay:gauges")) == ()


def test_hits_false_alarms_and_misses_by_hand(desk: Desk) -> None:
    #                 0         1         2         3         4
    #                 0123456789012345678901234567890123456789012
    letters = "googggggggggggggggggoogggggggggggggggggggggg"
    desk.falls(0, 5, 20.0)  # within the windows of hours 0 to 4: an alert stood from 2 to 4
    desk.falls(1, 38, 31.0)  # no alert stood in the windows of hours 32 to 37
    assert desk.goes(letters) == [(2, RAISED), (5, ENDED), (21, RAISED), (24, ENDED)]
    assert [a.outcome for a in desk.alerts.past.alerts(REGION.id)] == [AlertOutcome.PENDING] * 2
    desk.observe(52)
    desk.join()
    assert desk.alerts.past.judge(REGION.id) == 2
    assert desk.alerts.past.judge(REGION.id) == 0
    second, first = desk.alerts.past.alerts(REGION.id)
    assert (first.outcome, second.outcome) == (AlertOutcome.HIT, AlertOutcome.FALSE_ALARM)
    for counts in (
        desk.alerts.past.counts(REGION),
        desk.alerts.past.dry_run(REGION, default_rule(REGION.id)),
    ):
        assert (counts.alerts, counts.events, counts.far, counts.pod) == (2, 2, 0.5, 0.5)
        (miss,) = counts.misses
        assert (miss.begun, miss.last, miss.places) == (hours(32), hours(37), ("b",))
    never = desk.alerts.past.dry_run(REGION, AlertRule("x", REGION.id, persistence=3))
    assert (never.alerts, never.far, never.pod) == (0, None, 0.0)
    by_chance = desk.alerts.past.dry_run(REGION, AlertRule("x", REGION.id, threshold=0.1, persistence=1))
    assert (by_chance.alerts, by_chance.outcomes[AlertOutcome.HIT], by_chance.pod) == (1, 1, 1.0)


@pytest.mark.parametrize(
    ("letters", "last", "kind"), [("oo", "o", RAISED), ("oor", "r", CHANGED), ("ooggg", "g", ENDED)]
)
def test_what_a_process_recorded_and_did_not_tell_before_it_died_is_told_by_the_next(
    desk: Desk, letters: str, last: str, kind: NoticeKind
) -> None:
    desk.goes(letters[:-1])
    desk.told.clear()

    def dies(_notice: Notice) -> bool:
        raise KeyboardInterrupt

    desk.alerts.tell = dies
    with pytest.raises(KeyboardInterrupt):
        desk.goes(last, first=len(letters) - 1)
    desk.alerts = desk.opened()
    desk.goes(last, first=len(letters))
    desk.goes(last, first=len(letters) + 1)
    assert [notice.kind for notice in desk.told] == [kind]


def test_what_the_disk_does_not_take_is_told_again(desk: Desk) -> None:
    desk.kept = False
    desk.goes("ooo")
    assert [notice.kind for notice in desk.told] == [RAISED, RAISED]  # the second issue raised it
    assert len({notice.id for notice in desk.told}) == 1
    desk.kept = True
    desk.goes("oo", first=3)
    assert len(desk.told) == 3


def test_a_clock_that_was_ahead_holds_no_alert_back(desk: Desk) -> None:
    desk.goes("o", first=24 * 3650)  # ten years ahead for one issue
    assert desk.goes("gooorggg") == [(2, RAISED), (4, CHANGED), (7, ENDED)]
    desk.goes("oo", first=100)
    assert len(desk.alerts.standing(REGION.id)) == 1
    assert desk.goes("ggg", first=10) == [(12, ENDED)]  # one that was raised then ends all the same


def test_what_happened_before_anybody_watched_is_nobodys_miss(desk: Desk) -> None:
    for hour in range(12):
        desk.says("g", hour)  # forecasts as old as a made-up history: no rule has met them
    desk.falls(0, 5, 20.0)
    desk.goes("g", first=12)
    desk.observe(30)
    desk.join()
    assert desk.alerts.past.counts(REGION).events == 0
    assert desk.alerts.past.counted_since(REGION.id) == hours(12)
    assert desk.alerts.past.dry_run(REGION, default_rule(REGION.id)).events == 1  # what a rule would have done may ask


def test_what_is_not_measured_is_neither_hit_nor_false_alarm(desk: Desk) -> None:
    desk.goes("ooggg")
    desk.now = hours(24 * 5)  # the patience of the truths is over, and nothing came
    desk.join()
    assert desk.alerts.past.judge(REGION.id) == 1
    (alert,) = desk.alerts.past.alerts(REGION.id)
    assert alert.outcome is AlertOutcome.NOT_VERIFIABLE
    assert desk.alerts.past.counts(REGION).far is None


def test_an_alert_is_acknowledged_with_name_and_reason(desk: Desk) -> None:
    desk.goes("oo")
    (alert,) = desk.alerts.standing(REGION.id)
    for who, why in (("", "seen"), ("Asha", "  ")):
        with pytest.raises(UnfitInput):
            desk.alerts.acknowledge(alert, who=who, why=why)
    desk.alerts.acknowledge(alert, who=" Asha ", why="calling the district")
    (seen,) = desk.alerts.standing(REGION.id)[0].acknowledged
    assert (seen.who, seen.why) == ("Asha", "calling the district")


def test_a_rule_that_is_removed_ends_its_alerts_and_raises_none(desk: Desk) -> None:
    desk.goes("oo")
    desk.alerts.remove_rule(desk.alerts.rules(REGION.id)[0], "Asha")
    assert desk.alerts.rules(REGION.id) == ()
    assert desk.alerts.standing(REGION.id) == ()
    assert desk.told[-1].kind is ENDED
    assert desk.goes("rrr", 2) == []
    desk.alerts.set_rule(replace(default_rule(REGION.id), persistence=1), "Asha")
    assert desk.goes("r", 5) == [(5, RAISED)]


def test_a_persons_level_is_shown_raises_alerts_and_leaves_the_models_in_the_ledger(desk: Desk) -> None:
    desk.goes("g")
    made = desk.alerts.levels.set_level(
        REGION, (Scope.PLACE, "b"), RiskLevel.RED, hours(9), who="Asha", why="radar shows a cell"
    )
    assert desk.forgot == [REGION.id]
    plain = desk.says("g", 1)
    shown = desk.alerts.levels.overruled(plain)
    forecast = shown.of("b")
    assert forecast is not None
    assert forecast.override == replace(made, model_level=RiskLevel.GREEN)
    assert forecast.level is RiskLevel.RED
    assert shown.of("a") == plain.of("a")
    assert shown.version != plain.version
    assert any("Asha" in note and "radar shows a cell" in note for note in shown.notes)
    said = next(f for f in shown.as_dict(desk.now)["forecasts"] if f["location_id"] == "b")
    assert (said["level"], said["override"]["model_level"]) == ("red", "green")
    assert desk.goes("gg", 1) == [(2, RAISED)]
    (alert,) = desk.alerts.standing(REGION.id)
    assert (alert.said_by, alert.places) == ("Asha", ("b",))
    assert "set by Asha" in desk.told[0].text
    assert set(desk.cases().level) == {"green"}
    assert desk.alerts.levels.withdraw(made)
    assert desk.alerts.levels.overruled(desk.says("g", 3)).of("b").override is None  # type: ignore[union-attr]


def test_a_persons_level_ends_by_itself(desk: Desk) -> None:
    desk.alerts.levels.set_level(REGION, (Scope.PLACE, "b"), RiskLevel.RED, hours(2), who="A", why="b")
    assert desk.alerts.levels.standing(REGION.id)
    desk.now = hours(2)
    assert desk.alerts.levels.standing(REGION.id) == ()


@pytest.mark.parametrize(
    ("target", "level", "until", "who"),
    [
        ((Scope.PLACE, "nowhere"), RiskLevel.RED, 3, "A"),
        ((Scope.DISTRICT, ""), RiskLevel.RED, 3, "A"),
        ((Scope.PLACE, "b"), RiskLevel.UNKNOWN, 3, "A"),
        ((Scope.PLACE, "b"), RiskLevel.RED, 0, "A"),
        ((Scope.PLACE, "b"), RiskLevel.RED, 49, "A"),
        ((Scope.PLACE, "b"), RiskLevel.RED, 3, " "),
    ],
)
def test_a_level_without_name_place_or_end_is_refused(
    desk: Desk, target: tuple[Scope, str], level: RiskLevel, until: int, who: str
) -> None:
    with pytest.raises(UnfitInput):
        desk.alerts.levels.set_level(REGION, target, level, hours(until), who=who, why="why")
    assert desk.alerts.levels.standing(REGION.id) == ()


def test_people_are_scored_as_models_are(desk: Desk) -> None:
    desk.falls(0, 5, 20.0)
    desk.goes("oo")
    desk.alerts.levels.set_level(REGION, (Scope.PLACE, "a"), RiskLevel.RED, hours(4), who="Asha", why="x")
    desk.alerts.levels.set_level(REGION, (Scope.PLACE, "b"), RiskLevel.GREEN, hours(4), who="Bina", why="x")
    desk.goes("gogggg", 2)
    desk.observe(20)
    desk.join()
    # Set at 1:10, until 4:00: the issues of 1, 2 and 3 o'clock (10 past), of which the model warned at 1 and 3.
    assert desk.alerts.past.level_scores(REGION) == (
        LevelScore("", 2, 2, 1, 1, 0),
        LevelScore("Asha", 3, 0, 0, 0, 0),
        LevelScore("Bina", 0, 0, 0, 3, 0),
    )


def test_records_that_do_not_answer_are_said_and_levels_stay_the_models(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ConfigurationError("The ledger cannot be used: broken.")

    issue = desk.says("o", 0)
    monkeypatch.setattr(SqlAlerts, "overrides", fails)
    shown = desk.alerts.levels.overruled(issue)
    assert shown.forecasts == issue.forecasts
    assert "broken" in shown.problems[-1]


def test_a_trial_says_that_nothing_has_happened_and_leaves_no_record(desk: Desk) -> None:
    notice = desk.alerts.trial(desk.says("r", 0), "Asha")
    assert desk.told == [notice]
    assert notice.kind is NoticeKind.TRIAL
    assert notice.headline.startswith("TRIAL, nothing has happened")
    assert notice.text.startswith("TRIAL, nothing has happened")
    assert desk.alerts.past.alerts(REGION.id) == ()
