"""Every page, drawn by AppTest: full, empty, and with the source down."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import close_core, open_core
from core.adapters.seed import SEED_VERSION
from tests.faults.source.server import serving
from tests.models_made import stored
from tests.pages.drawn import SCRIPTS, drawn

pytestmark = pytest.mark.usefixtures("served")


def of_this_hour(app: AppTest) -> bool:
    """Tell whether the page gives the age of data of this hour: seconds in its first minute, minutes after it."""
    age = {m.label: m.value for m in app.metric}["Age of data"]
    return re.fullmatch(r"\d+ (s|min)", age) is not None


def texts(app: AppTest) -> str:
    parts = [e.value for kind in ("title", "subheader", "caption", "markdown", "error", "info") for e in app.get(kind)]
    parts += [m.value for m in app.metric] + [d.value.to_string() for d in app.dataframe]
    return "\n".join(str(p) for p in parts)


@pytest.mark.usefixtures("whole_region")
@pytest.mark.parametrize("page", SCRIPTS)
def test_a_full_page_says_source_age_and_model_and_shows_no_error(page: str) -> None:
    app = drawn(page)
    assert not [e.value for e in app.error]
    assert open_core().meters.latencies()["page"].count >= 1
    shown = texts(app)
    assert "Simulated: 29 July" in shown
    assert of_this_hour(app)
    assert "shipped seed" in {m.value for m in app.metric}
    assert "transfer to this region is not verified" in shown


@pytest.mark.usefixtures("whole_region")
def test_the_map_has_one_clickable_marker_per_place_and_a_legend() -> None:
    figure = json.loads(drawn("pages/risk_map.py").get("plotly_chart")[0].proto.spec)
    clickable = figure["data"][-1]
    assert 130 <= len(clickable["customdata"]) <= 190
    names = [trace.get("name", "") for trace in figure["data"]]
    assert any("No data" in name for name in names)


@pytest.mark.parametrize("layer", ["p_15", "p_100", "p_50_2h"])
def test_every_probability_has_a_layer(layer: str) -> None:
    app = drawn("pages/risk_map.py")
    app.get_by_key("threshold").set_value(layer)
    app.get_by_key("layer").set_value("probability").run()
    assert not app.exception
    assert "colorbar" in app.get("plotly_chart")[0].proto.spec


def test_the_point_page_shows_the_place_of_the_address() -> None:
    app = drawn()
    clickable = json.loads(app.get("plotly_chart")[0].proto.spec)["data"][-1]["customdata"]
    app.query_params["place"] = clickable[5]
    app.switch_page("pages/point.py").run()
    assert app.selectbox(key="place picker").value == clickable[5]
    rows = next(d.value for d in app.dataframe if "0 to 6 h" in d.value)
    assert list(rows["rain"]) == ["≥ 15 mm/h", "≥ 30 mm/h", "≥ 50 mm/h", "≥ 100 mm/h", "≥ 50 mm in 2 h"]
    assert [p.endswith("*") for p in rows["0 to 6 h"]] == [False, False, True, True, False]


def test_the_models_page_shows_champion_card_and_scorecard() -> None:
    shown = texts(drawn("pages/models.py"))
    assert SEED_VERSION in shown
    assert "champion, shipped seed model" in shown
    assert "Brier skill" in shown
    assert "transfer to the Himalaya is not verified" in shown


@pytest.mark.parametrize("page", SCRIPTS)
def test_several_regions_have_a_picker_and_the_choice_stays(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBURST_REGION", "uttarakhand-himachal,points-example")
    app = drawn(page)
    assert {m.label: m.value for m in app.metric}["Region"] == "Uttarakhand + Himachal Pradesh"
    app.get_by_key("region picker").set_value("points-example").run()
    assert not app.exception
    assert "example of points" in {m.label: m.value for m in app.metric}["Region"]
    assert app.query_params["region"] == "points-example"


@pytest.mark.parametrize("page", SCRIPTS)
def test_a_live_source_is_credited_and_its_failure_is_a_banner(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBURST_SOURCE", "open-meteo:")
    monkeypatch.setenv("CLOUDBURST_REGION", "points-example")
    with serving() as service:
        monkeypatch.setenv("CLOUDBURST_OPEN_METEO_URL", service.url)
        app = drawn(page)
        shown = texts(app)
        assert "CC BY 4.0" in shown
        assert ":green-badge[fresh]" in shown
        assert "Simulated" not in shown
    close_core()
    app = drawn(page)  # the service is gone: what was archived stands in, with its age and the reason
    assert any("The source failed" in error.value for error in app.error)
    assert of_this_hour(app)


@pytest.mark.parametrize("page", SCRIPTS)
def test_a_house_without_any_model_says_so_and_gives_no_level(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.adapters.seed.SEED_VERSION", "")
    shown = texts(drawn(page))
    assert "no champion and no shipped model" in shown
    assert "trained and calibrated" not in shown


@pytest.mark.parametrize("page", SCRIPTS)
def test_old_gauges_are_no_data_and_hatched(
    page: str, monkeypatch: pytest.MonkeyPatch, gauge_folder: Callable[..., Path]
) -> None:
    folder = gauge_folder(end=datetime.now(UTC) - timedelta(hours=9))
    monkeypatch.setenv("CLOUDBURST_SOURCE", f"gauges:{folder}")
    app = drawn(page)
    shown = texts(app)
    assert "too old for any level" in shown
    assert "Simulated" not in shown
    if page == "pages/risk_map.py":
        assert list(app.dataframe[0].value["level"].unique()) == ["▨ No data"]


@pytest.mark.parametrize("page", SCRIPTS)
@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("CLOUDBURST_SOURCE", "gauges:/nowhere/at/all", "/nowhere/at/all"),
        ("CLOUDBURST_SORCE", "simulator:", "Did you mean CLOUDBURST_SOURCE"),
    ],
)
def test_a_source_that_is_down_and_a_wrong_setting_are_a_banner(
    page: str, setting: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setting, value)
    app = drawn()
    app.switch_page(page).run()
    assert not app.exception
    assert any(words in error.value.replace("\\", "") for error in app.error)  # Markdown's signs are escaped


def test_a_flipped_bit_in_the_champion_is_a_banner_and_the_one_before_stands_in(home: Path) -> None:
    core = open_core()
    name = stored(core.store, "simulator").version
    core.lifecycle.promote(name, "uttarakhand-himachal", "tests", "to see it fall")
    close_core()
    model = home / "models" / "versions" / name / "model.skops"
    data = bytearray(model.read_bytes())
    data[1000] ^= 4
    model.write_bytes(data)
    app = drawn("pages/risk_map.py")
    banner = next(error.value for error in app.error if "stands in" in error.value)
    assert SEED_VERSION in banner.replace("\\", "")
    assert "not what its manifest says" in banner
    assert list(app.dataframe[0].value["level"].unique()) != ["▨ No data"]
    assert (home / "models" / "quarantine" / name / "reason.txt").is_file()
