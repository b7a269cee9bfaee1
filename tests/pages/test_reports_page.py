"""The page of reports, drawn by AppTest: what is chosen, what is shown, what is offered, and what is refused."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from core import open_core
from core.bootstrap import report_files
from core.domain.document import Document
from core.errors import SourceUnavailable
from tests.pages.drawn import drawn

PAGE = "pages/reports.py"


@pytest.fixture(autouse=True)
def a_small_served_house(served: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBURST_REGION", "points-example")


def opened(**address: str) -> AppTest:
    return drawn(PAGE, **address)


def texts(app: AppTest) -> str:
    return "\n".join(
        str(e.value) for kind in ("caption", "markdown", "warning", "info", "error") for e in app.get(kind)
    )


def offered(app: AppTest) -> dict[str, bool]:
    """Return label and whether it is disabled of every download."""
    return {button.proto.label: button.proto.disabled for button in app.get("download_button")}


def test_the_bulletin_is_shown_as_it_is_printed_and_offered_in_every_format() -> None:
    app = opened()
    shown = texts(app)
    assert "Bulletin of extreme short\\-duration rain" in shown or "Bulletin of extreme short-duration rain" in shown
    assert "no official warning" in shown
    assert "Simulated: 29 July" in shown.replace("\\", "")
    assert offered(app) == dict.fromkeys(("PDF", "Excel", "CAP 1.2", "GeoJSON", "CSV"), False)
    figures = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    assert figures[0]["data"][0]["fill"] == "toself"
    assert any("No report has been written by plan yet." in info.value for info in app.info)


@pytest.mark.parametrize("kind", ["verification", "quality"])
def test_a_report_of_the_address_is_shown_with_its_period(kind: str) -> None:
    app = opened(report=kind, days="7")
    assert app.get_by_key("report pick report").value == kind
    assert app.get_by_key("report pick days").value == "7"
    assert set(offered(app)) == {"PDF", "Excel"}
    assert "Period" in texts(app)


def test_choices_stand_in_the_address_and_come_back_after_another_page() -> None:
    app = opened()
    app.get_by_key("report pick report").set_value("quality").run()
    app.get_by_key("report pick quality_contents").set_value(["tests", "metrics"]).run()
    assert not app.exception
    assert app.query_params["report"] == "quality"
    assert app.query_params["quality_contents"] == "metrics tests"
    assert "By station" not in texts(app)
    app.switch_page("pages/point.py").run()
    app.switch_page(PAGE).run()
    assert app.get_by_key("report pick report").value == "quality"
    assert app.get_by_key("report pick quality_contents").value == ["metrics", "tests"]


def test_an_address_of_something_unknown_is_not_followed() -> None:
    app = opened(report="gossip", days="for ever", bulletin_contents="<script> map", since="yesterday")
    assert app.get_by_key("report pick report").value == "bulletin"
    assert app.get_by_key("report pick bulletin_contents").value == ["map"]
    assert not app.error


def test_the_report_may_be_in_another_language_than_the_page() -> None:
    app = opened(**{"in": "hi"})
    assert "अल्पावधि अत्यधिक वर्षा बुलेटिन" in texts(app)
    assert app.title[0].value == "Reports"


def test_dates_that_end_before_they_begin_are_refused_in_words() -> None:
    app = opened(report="quality", days="dates", since="2026-06-09", until="2026-06-03")
    assert any("before it begins" in error.value for error in app.error)
    assert app.get_by_key("report pick days").value == "dates"


def test_a_report_that_cannot_be_made_is_a_banner_below_the_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> Document:
        raise SourceUnavailable("The archive is on fire.", hint="Put it out.")

    monkeypatch.setattr("core.workflows.reporting.Reporting.document", down)
    app = opened()
    assert any("The archive is on fire." in error.value and "Put it out." in error.value for error in app.error)
    assert app.get_by_key("report pick report") is not None
    assert offered(app) == {}


def test_without_a_model_map_and_warning_are_not_offered_and_the_bulletin_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.adapters.seed.SEED_VERSION", "")
    app = opened()
    assert offered(app) == {"PDF": False, "Excel": False, "CAP 1.2": True, "GeoJSON": True, "CSV": True}
    assert "no champion and no shipped model" in texts(app)


def test_reports_by_plan_are_listed_and_offered() -> None:
    house = open_core()
    folder = report_files.folder(house)
    folder.mkdir(parents=True)
    (folder / "points-example_quality_20260729T1800Z.xlsx").write_bytes(b"x" * 2500)
    app = opened()
    listed = app.dataframe[-1].value.iloc[0]
    assert (listed["report"], listed["format"]) == ("Quality of the data", "Excel")
    assert "Download" in offered(app)
