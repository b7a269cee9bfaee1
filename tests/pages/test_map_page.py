"""The controls of the risk map: what is chosen stands in the address and stays; the past hours; what changed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import ConfigurationError, open_core
from core.domain.units import floor_hour
from tests.pages.drawn import drawn


def figure(app: AppTest) -> Any:
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def said(app: AppTest) -> str:
    return "\n".join(str(e.value) for kind in ("info", "warning", "caption", "markdown") for e in app.get(kind))


def test_what_is_chosen_stands_in_the_address_and_another_reader_sees_the_same() -> None:
    app = drawn()
    assert not {"layer", "threshold", "ahead", "time", "outlines"} & set(app.query_params)
    app.get_by_key("layer").set_value("probability")
    app.get_by_key("threshold").set_value("p_100")
    app.get_by_key("outlines").set_value(False).run()
    assert not app.exception
    address = {key: app.query_params[key] for key in ("layer", "threshold", "outlines")}
    assert address == {"layer": "probability", "threshold": "p_100", "outlines": "False"}
    other = drawn(**address)
    assert figure(other) == figure(app)
    assert "outlines" not in [trace.get("name") for trace in figure(other)["data"]]
    assert "≥ 100 mm/h" in other.dataframe[0].value.columns


def test_the_choice_is_there_again_after_another_page() -> None:
    app = drawn()
    app.get_by_key("layer").set_value("rain24").run()
    app.switch_page("pages/quality.py").run()
    app.switch_page("pages/risk_map.py").run()
    assert app.get_by_key("layer").value == "rain24"


def test_an_address_that_names_nothing_known_is_the_plain_map() -> None:
    app = drawn(layer="nonsense", threshold="p_7", ahead="3-4", time="2020-01-01T00Z")
    assert app.get_by_key("layer").value == "level"
    assert app.get_by_key("time").value == "0-6"


@pytest.mark.parametrize("layer", ["probability", "change", "rain1", "rain3", "rain24", "terrain"])
def test_every_layer_has_a_scale_with_its_unit(layer: str) -> None:
    units = {"probability": "%", "change": "points", "terrain": "m"}
    bars = [t["colorbar"] for t in figure(drawn(layer=layer))["data"] if t.get("colorbar")]
    assert [bar["title"]["text"] for bar in bars] == [units.get(layer, "mm")]


def test_a_past_hour_of_the_address_is_shown_for_the_window_of_the_levels() -> None:
    past = f"{floor_hour(datetime.now(UTC)) - timedelta(hours=20):%Y-%m-%dT%HZ}"
    other = drawn(time=past)
    assert other.get_by_key("time").value == past
    assert other.get_by_key("ahead").value == "0-6"


def test_an_hour_without_an_issue_says_so_and_the_lists_of_now_are_not_shown_for_it() -> None:
    past = f"{floor_hour(datetime.now(UTC)) - timedelta(hours=20):%Y-%m-%dT%HZ}"
    app = drawn(time=past)
    assert "Nothing was issued for" in said(app)
    assert not app.get("plotly_chart")
    assert not app.dataframe


def test_an_hour_that_was_issued_is_drawn_and_says_that_it_is_past() -> None:
    core = open_core()
    issue = core.issue(core.default_region).forecast
    hour = issue.valid_from - timedelta(hours=3)
    core.forecasting.ledger.record_forecast(
        replace(
            issue,
            issued_at=hour + timedelta(minutes=5),
            valid_from=hour,
            forecasts=tuple(
                replace(f, valid_from=hour, issued_at=hour + timedelta(minutes=5)) for f in issue.forecasts
            ),
        )
    )
    app = drawn(time=f"{hour:%Y-%m-%dT%HZ}")
    assert "**Past: valid from" in said(app)
    now = drawn()
    past = {t["type"]: t for t in figure(app)["data"]}["heatmap"]["z"]
    assert past == {t["type"]: t for t in figure(now)["data"]}["heatmap"]["z"]
    assert "Compared with the issue of" in said(now)
    assert "Every level is what it was." in said(now)


def test_a_ledger_that_does_not_answer_is_a_sentence_and_the_map_of_now_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_args: object, **_more: object) -> None:
        raise ConfigurationError("The ledger cannot be used.", hint="Put it up again.")

    core = open_core()
    core.issue(core.default_region)
    monkeypatch.setattr(core.forecasting.ledger, "issued", fails)
    app = drawn()
    assert "The ledger cannot be used" in said(app)
    assert app.get("plotly_chart")


def test_the_first_issue_of_a_session_counts_as_seen() -> None:
    app = drawn(since="look")
    assert "This is the issue that you looked at last" in said(app)
    assert "seen" in {button.label.lower() for button in app.button}
