"""The wall display: whole pages in turn, of the region that was chosen, until somebody ends it."""

from __future__ import annotations

import pytest
from streamlit.runtime.pages_manager import PagesManager

from tests.pages.drawn import visit
from ui import session, shell, wall

REGION = "points-example"


class Screen:
    """A session whose browser has counted so many turns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **address: str) -> None:
        self.turns, self.asked = 0, {}
        monkeypatch.setattr("ui.wall.st_autorefresh", self.counted)
        self.app = visit(**address).run()

    def counted(self, **asked: object) -> int:
        self.asked = asked
        return self.turns

    def title(self) -> str:
        assert not self.app.exception
        return str(self.app.title[0].value)

    def address(self, key: str) -> str | None:
        found = self.app.query_params.get(key)
        return found[0] if isinstance(found, list) else found


@pytest.fixture(autouse=True)
def two_regions(own_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # As app.py does in the server: else AppTest runs a page of pages/ on its own, without the frame.
    monkeypatch.setattr(PagesManager, "uses_pages_directory", False)
    monkeypatch.setattr("streamlit.testing.v1.app_test.PagesManager", type("Framed", (PagesManager,), {}))
    monkeypatch.setenv("CLOUDBURST_REGION", f"uttarakhand-himachal,{REGION}")


def test_the_pages_turn_over_when_the_browser_says_so_and_keep_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(monkeypatch, region=REGION, wall="45")
    assert screen.title() == wall.ROTATION[0]
    assert screen.asked["interval"] == 45_000
    screen.app.run()
    assert screen.title() == wall.ROTATION[0]
    for turns, title in enumerate((*wall.ROTATION[1:], wall.ROTATION[0]), start=1):
        screen.turns = turns
        screen.app.session_state[session.PLACE] = "somewhere"
        screen.app.run()
        assert screen.title() == title
        assert (screen.address(session.REGION), screen.address(session.WALL)) == (REGION, "45")
        assert {m.label: m.value for m in screen.app.metric}["Region"].endswith("(example of points)")


def test_it_begins_on_the_monitoring_page_and_ends_with_a_click(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(monkeypatch)
    assert screen.asked == {}
    screen.app.switch_page("pages/monitoring.py").run()
    screen.app.get_by_key("wall seconds").set_value(120)
    screen.app.get_by_key("wall begin").click().run()
    assert screen.title() == "Monitoring"
    assert screen.address(session.WALL) == "120"
    assert screen.asked["interval"] == 120_000
    assert any("Risk map is next" in caption.value for caption in screen.app.caption)
    screen.app.get_by_key("wall-end").click().run()
    assert screen.address(session.WALL) is None
    assert not [caption for caption in screen.app.caption if "Wall display" in caption.value]


@pytest.mark.parametrize(
    ("asked", "seconds"), [("", 30), ("soon", 30), ("1", 5), ("99999", 3600), ("9" * 5000, 30), ("²", 30)]
)
def test_what_an_address_asks_for_is_bounded(asked: str, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.wall.st.query_params", {session.WALL: asked})
    assert wall.seconds() == seconds


def test_every_page_of_the_rotation_exists_once() -> None:
    titles = [title for _, title, _ in shell.PAGES]
    assert [titles.count(title) for title in wall.ROTATION] == [1] * len(wall.ROTATION)
