"""The records of experiments: the first result and the first outcome count, and every result matures at most once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from core.adapters import ledger_experiments
from core.adapters.ledger import SqlLedger
from core.adapters.ledger_experiments import SqlExperiments
from core.domain.experiment import Counts, Matured, Stage, Step
from core.errors import ConfigurationError
from tests.adapters.test_ledger import meeting_before
from tests.experiments_made import BEGIN, CHALLENGER, CONTROL, both, counted, outcome, result

DAY = int(BEGIN.timestamp() // 86_400)
STEPS = {"monsoon": 2}


@pytest.fixture
def records(ledger_url: str) -> SqlExperiments:
    return SqlExperiments(SqlLedger(ledger_url))


def step(action: str = "create", stage: Stage = Stage.DRAFT, **changes: Any) -> Step:
    return replace(Step("monsoon", BEGIN, action, stage, "tests", "to see"), **changes)


def summed(records: SqlExperiments, variant: str, day: int = DAY) -> list[float]:
    return list(records.sums("monsoon")[variant][day])


def test_steps_come_back_as_they_were_taken(records: SqlExperiments) -> None:
    taken = [
        step(detail={"percent": 10.0, "evidence": {"cases": 7, "low": None}}),
        step("start", Stage.RUNNING, at=BEGIN + timedelta(microseconds=7), why='δ, "quoted"'),
    ]
    for number, one in enumerate(taken, 1):
        assert records.record_step(one, number)
    assert records.record_step(step(experiment_id="other"), 1)
    assert records.steps("monsoon") == tuple(taken)
    assert records.steps("nobody's") == ()


def test_a_number_is_taken_once(records: SqlExperiments) -> None:
    assert records.record_step(step(), 1)
    assert not records.record_step(step("start", Stage.RUNNING), 1)
    assert [one.action for one in records.steps("monsoon")] == ["create"]


def test_of_two_steps_at_once_one_is_made(ledger_url: str, records: SqlExperiments) -> None:
    both_doors = (records, SqlExperiments(SqlLedger(ledger_url)))
    for number, action in enumerate(("pause", "stop") * 5, 1):
        with meeting_before("INSERT INTO experiment_steps"), ThreadPoolExecutor(2) as pool:
            won = pool.map(lambda door: door.record_step(step(action), number), both_doors)  # noqa: B023
            assert sorted(won) == [False, True]
    assert len(records.steps("monsoon")) == 10


def test_the_first_result_of_a_variant_and_case_counts(records: SqlExperiments) -> None:
    assert records.record_results(both(), STEPS) == 2
    assert records.record_results([result(CONTROL, 0.9), result(CONTROL, 0.9, place="b")], STEPS) == 1
    twice = [result(CONTROL, 0.1, case=1), result(CONTROL, 0.2, case=1)]
    assert records.record_results(twice, STEPS) == 1
    said = {(row["location_id"], row["variant_id"], row["valid_at"]): row["probability"]
            for row in records.results("monsoon")}  # fmt: skip
    hour = BEGIN + timedelta(hours=1)
    assert said["a", CONTROL, BEGIN] == 0.25
    assert said["b", CONTROL, BEGIN] == 0.9
    assert said["a", CONTROL, hour] == 0.1


def test_the_same_moment_in_another_zone_is_the_same_case(records: SqlExperiments) -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert records.record_results(both(), STEPS) == 2
    assert records.record_results([replace(one, valid_at=BEGIN.astimezone(india)) for one in both()], STEPS) == 0
    assert records.mature("monsoon", [replace(outcome(), valid_at=BEGIN.astimezone(india))], counted) == 2
    assert records.mature("monsoon", [outcome()], counted) == 0


def test_no_results_are_none(records: SqlExperiments) -> None:
    assert records.record_results([], {}) == 0
    assert records.mature("monsoon", [], counted) == 0
    assert (records.sums("monsoon"), records.counts("monsoon", 1), records.pending("monsoon")) == ({}, {}, ())
    assert list(records.results("monsoon")) == []


def test_of_many_results_all_are_kept_or_none(records: SqlExperiments) -> None:
    with pytest.raises(ConfigurationError, match="IntegrityError"):
        records.record_results([*both(), replace(result(case=1), location_id=None)], STEPS)  # type: ignore[arg-type]
    assert records.counts("monsoon", 2) == {}


def test_results_mature_exactly_once_and_the_first_outcome_counts(records: SqlExperiments) -> None:
    records.record_results([*both(), *both(1)], STEPS)
    assert records.mature("monsoon", [outcome(0, True)], counted) == 2
    assert records.mature("monsoon", [outcome(0, True)], counted) == 0
    assert records.mature("monsoon", [outcome(0, False), outcome(1, False), outcome(1, True)], counted) == 2
    assert summed(records, CONTROL) == [2, 0.5, 1]
    assert summed(records, CHALLENGER) == [2, 1.0, 1]
    assert [row["happened"] for row in records.results("monsoon")] == [True, True, False, False]


def test_what_matures_is_told_whole_and_with_its_outcome(records: SqlExperiments) -> None:
    seen: list[Matured] = []

    def fold(matured: Sequence[Matured]) -> Mapping[tuple[str, int], np.ndarray]:
        seen.extend(matured)
        return counted(matured)

    records.record_results([result(CONTROL, None, latency_ms=7.5), result(CHALLENGER, 0.5)], STEPS)
    records.mature("monsoon", [outcome(0, False)], fold)
    assert sorted(seen, key=lambda m: m.variant_id) == [
        Matured(CHALLENGER, "a", BEGIN, 0.5, None, happened=False),
        Matured(CONTROL, "a", BEGIN, None, 7.5, happened=False),
    ]


def test_sums_are_kept_by_day_and_added_to(records: SqlExperiments) -> None:
    records.record_results([*both(0), *both(17), *both(18)], STEPS)  # 6 h, 23 h, and 0 h of the next day
    for case in (0, 17, 18):
        records.mature("monsoon", [outcome(case, case != 17)], counted)
    assert {variant: sorted(days) for variant, days in records.sums("monsoon").items()} == {
        CONTROL: [DAY, DAY + 1],
        CHALLENGER: [DAY, DAY + 1],
    }
    assert summed(records, CHALLENGER) == [2, 1.0, 1]
    assert summed(records, CHALLENGER, DAY + 1) == [1, 0.5, 1]


def test_sums_lose_no_digit(records: SqlExperiments) -> None:
    numbers = np.array([0.1 + 0.2, 1 / 3, 1e-300, 12345678.912345678])
    records.record_results(both(), STEPS)
    records.mature("monsoon", [outcome()], lambda _: {(CONTROL, DAY): numbers})
    assert summed(records, CONTROL) == numbers.tolist()


def test_a_result_that_comes_after_its_outcome_never_matures(records: SqlExperiments) -> None:
    records.record_results([result(CONTROL)], STEPS)
    assert records.mature("monsoon", [outcome()], counted) == 1
    assert records.record_results([result(CHALLENGER, 1.0)], STEPS) == 1
    assert records.mature("monsoon", [outcome()], counted) == 0
    assert records.counts("monsoon", 2) == {CONTROL: Counts(matured=1), CHALLENGER: Counts(pending=1)}
    assert set(records.sums("monsoon")) == {CONTROL}
    assert records.expire("monsoon", BEGIN + timedelta(hours=1)) == 1
    assert records.counts("monsoon", 2)[CHALLENGER] == Counts(expired=1)


def test_a_fold_that_fails_leaves_everything_as_it_was(records: SqlExperiments) -> None:
    def fails(_matured: Sequence[Matured]) -> dict[tuple[str, int], np.ndarray]:
        raise ArithmeticError

    records.record_results(both(), STEPS)
    with pytest.raises(ArithmeticError):
        records.mature("monsoon", [outcome()], fails)
    assert records.counts("monsoon", 2) == {name: Counts(pending=1) for name in (CONTROL, CHALLENGER)}
    assert records.mature("monsoon", [outcome()], counted) == 2


def test_many_outcomes_are_joined_in_parts(records: SqlExperiments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_experiments, "CASES", 7)
    records.record_results([one for case in range(50) for one in both(case)], STEPS)
    assert records.mature("monsoon", [outcome(case) for case in range(50)], counted) == 100
    assert sum(days[0] for days in records.sums("monsoon")[CONTROL].values()) == 50


def test_more_cases_than_a_statement_may_have_variables(records: SqlExperiments) -> None:
    many = [both(case, place) for case in range(30) for place in map(str, range(40))]
    assert records.record_results([one for pair in many for one in pair], STEPS) == 2400
    told = [outcome(case, place == "7", place) for case in range(30) for place in map(str, range(40))]
    assert records.mature("monsoon", told, counted) == 2400
    assert sum(days[2] for days in records.sums("monsoon")[CHALLENGER].values()) == 30


def test_old_results_are_given_up_and_do_not_mature(records: SqlExperiments) -> None:
    records.record_results([*both(0), *both(1), *both(2)], STEPS)
    records.mature("monsoon", [outcome(0)], counted)
    assert records.expire("monsoon", BEGIN + timedelta(hours=2)) == 2
    assert records.expire("monsoon", BEGIN + timedelta(hours=2)) == 0
    assert records.mature("monsoon", [outcome(1)], counted) == 0
    assert records.counts("monsoon", 2)[CONTROL] == Counts(matured=1, pending=1, expired=1)
    assert [row["state"] for row in records.results("monsoon")] == ["matured"] * 2 + ["expired"] * 2 + ["pending"] * 2


def test_pending_cases_come_once_and_the_oldest_first(records: SqlExperiments) -> None:
    records.record_results([*both(3), *both(1), *both(2), *both(1, "b")], STEPS)
    records.mature("monsoon", [outcome(2)], counted)
    hours = [BEGIN + timedelta(hours=h) for h in (1, 1, 3)]
    assert [at for _, at in records.pending("monsoon")] == hours
    assert set(records.pending("monsoon")) == {("a", hours[0]), ("b", hours[0]), ("a", hours[2])}


def test_units_that_were_shown_a_variant_are_counted_since_a_step(records: SqlExperiments) -> None:
    first = [result(CONTROL, case=h, shown=True) for h in (0, 1, 18)]  # one place on two days
    records.record_results([*first, result(CHALLENGER), result(CHALLENGER, place="b", shown=True)], {"monsoon": 2})
    by_hand = [result(CONTROL, case=40 + i, unit=unit, shown=True) for i, unit in enumerate(("u", "u", "v"))]
    records.record_results(by_hand, {"monsoon": 4})
    assert {name: c.units for name, c in records.counts("monsoon", 2).items()} == {CONTROL: 2, CHALLENGER: 1}
    assert {name: c.units for name, c in records.counts("monsoon", 4).items()} == {CONTROL: 2, CHALLENGER: 0}


def test_experiments_have_nothing_to_do_with_each_other(records: SqlExperiments) -> None:
    other = [replace(one, experiment_id="winter", prediction=1.0) for one in both()]
    assert records.record_results([*both(), *other], {"monsoon": 2, "winter": 2}) == 4
    assert records.mature("winter", [outcome()], counted) == 2
    assert records.counts("monsoon", 2)[CONTROL] == Counts(pending=1)
    assert records.expire("monsoon", BEGIN + timedelta(days=1)) == 2
    assert records.counts("winter", 2)[CONTROL] == Counts(matured=1)
    assert (records.sums("monsoon"), len(list(records.results("winter")))) == ({}, 2)


def test_two_that_tell_the_same_outcome_at_once_count_it_once(ledger_url: str, records: SqlExperiments) -> None:
    records.record_results(both(), STEPS)
    doors = (records, SqlExperiments(SqlLedger(ledger_url)))
    with meeting_before("INSERT INTO experiment_outcomes"), ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lambda door: door.mature("monsoon", [outcome()], counted), doors)) == [0, 2]
    assert summed(records, CONTROL) == [1, 0.25, 1]


def test_a_database_that_is_gone_is_an_error_of_ours(ledger_url: str, records: SqlExperiments) -> None:
    with SqlLedger(ledger_url).writing() as connection:
        connection.execute(sa.text("DROP TABLE experiment_results"))
    with pytest.raises(ConfigurationError):
        records.record_results(both(), STEPS)
    with pytest.raises(ConfigurationError):
        records.pending("monsoon")
