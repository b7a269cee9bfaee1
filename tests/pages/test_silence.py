"""A scheduler that died and data that aged: the banner of every open page turns red within two periods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.testing.v1 import AppTest

import core.bootstrap
from core import Core, close_core, open_core
from core.settings import Settings
from tests.pages.drawn import SCRIPTS, drawn
from ui import session

#: Seconds between two looks of an open page.
TICK_S = float(session.TICK.removesuffix("s"))


class Clock:
    """A clock that is set forward by hand."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self.begun = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.begun + timedelta(seconds=self.ahead_s)


@pytest.fixture
def house(own_environment: None, monkeypatch: pytest.MonkeyPatch) -> tuple[Core, Clock]:
    """Return the shared house, its scheduler alive by a clock of ours, and that clock."""
    monkeypatch.setenv("CLOUDBURST_REGION", "points-example")  # few places: this is about the frame
    clock = Clock()
    monkeypatch.setattr("core.bootstrap._now", clock)
    opened = open_core()
    opened.scheduler._clock = lambda: clock.ahead_s
    opened.scheduler._alive()
    return opened, clock


def ticked(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Let the parts of an open page look again that do so by themselves, and nothing else."""
    fragments = list(app._fragment_storage._fragments)
    with monkeypatch.context() as only:
        told = partial(RerunData, fragment_id_queue=fragments)
        only.setattr("streamlit.testing.v1.local_script_runner.RerunData", told)
        app.run()
    assert not app.exception
    return app


def red(app: AppTest) -> str:
    return "\n".join(error.value for error in app.error)


@pytest.mark.parametrize("page", SCRIPTS)
def test_a_dead_scheduler_and_data_that_age_turn_an_open_page_red(
    page: str, house: tuple[Core, Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    core_, clock = house
    core_.forecasting.refresh(core_.default_region)  # stores what will have to stand in
    app = drawn(page)
    assert red(app) == ""
    periods_s = 2 * core_.settings.refresh_minutes * 60
    clock.ahead_s = periods_s - TICK_S  # the last look of the page that is early enough
    assert "The scheduler has shown no sign of life" in red(ticked(app, monkeypatch))

    monkeypatch.setattr("core.adapters.simulator.source.Simulator.hours", failing)
    clock.ahead_s = 2 * 3600
    core_.cache.clear()  # by its own clock: an issue is kept no longer than its data are fresh
    core_.scheduler._alive()
    said = red(ticked(app, monkeypatch))
    assert "The newest observation is" in said
    assert "no sign of life" not in said


def failing(*_: object) -> None:
    from core.errors import SourceUnavailable

    raise SourceUnavailable("The source is down.", hint="Wait.")


@pytest.mark.parametrize(("minutes", "silent_s"), [(0.1, 30.0), (1.0, 60.0), (5.0, 120.0), (180.0, 120.0)])
def test_a_scheduler_may_be_silent_for_less_than_two_periods(minutes: float, silent_s: float, home: Path) -> None:
    close_core()
    made = core.bootstrap.open_core(Settings(home=home, refresh_minutes=minutes))
    assert made.monitoring.silent_s == silent_s
    if minutes >= 1:
        assert silent_s + TICK_S <= 2 * minutes * 60
