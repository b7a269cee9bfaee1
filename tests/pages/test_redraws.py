"""A new issue under open pages: each is drawn anew for it, and not all in the same moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from core import Allowance, CloudburstError
from ui import session, shell


class Drawn(Exception):
    """The page is drawn anew."""


@dataclass(frozen=True)
class Region:
    id: str = "here"


@dataclass(frozen=True)
class Forecast:
    version: str
    region: Region = Region()


@dataclass
class House:
    """Has one issue, or none."""

    newest: Forecast | None

    def issue(self, region_id: str) -> Any:
        assert region_id == "here"
        if self.newest is None:
            raise CloudburstError("There is none.")
        return self

    @property
    def forecast(self) -> Forecast | None:
        return self.newest


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds that the allowance goes by, which start with a full one of two a second."""
    now = [0.0]

    def drawn() -> None:
        raise Drawn

    monkeypatch.setattr(shell.st, "rerun", drawn)
    monkeypatch.setattr(session, "_redraws", Allowance(2, 1.0, lambda: now[0]))
    return now


def newest(house: House, seen: Forecast) -> object:
    return shell._newest(house, seen)  # type: ignore[arg-type]


def test_a_page_of_the_newest_issue_stays() -> None:
    issue = Forecast("b")
    assert newest(House(issue), Forecast("b")) is issue


def test_a_page_of_an_older_issue_is_drawn_anew() -> None:
    with pytest.raises(Drawn):
        newest(House(Forecast("b")), Forecast("a"))


def test_a_page_that_cannot_say_what_is_wrong_is_drawn_anew() -> None:
    for _ in range(5):
        with pytest.raises(Drawn):
            newest(House(None), Forecast("a"))


def test_of_many_pages_some_wait_and_speak_of_their_own_issue_meanwhile(now: list[float]) -> None:
    house, open_pages = House(Forecast("b")), [Forecast("a") for _ in range(7)]
    waits = []
    for second in range(4):
        now[0], left = float(second), list(open_pages)
        for page in left:
            try:
                assert newest(house, page) is page
            except Drawn:
                open_pages.remove(page)
        waits.append(len(open_pages))
    assert waits == [5, 3, 1, 0]


def test_enough_are_drawn_for_a_room_of_screens_within_a_tick() -> None:
    assert session.REDRAWS_PER_S * float(session.TICK.removesuffix("s")) >= 80
