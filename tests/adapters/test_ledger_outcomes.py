"""The ledger keeps what happened, once per window, and hands out what was issued with its truth."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from core.adapters import ledger_outcomes
from core.adapters.ledger import ALONE, SqlLedger
from core.domain.forecast import DEFAULT_WINDOW, WINDOWS, Exceedance, RegionForecast, Window, events_in
from core.domain.verification import Outcome, Truth
from tests.adapters.test_ledger import HOUR, ISSUED, issue, meeting_before

SHORT = Window(0, 1)
LATER = Window(6, 12)


@pytest.fixture
def ledger(ledger_url: str) -> SqlLedger:
    return SqlLedger(ledger_url)


def curve(window: Window, first: float) -> Exceedance:
    """Return a curve that falls by a half from event to event."""
    events = events_in(window)
    p = tuple(first / 2**i for i in range(len(events)))
    return Exceedance(events, p, (0.0,) * len(p), (1.0,) * len(p))


def in_windows(**changes: Any) -> RegionForecast:
    """Return an issue whose known place has a curve for four windows."""
    made = issue(**changes)
    first, second = made.forecasts
    others = tuple(curve(w, 0.01 * w.end_h) for w in (SHORT, Window(0, 3), LATER))
    return replace(made, forecasts=(replace(first, others=others), second))


def outcome(**changes: Any) -> Outcome:
    """Return the known truth of the first place in the default window."""
    known = Outcome("gauges", "r", "a", HOUR, DEFAULT_WINDOW, Truth.KNOWN, 22.5, 31.25, HOUR, ISSUED)
    return replace(known, **changes)


def missing(**changes: Any) -> Outcome:
    """Return that the truth is missing."""
    return outcome(truth=Truth.MISSING, hourly_mm=math.nan, two_hour_mm=math.nan, available_at=None, **changes)


def truths(ledger: SqlLedger, window: Window = DEFAULT_WINDOW) -> list[tuple[str, str]]:
    """Return place and truth of what was issued."""
    cases = ledger.issued("gauges", "r", window)
    return list(zip(cases.location_id.tolist(), cases.truth.tolist(), strict=True))


def test_every_window_of_an_issue_is_kept_once_and_comes_back_as_it_was(ledger: SqlLedger) -> None:
    assert ledger.record_forecast(in_windows()) == 5
    assert ledger.record_forecast(in_windows()) == 0
    for window in (SHORT, Window(0, 3), LATER):
        cases = ledger.issued("gauges", "r", window)
        assert cases.location_id.tolist() == ["a"]
        assert cases.probability.tolist() == [list(curve(window, 0.01 * window.end_h).probability)]
    cases = ledger.issued("gauges", "r", DEFAULT_WINDOW)
    assert cases.location_id.tolist() == ["a", "b"]
    np.testing.assert_array_equal(cases.probability, [[0.5, 0.2, 0.1, 0.02, 0.12], [np.nan] * 5])
    assert (cases.level.tolist(), cases.model_versions) == (["red", "unknown"], ("m1",))
    assert set(cases.valid_from.tolist()) == {HOUR.replace(tzinfo=None)}
    assert set(cases.issued_at.tolist()) == {ISSUED.replace(tzinfo=None)}


def test_a_text_that_many_cases_say_is_held_once(ledger: SqlLedger) -> None:
    for hour in range(3):
        ledger.record_forecast(in_windows(valid_from=HOUR + timedelta(hours=hour), issued_at=ISSUED))
    cases = ledger.issued("gauges", "r", DEFAULT_WINDOW)
    assert len(cases) == 6
    for texts in (cases.location_id, cases.level, cases.model_version, cases.truth):
        assert len({id(text) for text in texts}) == len(set(texts.tolist())) < len(cases)


def test_levels_are_counted_once_per_place_and_not_per_window(ledger: SqlLedger) -> None:
    ledger.record_forecast(in_windows())
    assert ledger.forecast_counts() == {"red": 1, "unknown": 1}


def test_columns_are_named_by_threshold_whatever_the_window_and_the_age_of_the_data_is_kept(
    ledger: SqlLedger,
) -> None:
    ledger.record_forecast(in_windows())
    query = "SELECT begin_h, window_h, p_15, p_50_2h, data_at FROM forecasts WHERE location_id = 'a' ORDER BY 1, 2"
    with ledger.reading() as connection:
        found = connection.execute(sa.text(query)).all()
    assert [tuple(row[:4]) for row in found] == [
        (0, 1, 0.01, None),
        (0, 3, 0.03, 0.03 / 16),
        (0, 6, 0.5, 0.12),
        (6, 6, 0.12, 0.12 / 16),
    ]
    assert {str(row.data_at)[:19] for row in found} == {f"{HOUR:%Y-%m-%d %H:%M:%S}"}  # without a zone: it is UTC


def test_what_has_no_outcome_is_pending_and_an_outcome_joins_its_own_window_only(ledger: SqlLedger) -> None:
    ledger.record_forecast(in_windows())
    assert truths(ledger) == [("a", "pending"), ("b", "pending")]
    others = [{"source": "simulator"}, {"region_id": "s"}, {"valid_from": HOUR + timedelta(hours=1)}, {"window": LATER}]
    assert ledger.record_outcomes([outcome(), *(outcome(**other) for other in others)]) == 5
    assert truths(ledger) == [("a", "known"), ("b", "pending")]
    assert truths(ledger, LATER) == [("a", "known")]
    assert truths(ledger, SHORT) == [("a", "pending")]
    cases = ledger.issued("gauges", "r", DEFAULT_WINDOW)
    np.testing.assert_array_equal([cases.hourly_mm, cases.two_hour_mm], [[22.5, np.nan], [31.25, np.nan]])


def test_an_outcome_given_twice_is_one(ledger: SqlLedger) -> None:
    ledger.record_forecast(issue())
    assert ledger.record_outcomes([outcome()]) == 1
    assert ledger.record_outcomes([outcome(joined_at=ISSUED + timedelta(hours=1))]) == 0
    assert ledger.record_outcomes([]) == 0
    assert truths(ledger) == [("a", "known"), ("b", "pending")]


def test_two_that_give_one_outcome_at_once_give_one(ledger: SqlLedger) -> None:
    with meeting_before("INSERT INTO outcomes"), ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ledger.record_outcomes, [[outcome()], [outcome()]])) == [0, 1]


def test_what_was_missing_is_replaced_by_what_is_known_and_a_known_value_by_a_better_one(ledger: SqlLedger) -> None:
    ledger.record_forecast(issue())
    assert ledger.record_outcomes([missing()]) == 1
    assert truths(ledger)[0] == ("a", "missing")
    assert ledger.record_outcomes([missing()]) == 0
    assert ledger.record_outcomes([outcome()]) == 1
    assert truths(ledger)[0] == ("a", "known")
    assert ledger.record_outcomes([outcome(hourly_mm=23.0)]) == 1
    assert ledger.issued("gauges", "r", DEFAULT_WINDOW).hourly_mm[0] == 23.0


def test_what_is_awaited_is_what_is_not_known_and_what_was_known_lately(ledger: SqlLedger) -> None:
    ledger.record_forecast(in_windows())
    period, never, always = (HOUR, HOUR + timedelta(hours=1)), HOUR + timedelta(days=1), HOUR
    awaited = ledger.awaited("gauges", "r", period, never)
    assert sorted((o.location_id, o.window) for o in awaited) == [
        *(("a", w) for w in sorted((*WINDOWS, LATER))),
        ("b", DEFAULT_WINDOW),
    ]
    assert {(o.truth, o.valid_from, o.joined_at) for o in awaited} == {(Truth.PENDING, HOUR, None)}
    ledger.record_outcomes([outcome(), missing(location_id="b")])
    again = {(o.location_id, o.truth) for o in ledger.awaited("gauges", "r", period, never)}
    assert again == {("a", Truth.PENDING), ("b", Truth.MISSING)}
    known = [o for o in ledger.awaited("gauges", "r", period, always) if o.truth is Truth.KNOWN]
    assert known == [outcome()]


def test_a_window_that_was_issued_twice_is_awaited_once(ledger: SqlLedger) -> None:
    ledger.record_forecast(issue())
    ledger.record_forecast(issue(model_version="m2"))
    assert len(ledger.awaited("gauges", "r", (HOUR, HOUR + timedelta(hours=1)), HOUR)) == 2
    assert len(ledger.issued("gauges", "r", DEFAULT_WINDOW)) == 4


def test_shadows_are_asked_for_by_themselves_and_share_the_truth_of_what_was_shown(ledger: SqlLedger) -> None:
    ledger.record_forecast(issue())
    for version in ("m2", "m3"):
        ledger.record_forecast(issue(model_version=version), shown=False)
    ledger.record_outcomes([outcome()])
    shadows = ledger.issued("gauges", "r", DEFAULT_WINDOW, shown=False)
    assert (len(shadows), shadows.model_versions) == (4, ("m2", "m3"))
    assert shadows.truth.tolist() == ["known", "pending"] * 2
    assert ledger.issued("gauges", "r", DEFAULT_WINDOW).model_versions == ("m1",)


@pytest.mark.parametrize("shown", [True, False])
def test_the_issues_of_one_model_can_be_asked_for(ledger: SqlLedger, shown: bool) -> None:
    for version in ("m1", "m2", None):
        ledger.record_forecast(issue(model_version=version), shown=shown)
    for version, found in (("m1", ["m1"] * 2), ("", [""] * 2), ("m3", [])):
        cases = ledger.issued("gauges", "r", DEFAULT_WINDOW, shown=shown, model_version=version)
        assert cases.model_version.tolist() == found
    one = ledger.issued("gauges", "r", DEFAULT_WINDOW, shown=shown, model_version="m2")
    assert len(one.counting()) == 2
    assert len(ledger.issued("gauges", "r", DEFAULT_WINDOW, shown=not shown, model_version="m2")) == 0


def test_what_only_a_challenger_said_is_awaited_too_and_what_both_said_once(ledger: SqlLedger) -> None:
    assert ledger.record_forecast(in_windows(model_version="m2"), shown=False) == 5
    assert ledger.first_issued("gauges", "r") == HOUR
    period = (HOUR, HOUR + timedelta(hours=1))
    assert len(ledger.awaited("gauges", "r", period, HOUR)) == 5
    ledger.record_forecast(in_windows())
    assert len(ledger.awaited("gauges", "r", period, HOUR)) == 5


def test_periods_hold_their_ends_and_what_is_awaited_ends_before_them(ledger: SqlLedger) -> None:
    for hours in range(4):
        hour = HOUR + timedelta(hours=hours)
        made = issue(valid_from=hour)
        ledger.record_forecast(replace(made, forecasts=tuple(replace(f, valid_from=hour) for f in made.forecasts)))
    first, last = HOUR + timedelta(hours=1), HOUR + timedelta(hours=2)
    assert len(ledger.issued("gauges", "r", DEFAULT_WINDOW, (first, last))) == 4
    assert len(ledger.issued("gauges", "r", DEFAULT_WINDOW, (last, None))) == 4
    assert {o.valid_from for o in ledger.awaited("gauges", "r", (first, last), HOUR)} == {first}
    assert ledger.first_issued("gauges", "r") == HOUR


def test_nothing_was_issued_elsewhere(ledger: SqlLedger) -> None:
    ledger.record_forecast(issue())
    for source, region in (("gauges", "elsewhere"), ("simulator", "r")):
        cases = ledger.issued(source, region, DEFAULT_WINDOW)
        assert (len(cases), cases.probability.shape, cases.model_versions) == (0, (0, 5), ())
        assert ledger.first_issued(source, region) is None
    assert len(ledger.issued("gauges", "r", SHORT)) == 0


def test_many_cases_come_in_parts_and_none_is_lost(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_outcomes, "ROWS", 3)
    for i in range(5):
        ledger.record_forecast(issue(model_version=f"m{i}"))
    cases = ledger.issued("gauges", "r", DEFAULT_WINDOW)
    assert cases.location_id.tolist() == ["a", "b"] * 5


def test_many_outcomes_are_written_in_parts_and_none_is_lost(
    ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_outcomes, "ROWS", 3)
    many = [outcome(valid_from=HOUR + timedelta(hours=i)) for i in range(8)]
    assert ledger.record_outcomes(many) == 8
    assert ledger.record_outcomes([*many, outcome(location_id="b")]) == 1


def test_a_connection_to_sqlite_keeps_no_statement_for_each_number_of_outcomes(tmp_path: Path) -> None:
    ledger, told = SqlLedger(f"sqlite:///{tmp_path / 'ledger.db'}"), set[str]()
    sa.event.listen(ledger.engine, "before_cursor_execute", lambda _c, _k, text, *_more: told.add(text))
    for count in (3, 7, 300):
        hours = [HOUR + timedelta(hours=count + i) for i in range(count)]
        assert ledger.record_outcomes([outcome(valid_from=hour) for hour in hours]) == count
    (text,) = told - {ALONE["sqlite"]}
    assert text.count("?") < 20  # and of each statement it keeps all values until others have pushed it out
