"""The replay control: unmistakable on every page, shareable, and one click from live weather."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.drawn import SCRIPTS, drawn
from tests.replay_made import BEGIN, archived, frame, table
from ui.replay import AT, FILE, WINDOW

#: Pages that tell of the house itself, whatever is replayed beside them.
LIVE = {"pages/alerts.py", "pages/monitoring.py", "pages/models.py", "pages/experiments.py"}
MOMENT = "2013-06-08T06:00Z"
SHOWN = "REPLAY: as known at 08 Jun 2013 06:00 UTC"

pytestmark = pytest.mark.usefixtures("served")


@pytest.fixture
def file(home: Path) -> Path:
    return table(home / "data" / "replay" / "kedarnath.parquet", frame(), frame(place=(30.6, 78.6)))


def replayed(page: str = SCRIPTS[0]) -> AppTest:
    return drawn(page, **{FILE: "kedarnath.parquet", WINDOW: "2013-06-01-2-places", AT: MOMENT})


def said(app: AppTest) -> str:
    return "\n".join(str(e.value) for kind in ("error", "warning", "caption", "markdown") for e in app.get(kind))


def keys(app: AppTest) -> set[str | None]:
    return {button.key for button in app.button}


def test_without_stored_weather_there_is_no_control() -> None:
    assert not [key for key in keys(drawn()) if str(key).startswith("replay")]


@pytest.mark.parametrize("page", SCRIPTS)
def test_every_page_says_that_it_is_a_replay_and_offers_the_way_back(page: str, file: Path) -> None:
    app = replayed(page)
    assert "replay leave" in keys(app)
    metrics = {m.label: m.value for m in app.metric}
    if page in LIVE:
        assert "This page shows the house as it is now" in said(app)
        assert metrics["Region"] == "Uttarakhand + Himachal Pradesh"
        return
    assert SHOWN in said(app)
    assert "not current weather" in said(app)
    assert "Simulated" not in said(app)
    assert metrics["Region"] == "2 stored places"
    assert metrics["Issued"] == "08 Jun 11:30 IST"
    assert metrics["Age of data"] == "0 s"


def test_the_control_starts_a_replay_and_the_address_can_be_shared(file: Path) -> None:
    app = drawn()
    app.get_by_key("replay start").click().run()
    assert not app.exception
    assert "REPLAY: as known at 05 Jun 2013 23:00 UTC" in said(app)  # the middle of the window
    assert app.query_params[FILE] == "kedarnath.parquet"
    assert app.query_params[WINDOW] == "2013-06-01-2-places"
    assert app.query_params[AT] == "2013-06-05T23:00Z"
    other = drawn(**{key: app.query_params[key] for key in (FILE, WINDOW, AT)})
    assert other.dataframe[0].value.equals(app.dataframe[0].value)


@pytest.mark.parametrize(("hours", "then"), [(-6, "00:00"), (-1, "05:00"), (1, "07:00"), (6, "12:00")])
def test_steps_move_through_time(file: Path, hours: int, then: str) -> None:
    app = replayed()
    app.get_by_key(f"replay step {hours}").click().run()
    assert f"REPLAY: as known at 08 Jun 2013 {then} UTC" in said(app)
    assert app.query_params[AT] == f"2013-06-08T{then}Z"


def test_the_slider_moves_through_time_and_steps_end_with_the_window(file: Path) -> None:
    app = replayed()
    app.get_by_key("replay time").set_value(BEGIN.replace(tzinfo=None)).run()
    assert "REPLAY: as known at 01 Jun 2013 00:00 UTC" in said(app)
    assert "begins on 01 Jun 2013" in said(app).replace("\\", "")
    assert app.get_by_key("replay step -1").disabled
    assert not app.get_by_key("replay step 6").disabled


def test_one_click_leads_back_to_live(file: Path) -> None:
    app = replayed()
    app.get_by_key("replay leave").click().run()
    assert not app.exception
    assert "REPLAY" not in said(app)
    assert "Simulated: 29 July" in said(app)
    assert not {FILE, WINDOW, AT} & set(app.query_params)
    app.switch_page("pages/point.py").run()
    assert "REPLAY" not in said(app)


def test_the_replay_stays_from_page_to_page(file: Path) -> None:
    app = replayed()
    app.switch_page("pages/point.py").run()
    assert SHOWN in said(app)
    assert app.selectbox(key="place picker").value in {"30.500N-78.500E", "30.600N-78.600E"}


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ({FILE: "../../ledger.sqlite"}, "no such file"),
        ({FILE: "/etc/passwd"}, "no such file"),
        ({FILE: "gone.parquet"}, "no such file"),
        ({FILE: "kedarnath.parquet", WINDOW: "2013-06-01-9-places"}, "no such stored window"),
        ({FILE: "kedarnath.parquet", AT: "2020-01-01T00:00Z"}, "outside the stored window"),
        ({FILE: "broken.parquet"}, "broken.parquet"),
    ],
)
@pytest.mark.parametrize("page", ["pages/risk_map.py", "pages/point.py"])
def test_an_address_that_leads_nowhere_shows_no_weather_and_the_way_back(
    file: Path, page: str, address: dict[str, str], words: str
) -> None:
    (file.parent / "broken.parquet").write_bytes(b"PAR1 not really")
    app = drawn(page, **address)
    assert words in said(app).replace("\\", "")
    assert "not current weather" in said(app)
    assert not app.metric
    app.get_by_key("replay leave").click().run()
    assert {m.label for m in app.metric} >= {"Region", "Age of data"}


def test_a_moment_that_is_none_is_the_middle_of_the_window(file: Path) -> None:
    assert "05 Jun 2013 23:00 UTC" in said(drawn(**{FILE: "kedarnath.parquet", AT: "yesterday"}))


def test_a_file_that_cannot_be_read_does_not_keep_live_weather_away(home: Path) -> None:
    (home / "data" / "replay").mkdir(parents=True)
    (home / "data" / "replay" / "broken.parquet").write_bytes(b"PAR1 not really")
    app = drawn()
    assert "broken.parquet" in said(app).replace("\\", "")
    assert {m.label for m in app.metric} >= {"Region", "Age of data"}


def test_an_archive_in_the_folder_is_offered_and_simulated_weather_says_so(home: Path) -> None:
    from core import open_core
    from core.domain.weather import Region

    region = open_core().region("uttarakhand-himachal")
    places = Region(region.id, region.name, region.time_zone, region.locations[:3])
    archived(home / "data" / "replay", source="simulator", region=places)
    app = drawn(**{FILE: "simulator/uttarakhand-himachal", AT: MOMENT})
    assert SHOWN in said(app)
    assert "Replay of stored weather (Simulated): 29 July" in said(app).replace("\\", "")
    assert {m.label: m.value for m in app.metric}["Region"] == "Uttarakhand + Himachal Pradesh"
