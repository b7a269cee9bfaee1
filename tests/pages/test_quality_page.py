"""The quality page, drawn by AppTest: full, empty, filtered by its address, and when the report cannot be made."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.domain.quality import Drift, QualityReport
from core.errors import SourceUnavailable
from tests.pages.drawn import drawn
from tests.quality_made import metrics, report
from ui import quality, quality_controls

MADE = "core.workflows.appraising.Appraising.report"

pytestmark = pytest.mark.usefixtures("served")


@pytest.fixture
def showing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Return a function that opens the page on a made report, with an address of its own."""

    def shown(found: QualityReport, **address: str | list[str]) -> AppTest:
        monkeypatch.setattr(MADE, lambda *_: found)
        return opened(**address)

    return shown


def opened(**address: str | list[str]) -> AppTest:
    return drawn("pages/quality.py", **address)


def cards(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def texts(app: AppTest) -> str:
    kinds = ("caption", "markdown", "warning", "info", "success", "error")
    return "\n".join(str(e.value) for kind in kinds for e in app.get(kind))


def charts(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


@pytest.mark.usefixtures("whole_region")
def test_a_fresh_house_shows_the_last_week_of_its_own_observations() -> None:
    app = opened()
    assert not [e.value for e in app.error]
    assert cards(app)["Completeness"].endswith("%")
    assert len(charts(app)) >= 3
    assert "Simulated: 29 July" in texts(app)
    assert "range" in app.dataframe[-1].value["test"].to_numpy()  # the thresholds


def test_what_is_not_known_is_a_dash_and_what_is_known_is_not_rounded_up(showing: Callable[..., AppTest]) -> None:
    found = showing(report())
    shown = cards(found)
    assert shown["Timeliness"] == shown["Consistency"] == "–"
    assert (shown["Completeness"], shown["Anomaly rate"]) == ("99.9 %", "0 %")
    assert "median delay unknown" in texts(found)


def test_the_table_counts_flags_and_says_the_total(showing: Callable[..., AppTest]) -> None:
    app = showing(report())
    table = app.dataframe[0].value
    assert table["station"].iloc[0] == "Alpha"
    assert "9 flags in 5 rows" in texts(app)
    assert "▨ missing" not in set(table["flag"])  # hours of silence are not looked at first


def test_filters_stand_in_the_address(showing: Callable[..., AppTest]) -> None:
    app = showing(report(), station="Beta", variable="wind_speed_ms", test="step", flag=["suspect", "fail"])
    assert app.get_by_key("station").value == ["b"]
    assert list(app.dataframe[0].value["station"]) == ["Beta"]
    app.get_by_key("test").set_value(["gap"]).run()
    app.get_by_key("flag").set_value(["missing"]).run()
    assert not app.exception
    assert list(app.dataframe[0].value["values"]) == [10]


def test_an_address_of_something_unknown_is_not_followed(showing: Callable[..., AppTest]) -> None:
    app = showing(report(), station="Nowhere", test="<script>", period="for ever", raw="x", by="phase of the moon")
    assert app.get_by_key("station").value == []
    assert app.get_by_key("period").value == "7 days"
    assert not app.error


def test_nothing_flagged_is_said_in_words(showing: Callable[..., AppTest]) -> None:
    app = showing(report(), station="Gamma", test="range")
    assert "No check has flagged any value of this choice." in texts(app)


@pytest.mark.parametrize(("period", "hours"), [("last day", 24), ("7 days", 168), ("30 days", 720)])
def test_the_period_stands_in_the_address(period: str, hours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[timedelta] = []
    monkeypatch.setattr(MADE, lambda _self, _region, begin, end: asked.append(end - begin) or report())
    opened(period=period)
    assert asked == [timedelta(hours=hours)]


def test_two_dates_are_days_of_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[datetime, datetime]] = []
    monkeypatch.setattr(MADE, lambda _self, _region, begin, end: asked.append((begin, end)) or report())
    opened(**{"period": "from – to", "from": "2026-06-01", "to": "2026-06-03"})
    begin, end = asked[0]
    assert (begin.astimezone(UTC).isoformat(), end.astimezone(UTC).isoformat()) == (
        "2026-05-31T19:30:00+00:00",
        "2026-06-03T18:30:00+00:00",
    )


def test_a_period_that_ends_before_it_begins_is_refused_in_words() -> None:
    app = opened(**{"period": "from – to", "from": "2026-06-09", "to": "2026-06-03"})
    assert any("before it begins" in error.value for error in app.error)
    assert app.get_by_key("period").value == "from – to"  # and can be mended where it stands


def test_an_empty_period_says_so_and_shows_no_number(showing: Callable[..., AppTest]) -> None:
    found = report()
    for values in found.checked.weather.values.values():
        values[:] = np.nan
    app = showing(found)
    assert any("Nothing is stored of" in info.value for info in app.info)
    assert not charts(app)


def test_alerts_and_drifts_stand_above_everything_and_stay_text(showing: Callable[..., AppTest]) -> None:
    drift = Drift("b", "temperature_c", 2.0, "2.0 K in 30 days")
    found = replace(report(), alerts=("completeness fell from 98 % to [71](http://x) %",), drifts=(drift,))
    warned = [w.value for w in showing(found).warning]
    assert warned[0] == "completeness fell from 98 % to \\[71\\]\\(http\\://x\\) %"
    assert "Beta, temperature\\_c\\: 2.0 K in 30 days" in warned[1]


def test_a_report_that_cannot_be_made_is_a_banner_below_the_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> QualityReport:
        raise SourceUnavailable("The archive is on fire.", hint="Put it out.")

    monkeypatch.setattr(MADE, down)
    app = opened()
    assert any("The archive is on fire." in error.value and "Put it out." in error.value for error in app.error)
    assert app.get_by_key("period") is not None


def test_the_history_is_drawn_when_there_is_one(showing: Callable[..., AppTest]) -> None:
    assert "There is no history yet" in texts(showing(report()))
    found = replace(report(), history=(metrics(hours_ago=1, overall=0.4), metrics(overall=0.5)))
    import streamlit as st

    st.cache_resource.clear()
    assert any("Overall" in {t.get("name") for t in chart["data"]} for chart in charts(showing(found)))


def test_the_address_names_the_raw_series(showing: Callable[..., AppTest]) -> None:
    app = showing(report(), raw="Beta", raw_variable="wind_speed_ms")
    assert app.get_by_key("raw").value == "b"
    names = {trace.get("name") for chart in charts(app) for trace in chart["data"]}
    assert {"wind_speed_ms", "suspect (2)"} <= names


def test_a_click_on_a_row_or_a_cell_shows_the_raw_values(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, Any] = {
        "flag table": SimpleNamespace(selection=SimpleNamespace(cells=[(1, "flag")])),
        "rows of the flag table": [("a", "temperature_c"), ("b", "wind_speed_ms")],
        "completeness map": SimpleNamespace(selection=SimpleNamespace(points=[{"customdata": "c"}])),
    }
    monkeypatch.setattr("streamlit.session_state", state)
    quality.show_row()
    assert (state["raw"], state["raw_variable"], state["place"]) == ("b", "wind_speed_ms", "b")
    quality.show_cell()
    assert (state["raw"], state["raw_variable"], state["place"]) == ("c", "wind_speed_ms", "c")
    state["flag table"].selection.cells = [(7, "flag")]  # of a table that was longer
    state["completeness map"].selection.points = []
    quality.show_row()
    quality.show_cell()
    assert state["raw"] == "c"


def test_the_download_is_named_by_region_and_period(showing: Callable[..., AppTest]) -> None:
    button = showing(report()).get("download_button")[0]
    assert "Report of this period" in button.proto.label


def test_stations_of_one_name_are_told_apart() -> None:
    places = report().region.locations
    twins = (places[0], replace(places[1], name="Alpha"))
    assert quality_controls.station_names(twins) == {"a": "Alpha (a)", "b": "Alpha (b)"}
