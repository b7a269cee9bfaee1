"""The verification page, drawn by AppTest: full, empty, with few events, without skill, without truth, and refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.domain.forecast import TARGET, Window
from core.domain.learning import Measure, Scorecard
from core.domain.verification import Truth, VerifiedCases
from core.errors import ConfigurationError
from tests.models_made import manifest
from tests.pages.drawn import drawn
from tests.verified_made import cases, untold
from tests.weather_made import REGION
from ui import verification_tables

READ = "core.workflows.scoring.Scoring.issued"
TABS = (
    "Reliability", "ROC", "Precision and recall", "Performance", "Economic value", "Groups", "Lead time", "Stability",
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("served")


@pytest.fixture
def showing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Return a function that opens the page on made forecasts, one set for every window, with an address of its own."""

    def shown(made: Callable[[Window], VerifiedCases], **address: str) -> AppTest:
        monkeypatch.setattr(READ, lambda _self, _region, window, _since=None: made(window))
        return opened(**address)

    return shown


def opened(**address: str) -> AppTest:
    return drawn("pages/verification.py", **address)


def full(window: Window) -> VerifiedCases:
    return cases(window=window, source="simulator")


def numbers(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def texts(app: AppTest) -> str:
    kinds = ("caption", "markdown", "warning", "info", "success", "error", "subheader")
    return "\n".join(str(e.value) for kind in kinds for e in app.get(kind)).replace("\\", "")


def charts(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def test_a_full_page_counts_judges_and_says_where_the_truth_is_from(showing: Callable[..., AppTest]) -> None:
    app = showing(full)
    assert not [e.value for e in app.error if "model" not in e.value.lower()]
    made = full(TARGET.window)
    assert numbers(app)["Issued"] == numbers(app)["Matured"] == f"{len(made):,}"
    assert numbers(app)["Events"] == f"{int(made.happened(TARGET).sum()):,}"
    shown = texts(app)
    assert "Simulated: forecasts and truth alike" in shown
    assert "Better than climatology" in shown
    assert "It also beats persistence" in shown
    assert "Said 10 to 20 %: it happened in " in shown
    assert "6 of 18 reported Himalayan cloudbursts" in shown
    assert "never exceeds 19.2 mm" in shown


def test_the_first_table_says_what_the_numbers_meant(showing: Callable[..., AppTest]) -> None:
    table = showing(full).dataframe[0].value
    assert list(table["when it said"])[4:] == ["10–20 %", "20–40 %", "40–100 %"]
    made = full(TARGET.window)
    said = made.probability_of(TARGET)
    inside = (said >= 0.1) & (said < 0.2)
    assert table["it happened in"][4] == f"{int(made.happened(TARGET)[inside].sum()):,} of {int(inside.sum()):,}"


def test_every_measure_stands_beside_its_references_and_accuracy_not_alone(showing: Callable[..., AppTest]) -> None:
    table = showing(full).dataframe[1].value
    assert list(table.columns) == [
        "question", "measure", "this forecast", "90 % interval", "climatology", "persistence", "what it tells",
    ]  # fmt: skip
    asked = table[table["question"] == "Measures people ask for"]
    assert list(asked["measure"]) == ["accuracy", "precision", "recall", "F1"]
    assert len(table) > len(asked) + 10
    assert table["question"].iloc[-1] == "Measures people ask for"
    skill = table[table["measure"] == "Brier skill"].iloc[0]
    assert skill["climatology"] == "0"
    assert " to " in skill["90 % interval"]


def test_no_skill_is_said_in_a_banner_that_names_the_base_rate(showing: Callable[..., AppTest]) -> None:
    app = showing(lambda window: cases(window=window, skill=0.0))
    banner = next(w.value for w in app.warning if "No skill beyond climatology" in w.value)
    assert "≥ 15 mm/h within 0 to 6 h" in banner.replace("\\", "")
    assert "Go by the base rate" in banner
    assert "Better than climatology" not in texts(app)


def test_few_events_are_counted_and_no_verdict_is_given(showing: Callable[..., AppTest]) -> None:
    app = showing(full, event="≥ 100 mm/h")
    happened = full(TARGET.window).happened(full(TARGET.window).events[3])
    assert 0 < happened.sum() < 20
    shown = texts(app)
    assert f"{int(happened.sum())} events on 40 days: too few to say." in shown
    assert "Better than climatology" not in shown
    assert "No skill beyond climatology" not in shown


def test_no_event_at_all_breaks_nothing(showing: Callable[..., AppTest]) -> None:
    def dry(window: Window) -> VerifiedCases:
        made = cases(window=window)
        return replace(made, hourly_mm=made.hourly_mm * 0)

    app = showing(dry)
    assert "0 events on 40 days: too few to say." in texts(app)
    assert "there are no warnings to judge" in texts(app)
    for tab in TABS[1:]:
        app.session_state["diagram"] = tab
        app.run()
        assert not app.exception, tab


def test_every_diagram_is_drawn_in_its_tab_with_words_for_who_cannot_see_it(showing: Callable[..., AppTest]) -> None:
    app = showing(full)
    for tab in TABS:
        app.session_state["diagram"] = tab
        app.run()
        assert not app.exception, tab
        drawn = app.get("plotly_chart")
        assert all(chart.proto.alt for chart in drawn)
        assert len(drawn) == (1 if tab == "Stability" else 2), tab  # the first one is what the numbers meant
    assert numbers(app)["Flip-flop index"].endswith("%")


def test_the_chosen_cost_loss_ratio_is_told_in_words(showing: Callable[..., AppTest]) -> None:
    app = showing(full, diagram="Economic value")
    assert "Protecting from a probability of 5 % on" in texts(app)
    app.get_by_key("ratio").set_value(0.2).run()
    assert not app.exception
    assert "Protecting from a probability of 20 % on" in texts(app)


def test_groups_are_listed_with_their_events(showing: Callable[..., AppTest]) -> None:
    app = showing(full, diagram="Groups")
    for by, labels in (("month", ["2026-07", "2026-08"]), ("window", ["0 to 1 h", "0 to 3 h", "0 to 6 h"])):
        app.get_by_key("group").set_value(by).run()
        assert not app.exception
        table = app.dataframe[-1].value
        assert list(table["group"]) == labels
        assert "Brier skill" in table.columns


def test_the_question_stands_in_the_address(showing: Callable[..., AppTest]) -> None:
    app = showing(full, window="0–3 h", event="≥ 30 mm/h", issued="all", version="old_1")
    shown = texts(app)
    assert "≥ 30 mm/h within 0 to 3 h, issued so far" in shown
    assert numbers(app)["Issued"] == f"{int((full(Window(0, 3)).model_version == 'old_1').sum()):,}"


def test_an_address_of_something_unknown_is_not_followed(showing: Callable[..., AppTest]) -> None:
    app = showing(full, window="0-99", event="<script>", issued="for ever", version="nobody", diagram="x")
    assert "≥ 15 mm/h within 0 to 6 h, issued in the last 30 days" in texts(app)
    assert numbers(app)["Issued"] == f"{len(full(TARGET.window)):,}"


def test_a_window_of_one_hour_has_no_event_of_two(showing: Callable[..., AppTest]) -> None:
    app = showing(full, event="≥ 50 mm in 2 h")
    assert "≥ 50 mm in 2 h within 0 to 6 h" in texts(app)
    app.get_by_key("window").set_value("0-1").run()
    assert not app.exception
    assert "≥ 15 mm/h within 0 to 1 h" in texts(app)


def test_a_fresh_house_says_when_the_first_forecast_matures_and_what_the_model_did_before() -> None:
    app = opened()
    shown = texts(app)
    assert "Nothing to score yet." in shown
    assert numbers(app)["Matured"] == "0"
    assert numbers(app)["Base rate"] == "–"
    assert "What the model did before it came here" in shown
    assert not charts(app)


def test_pending_forecasts_say_when_the_first_matures(showing: Callable[..., AppTest]) -> None:
    now = np.datetime64("now", "h")

    def pending(window: Window) -> VerifiedCases:
        made = cases(days=1, window=window)
        made = replace(made, valid_from=made.valid_from + (now - made.valid_from.min()))
        return untold(made, np.ones(len(made), bool), Truth.PENDING)

    assert "The first of 72 pending forecasts matures" in texts(showing(pending))


def test_windows_that_are_over_wait_for_their_truth(showing: Callable[..., AppTest]) -> None:
    app = showing(lambda w: untold(cases(days=1, window=w), np.ones(72, bool), Truth.PENDING))
    assert "their truth is joined when the rain of their last hour has come" in texts(app)


def test_missing_truth_alone_is_no_score(showing: Callable[..., AppTest]) -> None:
    app = showing(lambda w: untold(cases(days=1, window=w), np.ones(72, bool), Truth.MISSING))
    assert numbers(app)["Missing"] == "72"
    assert "has both a probability and a known truth" in texts(app)


def test_nothing_issued_says_so(showing: Callable[..., AppTest]) -> None:
    app = showing(lambda window: VerifiedCases.none("simulator", REGION.id, window))
    assert "was issued in the last 30 days. Choose another" in texts(app)


def test_a_source_without_truth_says_so_and_shows_no_score(
    showing: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.workflows.verifying.TRUTH_SOURCES", ("gauges",))
    app = showing(full)
    assert app.info
    assert "No truth available: not verified, not retrained.** Truth comes from gauges only" in texts(app)
    assert "Matured" not in numbers(app)
    assert not charts(app)


def test_what_the_model_did_before_is_labelled_as_not_from_here(
    showing: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Scorecard(TARGET, 1000, 30, 0.03, {"brier_skill": Measure(0.02, 0.01, 0.03)}, "blocked cross-validation")
    monkeypatch.setattr("ui.verification_limits.serving", lambda *_: manifest(scorecards=(card,)))
    app = showing(lambda window: VerifiedCases.none("simulator", REGION.id, window))
    assert "From the model's blocked cross-validation, **not from forecasts issued here**" in texts(app)
    assert list(app.dataframe[0].value["measure"]) == ["Brier skill"]
    app.get_by_key("window").set_value("0-1").run()
    assert "brings no scorecard of this window" in texts(app)


def test_a_ledger_that_does_not_answer_is_a_banner_below_the_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> VerifiedCases:
        raise ConfigurationError("The ledger cannot be used.", hint="Put it up again.")

    monkeypatch.setattr(READ, down)
    app = opened()
    assert any("The ledger cannot be used." in error.value for error in app.error)
    assert app.get_by_key("window") is not None


def test_scores_too_good_to_be_true_are_refused_in_words(showing: Callable[..., AppTest]) -> None:
    def leaking(window: Window) -> VerifiedCases:
        made = cases(window=window)
        made.probability[:, 0] = np.where(made.hourly_mm >= TARGET.threshold_mm, 0.9, 0.001)
        return made

    assert any("too good to be true" in error.value for error in showing(leaking).error)


@pytest.mark.parametrize(
    ("interval", "said"),
    [((0.05, 0.09), "▼ less often"), ((0.21, 0.3), "▲ more often"), ((0.09, 0.11), "as said"), (None, "–")],
)
def test_an_interval_is_read_against_what_was_said(interval: tuple[float, float] | None, said: str) -> None:
    assert verification_tables.reading(0.1, 0.2, interval).startswith(said)
