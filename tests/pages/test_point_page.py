"""The point page: the answer, why (drivers with arrows, words and factors), the evidence, and the search."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import TARGET, open_core, recalled, said_like
from core.adapters.keys import secret
from tests.models_made import deployed, model_store, stored
from tests.pages.drawn import drawn
from tests.replay_made import frame, table
from tests.verified_made import cases


@pytest.fixture
def champion(home: Path) -> None:
    """Give the simulated region a small model of its own."""
    store = model_store(home / "models", secret(home / "data" / "model.key"))
    deployed(store, "simulator", "uttarakhand-himachal", stored(store, "simulator").version)


def point(**address: str) -> AppTest:
    return drawn("pages/point.py", **address)


@pytest.mark.usefixtures("champion")
def test_the_drivers_stand_on_the_page_with_arrows_words_and_factors() -> None:
    app = point()
    assert "Why" in [s.value for s in app.subheader]
    rows = next(d.value for d in app.table if "driver" in d.value)
    assert list(rows.columns) == ["effect", "driver", "odds"]
    assert 1 <= len(rows) <= 8
    for effect, driver, odds in rows.itertuples(index=False):
        factor = float(re.fullmatch(r"× ([\d.e+-]+)", odds)[1])  # type: ignore[index]
        assert effect == ("▲ raises" if factor > 1 else "▼ lowers")
        assert re.match(r"[A-Z][a-z ]+: .*\S", driver)
    captions = "\n".join(c.value for c in app.caption)
    assert "not causes" in captions
    assert "generalized Pareto" in captions


@pytest.mark.usefixtures("champion")
def test_another_place_has_drivers_of_its_own() -> None:
    app = drawn()
    places = json.loads(app.get("plotly_chart")[0].proto.spec)["data"][-1]["customdata"]
    found = []
    for place in (places[5], places[-5]):
        app.query_params["place"] = place
        app.switch_page("pages/point.py").run()
        assert app.selectbox(key="place picker").value == place
        found.append(next(d.value for d in app.table if "driver" in d.value))
    assert not found[0].equals(found[1])


def test_without_a_model_the_page_says_that_there_are_no_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.adapters.seed.SEED_VERSION", "")
    app = point()
    assert any("No drivers" in info.value for info in app.info)
    assert not list(app.table)


def said(app: AppTest) -> str:
    kinds = ("subheader", "caption", "info", "warning", "success", "error", "markdown")
    return "\n".join(str(e.value) for kind in kinds for e in app.get(kind)).replace("\\", "")


def sought(app: AppTest, text: str) -> AppTest:
    app.text_input(key="place search").set_value(text).run()
    assert not app.exception
    return app


def test_the_answer_comes_first_then_why_then_the_evidence_and_the_address_is_shareable() -> None:
    app = point()
    place = app.query_params["place"]
    assert app.selectbox(key="place picker").value == place
    order = [s.value for s in app.subheader]
    assert order[1:] == ["Why", "The hours ahead", "Meteogram", "Nearest gauges", "Quality flags", "Neighbours"]
    metrics = {m.label: m.value for m in app.metric}
    assert metrics["≥ 15 mm/h within 6 h"].endswith("%")
    assert re.fullmatch(r"\d+ (s|min)", metrics["Age of these data"])  # seconds in the first minute of an hour
    assert "No gauges: this weather is simulated" in said(app)
    assert "Not verified yet" in said(app)
    figure = next(json.loads(c.proto.spec) for c in app.get("plotly_chart") if "CAPE" in c.proto.spec)
    assert {trace["name"] for trace in figure["data"]} >= {"rain", "gusts", "dew point", "precipitable water"}
    beside = next(b for b in app.button if str(b.key).startswith("neighbour "))
    beside.click().run()
    assert not app.exception
    assert app.query_params["place"] == beside.key.removeprefix("neighbour ")
    assert app.selectbox(key="place picker").value == app.query_params["place"]
    app.segmented_control(key="event picker").set_value("p_50_2h").run()
    assert app.query_params["event"] == "p_50_2h"
    assert "probability of ≥ 50 mm in 2 h" in app.dataframe[-1].value.columns


@pytest.mark.usefixtures("whole_region")
def test_a_search_finds_a_town_offers_choices_and_says_what_lies_outside() -> None:
    app = sought(point(), "Kedarnath")
    assert app.query_params["place"] == "uh-30.625-79.125"
    assert "Kedarnath: Rudraprayag 30.62N 79.12E speaks for it." in said(app)
    before = app.query_params["place"]
    sought(app, "12.97, 77.59")
    assert "12.97, 77.59 lies outside every region. Served are: Uttarakhand + Himachal Pradesh." in said(app)
    assert app.query_params["place"] == before
    sought(app, "xyzzy")
    assert "No place is called “xyzzy”" in said(app)
    sought(app, "chamoli")
    choices = [b for b in app.button if str(b.key).startswith("found ")]
    assert len(choices) == 12
    choices[0].click().run()
    assert app.query_params["place"] == choices[0].key.split()[-1]
    assert not [b for b in app.button if str(b.key).startswith("found ")]


def test_a_search_goes_to_another_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBURST_REGION", "uttarakhand-himachal,points-example")
    app = sought(point(), "Leh")
    assert {m.label: m.value for m in app.metric}["Region"].startswith("Places of past")
    assert "Leh" in [s.value for s in app.subheader]


def test_an_address_of_an_unknown_place_says_so() -> None:
    app = point(place="atlantis")
    assert "The address names a place that this region does not have" in said(app)
    assert app.query_params["place"] != "atlantis"


@pytest.mark.parametrize("late_h", [3, 9])
def test_gauges_with_old_data_are_stale_and_then_no_data(
    late_h: int, gauge_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setenv("CLOUDBURST_SOURCE", f"gauges:{gauge_folder(end=now - timedelta(hours=late_h))}")
    app = point()
    gauge = next(d.value for d in app.dataframe if "gauge" in d.value)
    assert gauge["direction and distance"].iloc[0] == "here"
    html = "".join(h.proto.body for h in app.get("html"))
    if late_h == 3:
        assert "These data are stale" in said(app)
        assert "linear-gradient" not in html
    else:
        assert "Not knowing is not the same as no risk" in said(app)
        assert "No probability can be given here now" in said(app)
        assert "linear-gradient" in html  # hatched, never green
        assert not [m for m in app.metric if m.label == "Age of these data"]


def test_without_truth_the_page_says_not_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.workflows.verifying.TRUTH_SOURCES", ())
    assert "Not verified: No truth available: not verified, not retrained." in said(point())


def test_what_was_said_before_is_told_with_its_count(monkeypatch: pytest.MonkeyPatch) -> None:
    made = cases(source="simulator")
    monkeypatch.setattr("core.workflows.scoring.Scoring.issued", lambda *_args: made)
    p = open_core().issue("uttarakhand-himachal").forecast.ranked()[0].exceedance.of(TARGET)
    found = said_like(recalled(made, TARGET), p)
    assert found is not None
    shown = said(point())
    assert f"it happened in **{found.events:,} of {found.n:,}** cases" in shown
    assert "Forecasts and truth are simulated." in shown


def test_a_replay_shows_its_own_places_and_verifies_nothing(home: Path) -> None:
    table(home / "data" / "replay" / "kedarnath.parquet", frame(), frame(place=(30.6, 78.6)))
    app = point(**{"replay": "kedarnath.parquet", "window": "2013-06-01-2-places", "at": "2013-06-08T06:00Z"})
    assert "A replay of stored weather records nothing" in said(app)
    assert "No gauges are known" in said(app)
    sought(app, "Gangtok")
    assert "Gangtok lies outside every region. Served are: 2 stored places." in said(app)
