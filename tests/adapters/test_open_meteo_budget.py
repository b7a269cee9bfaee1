"""The budget that all processes of a home share, and how the monitoring page is told of it."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from core import BudgetLine
from core.adapters.open_meteo.budget import Budget
from core.adapters.open_meteo.source import OpenMeteo
from core.errors import SourceRateLimited, SourceUnavailable
from tests.adapters.open_meteo_made import HOUR, NOW, Clock
from tests.faults.source import server as fault
from tests.weather_made import REGION


def test_nothing_spent_has_room_now() -> None:
    assert Budget(Clock()).lines() == (
        BudgetLine("minute", 0, 540),
        BudgetLine("hour", 0, 4500),
        BudgetLine("day", 0, 9000),
    )


def test_a_spent_window_says_when_it_is_free_again() -> None:
    clock = Clock()
    budget = Budget(clock)
    budget.take(540)
    clock.now += timedelta(seconds=20)
    minute, hour, _ = budget.lines()
    assert minute == BudgetLine("minute", 540, 540, NOW + timedelta(seconds=60), "the calls of this minute are spent")
    assert hour == BudgetLine("hour", 540, 4500)


def test_a_wait_of_the_service_stands_in_every_line() -> None:
    clock = Clock()
    budget = Budget(clock)
    budget.hold(2400)
    for line in budget.lines():
        assert (line.spent, line.free_at, line.reason) == (
            0,
            NOW + timedelta(minutes=40),
            "the service has asked to wait",
        )
    clock.now += timedelta(minutes=40)
    assert {line.free_at for line in budget.lines()} == {None}


def test_a_restart_does_not_forget_what_was_spent(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "data" / "calls.json"
    for _ in range(9):
        Budget(clock, path=path).take(60)
    with pytest.raises(SourceRateLimited):
        Budget(clock, path=path).take(1)
    clock.now += timedelta(minutes=1)
    Budget(clock, path=path).take(500)
    assert [line.spent for line in Budget(clock, path=path).lines()] == [500, 1040, 1040]


def test_all_processes_wait_when_one_was_told_to(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "calls.json"
    with fault.serving(fault.limited("hourly"), fault.answer()) as server:
        one, other = (
            OpenMeteo((REGION,), clock, base_url=server.url, budget=Budget(clock, path=path)) for _ in range(2)
        )
        for source in (one, other):
            with pytest.raises(SourceRateLimited) as caught:
                source.hours(REGION, NOW - HOUR, NOW)
            assert caught.value.retry_after_s == 2400
        assert len(server) == 1
        clock.now += timedelta(minutes=40)
        assert other.hours(REGION, NOW - HOUR, clock.now).observed().any()


def test_a_clock_set_back_does_not_lengthen_a_shared_wait(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "calls.json"
    Budget(clock, path=path).hold(60)
    Budget(clock, path=path).take(540)
    clock.now -= timedelta(days=300)
    assert Budget(clock, path=path).held_s() == 60
    clock.now += timedelta(seconds=61)
    Budget(clock, path=path).take(540)


def test_many_who_spend_at_once_never_spend_more_than_there_is(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "calls.json"
    budgets, refused = [Budget(clock, path=path) for _ in range(8)], []

    def spend(budget: Budget) -> None:
        for _ in range(10):
            try:
                budget.take(10)
            except SourceRateLimited as error:
                refused.append(error)

    threads = [threading.Thread(target=spend, args=(budget,)) for budget in budgets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Budget(clock, path=path).lines()[0].spent == 540
    assert len(refused) == 80 - 54


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "[]", "{}", '{"calls": 3, "held": null}', '{"calls": [[1]], "held": null}',
     '{"calls": [["x", 1]], "held": null}', '{"calls": [[1e300, 1]], "held": null}', '{"calls": [], "held": [1]}',
     '{"calls": [[NaN, 1]], "held": null}'])  # fmt: skip
def test_a_file_that_cannot_be_understood_is_begun_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calls.json"
    path.write_text(text)
    budget = Budget(Clock(), path=path)
    budget.take(5)
    assert budget.lines()[0].spent == 5
    assert json.loads(path.read_text())["calls"] == [[NOW.timestamp(), 5]]


def test_where_calls_cannot_be_counted_none_is_made(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, no folder")
    with fault.serving() as server:
        budget = Budget(Clock(), path=tmp_path / "data" / "calls.json")
        with pytest.raises(SourceUnavailable) as caught:
            OpenMeteo((REGION,), Clock(), base_url=server.url, budget=budget).hours(REGION, NOW - HOUR, NOW)
        assert len(server) == 0
    assert caught.value.hint


def test_a_day_of_calls_fits_into_a_small_file(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "calls.json"
    for _ in range(300):
        Budget(clock, path=path).take(1)
        clock.now += timedelta(seconds=12)
    calls = json.loads(path.read_text())["calls"]
    assert len(calls) <= 61
    # Each minute stands at its last call: counted longer than it need be, never shorter.
    assert calls[0] == [(NOW + timedelta(seconds=48)).timestamp(), 5]
    assert Budget(clock, path=path).lines()[2].spent == 300


def test_the_house_tells_the_budget_of_its_source(open_house) -> None:
    assert open_house().budget() == ()
    with fault.serving() as server:
        house = open_house(source="open-meteo:", region="points-example", open_meteo_url=server.url)
        assert [line.spent for line in house.budget()] == [0, 0, 0]
        house.issue("points-example")
        # Four places: nine live days and ten before, fifteen variables.
        assert [line.spent for line in house.budget()] == [12, 12, 12]
