"""The page of the experiments: what they come to, never without cases, events and interval."""

from __future__ import annotations

import pytest

from core import (
    Code,
    Core,
    Experiment,
    ExperimentError,
    ExperimentResult,
    Stage,
    Status,
    TrafficSplitStrategy,
    open_core,
)
from core.workflows.experimenting import Experimenting
from tests.pages.experiments_drawn import (
    BEGIN,
    REGION,
    headline,
    labels,
    page,
    recorded,
    running,
    table,
    texts,
    variants,
)
from ui import experiment_tables


@pytest.fixture
def core(small_house: None) -> Core:
    return open_core()


def test_without_experiments_the_page_says_what_one_is_and_how_to_begin(core: Core) -> None:
    app = page()
    shown = texts(app)
    assert "No experiment yet." in shown
    assert "To begin" in shown
    assert {m.label: m.value for m in app.metric}["Days"] == "222"  # pinned: the planner stands there all the same


def test_a_better_challenger_is_told_with_cases_events_and_interval(core: Core) -> None:
    recorded(running(core), "monsoon", 60, control=0.4, challenger=0.7)
    app = page()
    assert "▲ Ship now" in headline(app)
    row = table(app, "gain, with interval").iloc[0]
    assert (row["status"], row["cases"], row["events"], row["days"]) == ("▲ Ship now", "1,800", "240", "60")
    assert " to " in row["gain, with interval"]
    assert "in 1,800 cases with 240 events on 60 days" in texts(app)
    assert "… at every look" in list(table(app, "what it means")["measure"])
    assert list(table(app, "must not get worse")["must not get worse"]) == [
        "POD",
        "calibration slope",
        "latency",
        "errors",
    ]
    assert len(app.get("plotly_chart")) == 2  # effect over events, reliability


def test_few_events_give_no_number_but_words_and_advice(core: Core) -> None:
    recorded(running(core), "monsoon", 3, control=0.4, challenger=0.7)
    app = page()
    assert "… Collecting" in headline(app)
    assert table(app, "gain, with interval").iloc[0]["gain, with interval"] == "not yet"
    shown = texts(app)
    assert list(table(app, "what it means")["challenger"]) == ["not yet"] * 9
    assert list(table(app, "must not get worse")["state"]) == ["… too early", "… too early", "✓ holds", "✓ holds"]
    assert "Too few heavy-rain events" in shown
    assert "the weather decides how long that takes" in shown
    assert "The figure of the effect begins with 50 events on 14 days." in shown


def test_a_broken_split_says_that_no_number_can_be_believed(core: Core) -> None:
    door = running(core)
    recorded(door, "monsoon", 20, control=0.4, challenger=0.7)
    lost = [
        ExperimentResult("monsoon", v, 0.1, f"q{i}", BEGIN, unit=f"q{i}", shown=v == "control")
        for i in range(400)
        for v in ("control", "challenger")
    ]
    door.record_results(lost)
    app = page()
    assert "✕ Unhealthy" in headline(app)
    assert any("Believe no number here." in warning.value for warning in app.warning)
    assert {m.label: m.value for m in app.metric}["Sample ratio"] == "✕ p < 0.001"
    assert table(app, "gain, with interval").iloc[0]["gain, with interval"] == "not sound"


def test_every_challenger_has_its_own_rows_and_p_values_know_of_one_another(core: Core) -> None:
    recorded(running(core, "three", "a", "b", "c"), "three", 20, a=0.4, b=0.5, c=0.3)
    app = page()
    listed = table(app, "gain, with interval")
    assert list(listed["challenger"]) == ["b: b-1", "c: c-1"]
    assert list(listed["arms"]) == [3, 3]
    assert "how often luck alone does so, of 2 challengers" in texts(app)
    assert list(table(app, "share now")["share now"]) == ["33.33 %"] * 3


def test_the_ledger_tells_who_when_why_and_who_was_shown_what(core: Core) -> None:
    experiment = Experiment(
        "grows", variants("control", "challenger"), TrafficSplitStrategy.GRADUAL_ROLLOUT, BEGIN, "Asha", "a try"
    )
    core.experiments.create(experiment, at=BEGIN)
    core.experiments.step("grows", "grow", "rollout", "after 7 days", detail={"percent": 30.0})
    core.experiments.step("grows", "pause", "Bina", "gauges are down")
    app = page()
    ledger = table(app, "shown from then on")
    assert list(ledger["what"]) == ["‖ pause", "▶ grow", "▶ start", "○ create"]
    assert list(ledger["who"]) == ["Bina", "rollout", "Asha", "Asha"]
    assert list(ledger["shown from then on"]) == [
        "control 100 %, challenger 0 %",
        "control 70 %, challenger 30 %",
        "control 90 %, challenger 10 %",
        "control 100 %, challenger 0 %",
    ]
    assert ledger["when"].iloc[-1] == "01 Jul 2026 05:30 IST"
    assert ledger["why"].iloc[0] == "gauges are down"
    assert app.get("plotly_chart")


def test_a_decision_stands_there_with_its_reason_and_the_evidence_of_that_day(core: Core) -> None:
    door = running(core)
    recorded(door, "monsoon", 60, control=0.4, challenger=0.7)
    door.decide_experiment("monsoon", "challenger", "better everywhere")
    app = page()
    assert "✓ Decided: challenger" in headline(app)
    shown = texts(app)
    assert "Decided by Asha: better everywhere." in shown
    assert "in 1,800 cases with 240 events on 60 days" in shown
    assert "Start, pause" not in shown
    assert "Decide" not in labels(app)


def test_what_was_stopped_or_decided_early_claims_nothing(core: Core) -> None:
    door = running(core)
    door.stop_experiment("monsoon", "the season is over")
    app = page()
    assert "■ Stopped undecided" in headline(app)
    assert "to go" not in texts(app)
    door.decide_experiment("monsoon", None, "no rain")
    app.run()
    assert "✓ Decided: nobody won" in headline(app)
    assert "The records had not decided by then." in texts(app)


def test_experiments_of_another_region_or_source_are_not_listed(core: Core) -> None:
    running(core, "elsewhere", source="gauges", region_id=REGION)
    running(core, "far", source=core.lifecycle.source, region_id="points-example")
    running(core, "by-hand")
    running(core, "own", source=core.lifecycle.source, region_id=REGION)
    assert set(table(page(), "gain, with interval")["experiment"]) == {"by-hand", "own"}


def test_a_ledger_that_does_not_answer_is_a_banner(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ExperimentError("The ledger does not answer.", hint="Look at the disk.")

    running(core)
    monkeypatch.setattr(Experimenting, "analyse", broken)
    assert any("The ledger does not answer" in error.value for error in page().error)


def test_the_planner_says_days_events_and_seasons_and_never_raises(core: Core) -> None:
    app = page()
    app.number_input(key="plan difference_percent").set_value(50.0).run()
    short = {m.label: m.value for m in app.metric}
    assert int(short["Days, looking once"]) <= int(short["Days"])
    app.number_input(key="plan difference_percent").set_value(0.1).run()
    app.number_input(key="plan spread_percent").set_value(100.0).run()
    assert {m.label: m.value for m in app.metric}["Days"] == "more than 100 years"
    assert not app.exception


@pytest.mark.parametrize(("p", "words"), [(None, "not yet"), (0.0002, "< 0.001"), (0.0421, "0.042"), (1.0, "1.000")])
def test_p_values_are_told_to_three_digits(p: float | None, words: str) -> None:
    assert experiment_tables.p_value(p) == words


def test_every_status_stage_strategy_and_code_has_words() -> None:
    assert set(experiment_tables.STATUS) == set(experiment_tables.ADVICE) == set(Status)
    assert set(experiment_tables.STAGES) == set(Stage)
    assert set(experiment_tables.STRATEGIES) == set(TrafficSplitStrategy)
    assert set(experiment_tables.CODES) == set(Code)
    signs = [sign for sign, _ in experiment_tables.STATUS.values()]
    assert len(set(signs)) == len(signs)  # told apart without colour
